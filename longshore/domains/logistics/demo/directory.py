"""Rows of locations, groups, contacts and their many-to-many tables."""

from collections.abc import Callable, Iterator
from random import Random

from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, array, cell, document, line
from longshore.domains.demo.chance import address, scatter
from longshore.domains.demo.clock import stamp
from longshore.domains.logistics.demo import pools
from longshore.domains.logistics.demo.plan import Plan

COMMON = "organization_id external_id metadata created_at updated_at updated_by"
LOCATION = f"""id name code email address service_levels provider_instructions operating_hours
    holidays users kiosk_message pickup_types marketplace terminal_location_id last_audited_at
    {COMMON}"""
GROUP = f"id name resource location_id parent_id {COMMON}"
CONTACT = f"""id name nickname alternate_names email alternate_emails phone alternate_phones
    id_number address secondary_address alternate_addresses location_id is_primary notes
    experimental {COMMON}"""
CONTACT_GROUP = "contact_id group_id"
CONTACT_LOCATION = "contact_id location_id"

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# The resource of eight consecutive groups.
_GROUP_RESOURCES = ("contact",) * 6 + ("location", "item")


def locations(plan: Plan) -> Iterator[str]:
    """The metadata of the first location stores the size of the demo data."""
    random = Random(plan.slug)  # noqa: S311 (reproducible data, not a secret)
    name, moment = plan.names["loc"], plan.moments["loc"]
    for number in range(plan.counts["loc"]):
        time, bits = moment(number), scatter(number + plan.salt)
        place = address(random)
        site = f"{random.choice(words.SITES)} {place['city']} {number + 1}"
        yield line(
            name(number),
            cell(site),
            cell(random.choice((None, "", f"{place['country']}-{number:03}"))),
            cell(random.choice((None, f"site{number}@example.com"))),
            document(place),
            *_services(random),
            document(
                [
                    {
                        "id": f"user_{n}",
                        "name": pools.full_name(random, n),
                        "email": f"user{n}@example.com",
                    }
                    for n in range(bits & 3)
                ]
            ),
            cell(random.choice((None, "", "Welcome!\nPlease ring.", "歡迎 👋"))),
            array(random.sample(("counter", "locker", "curbside"), random.randint(0, 3))),
            document(random.choice((None, {"listed": bits & 1 == 0, "title": site}))),
            name(number % 3) if number % 4 == 3 else NULL,
            stamp(time + 86_400_000) if bits & 1 else NULL,
            plan.common(number, time, bits, None if number else document({"demo_rows": plan.rows})),
        )


def _services(random: Random) -> Iterator[str]:
    # service_levels provider_instructions operating_hours holidays
    carriers = random.sample(words.CARRIERS, random.randint(0, 3))
    yield document(
        [
            {"id": f"sl_{c}_{s}", "name": s, "provider": c}
            for c in carriers
            for s in words.SERVICES[:2]
        ]
    )
    yield document(random.choice((None, dict.fromkeys(carriers, 'Use the "blue" gate,\nplease.'))))
    hours = {"open": random.choice(("07:30", "09:00")), "close": random.choice(("17:00", "22:15"))}
    yield document({day: {"active": day[0] != "s", **hours} for day in _DAYS})
    new_year = {"name": "New Year", "date": "2025-01-01"}
    inventory = {"name": "Inventory, closed", "date": "2025-01-02"}
    yield document(random.choice(([], [new_year], [new_year, inventory])))


def groups(plan: Plan) -> Iterator[str]:
    name, place, moment = plan.names["grp"], plan.names["loc"], plan.moments["grp"]
    for number in range(plan.counts["grp"]):
        time, bits = moment(number), scatter(number + plan.salt)
        generation, kind = divmod(number, 8)
        title = words.DEPARTMENTS[bits % len(words.DEPARTMENTS)]
        yield line(
            name(number),
            cell(title if number < len(words.DEPARTMENTS) else f"{title} {number}"),
            _GROUP_RESOURCES[kind],
            place(bits % plan.counts["loc"]) if bits & 3 else NULL,
            name(generation // 2 * 8 + kind) if generation else NULL,
            plan.common(number, time, bits),
        )


def contacts(plan: Plan) -> Iterator[str]:
    name, moment, notes = plan.names["ctct"], plan.moments["ctct"], pools.notes()
    places = _places(plan)
    people = pools.people()
    for number in range(plan.counts["ctct"]):
        time, bits = moment(number), scatter(number + plan.salt)
        person, other = plan.person(number), people[bits >> 10 & 1023]
        start, end = person.email
        email = f"{start}{number}{end}"
        yield line(
            name(number),
            person.name,
            person.names,
            email if bits & 15 else (NULL, "")[bits >> 4 & 1],
            f"{{{start}{number}b{end}}}" if bits & 6 == 0 else "{}",
            person.phone,
            person.id_number,
            person.address,
            other.address if bits & 7 == 0 else NULL,
            f"[{other.address}]" if bits & 11 == 1 else "[]",
            next(iter(places(number)), NULL),
            "t" if bits & 31 == 0 else "f",
            notes[bits % len(notes)],
            f'{{"auto_notify": true, "limits": {{"daily": {bits >> 3 & 7}}}}}'
            if bits & 7 == 3
            else NULL,
            plan.common(number, time, bits),
        )


def contact_groups(plan: Plan) -> Iterator[str]:
    """Up to three groups per contact. One in five has none, one in ten is in the first group."""
    contact, group = plan.names["ctct"], plan.names["grp"]
    full, rest = divmod(plan.counts["grp"], 8)
    contact_groups = full * 6 + min(rest, 6)
    for number in range(plan.counts["ctct"]):
        bits = 0 if number % 10 == 1 else scatter(number ^ plan.salt)
        for place in range((0, 1, 1, 2, 3)[number % 5]):
            chosen = (bits + place) % contact_groups
            yield f"{contact(number)}\t{group(chosen // 6 * 8 + chosen % 6)}"


def contact_locations(plan: Plan) -> Iterator[str]:
    contact, places = plan.names["ctct"], _places(plan)
    for number in range(plan.counts["ctct"]):
        yield from (f"{contact(number)}\t{place}" for place in places(number))


def _places(plan: Plan) -> Callable[[int], list[str]]:
    """Return the function from a contact's number to its locations, the primary one first.

    One in four contacts has none, the others have one or two.
    """
    location, count = plan.names["loc"], plan.counts["loc"]

    def places(number: int) -> list[str]:
        bits = scatter(number + ~plan.salt)
        return [location((bits + place) % count) for place in range((0, 1, 1, 2)[number % 4])]

    return places
