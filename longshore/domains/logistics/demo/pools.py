"""Pools of formatted cells, which millions of rows reuse.

Each pool has a seed of its own, so it is equal on every run. An entry is one cell or several
adjacent ones; a comment names their columns.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from longshore.domains.demo import words
from longshore.domains.demo.cells import array, cell, document, line
from longshore.domains.demo.chance import address, pool


@dataclass(frozen=True)
class Person:
    """The formatted cells of a person. Pairs are the texts before and after the contact's number.

    party: the JSON object {name, email, phone, address} without its opening brace.
    """

    name: str
    names: str
    phone: str
    id_number: str
    address: str
    label: str
    email: tuple[str, str]
    party: tuple[str, str]


def full_name(random: Random, index: int) -> str:
    """Return a random name; every sixteenth one needs escaping."""
    if index % 16 == 5:
        return words.AWKWARD_NAMES[index // 16 % len(words.AWKWARD_NAMES)]
    given, family, form = random.choice(list(words.NAMES.values()))
    return form.format(given=random.choice(given), family=random.choice(family))


def _person(random: Random, place: int) -> Person:
    name, home = full_name(random, place), address(random)
    phone = f"+1{random.randint(200, 999)}555{random.randint(100, 199):04}"
    other = full_name(random, 0)
    nickname = random.choice((None, None, "", name.split()[0], f"“{name[:3]}”"))
    domain = random.choice(("example.com", "example.org", "mail.example.net", "例え.example"))
    user = f"{random.choice(('desk', 'info', 'o.neil', 'müller', 'front-office'))}"
    email = (f"{user}.", f"@{domain}")
    party = document({"name": name, "email": "|".join(email), "phone": phone, "address": home})
    start, end = party[1:].split("|")
    street = f"{home['line1']}\n{home['line2'] or ''}\n{home['postal_code']} {home['city']}"
    return Person(
        name=cell(name),
        names=line(cell(nickname), array(random.choice(((), (other,), (other, name.upper()))))),
        phone=line(cell(phone), array(random.choice(((), (), (phone.replace("555", "556"),))))),
        id_number=cell(random.choice((None, "", f"E-{random.randint(0, 99999):05}"))),
        address=document(home),
        label=cell(f"TO: {name}\n{street}"),
        email=email,
        party=(start, end),
    )


def _metadata(random: Random, place: int) -> str:
    service = random.choice(("inbound", "inbound", "outbound", "returns"))
    if place % 8 == 0:
        return document({})
    if place % 8 == 1:
        nested = {"building": {"floor": place % 9, "desks": [1, 2.5, None]}, "": "empty key"}
        return document({"service": service, "cost center": "4711, 4712", "place": nested})
    return document(
        {
            "service": service,
            "priority": random.randint(1, 5),
            "checked": random.random() < 0.5,
            "team": random.choice(words.DEPARTMENTS),
            **random.choice(({}, {"batch": None}, {"comment": 'say "hi"\n\tthen go'})),
        }
    )


def _prices(provider: str) -> Callable[[Random, int], str]:
    # amount billed_amount fee currency paid payment_reference refund_status rates
    # recommended_rate purchased_rate lead_time_mins
    def make(random: Random, place: int) -> str:
        currency = random.choice(("USD", "USD", "USD", "EUR", "CAD", "JPY"))
        rates: list[dict[str, Any]] = [
            {
                "provider": provider,
                "service": service,
                "amount": random.randint(400, 25_000),
                "currency": currency,
                "days": random.randint(1, 9),
            }
            for service in random.sample(words.SERVICES, random.randint(1, 3))
        ]
        bought = random.choice((None, *rates, *rates))
        amount = bought["amount"] if bought else None
        billed = None if amount is None else amount + random.choice((0, 0, 0, 275))
        reference = random.choice((None, "", f"pi_{random.getrandbits(40):010x}"))
        refund = random.choice((None,) * 17 + ("requested", "refunded", "rejected"))
        return line(
            *map(cell, (amount, billed, random.choice((None, 0, 99, 250)), currency)),
            *map(cell, (bought is not None and place % 5 > 0, reference, refund)),
            document(rates),
            document(min(rates, key=lambda rate: (rate["amount"], rate["days"]))),
            document(bought),
            cell(random.choice((None, 30, 90, 1440))),
        )

    return make


def measures(random: Random) -> dict[str, float]:
    sizes = {side: random.randint(5, 1200) / 10 for side in ("length", "width", "height")}
    return sizes | {"weight": random.randint(1, 30_000) / 1000}


def _load(random: Random, place: int) -> str:
    # coordinates parcels customs options tags layout_id container_id invoice_id
    spot = {
        "latitude": random.randint(-89_999, 89_999) / 1000,
        "longitude": random.randint(-179_999, 179_999) / 1000,
    }
    goods = [
        {"description": product, "quantity": random.randint(1, 9), "value": random.randint(1, 500)}
        for product in random.sample(words.PRODUCTS, 2)
    ]
    customs = {"contents": "merchandise", "incoterm": "DAP", "items": goods}
    insured = random.choice((None, 100.5, 2500))
    return line(
        document(spot if place % 3 else None),
        document([measures(random) for _ in range(random.choice((1, 1, 1, 2)))]),
        document(customs if place % 7 == 0 else None),
        document(random.choice((None, {}, {"signature": True, "insurance": insured}))),
        array(random.sample(words.TAGS, random.choice((0, 0, 1, 2)))),
        cell(random.choice(words.SHELVES)),
        cell(f"cont_{place}" if place % 11 == 0 else None),
        cell(f"inv_{place}" if place % 4 == 0 else None),
    )


@cache
def people() -> list[Person]:
    """Return 1024 persons."""
    return pool("people", 1024, _person)


@cache
def metadata() -> list[str]:
    return pool("metadata", 512, _metadata)


@cache
def prices() -> dict[str, list[str]]:
    """Return the price columns of shipments, by carrier."""
    return {provider: pool(provider, 256, _prices(provider)) for provider in words.CARRIERS}


@cache
def loads() -> list[str]:
    return pool("loads", 1024, _load)


@cache
def notes() -> list[str]:
    return [cell(note) for note in words.NOTES]


@cache
def users() -> list[str]:
    return [cell(user) for user in words.USERS]


@cache
def messages() -> list[str]:
    """Return messages of carriers as JSON strings."""
    return [document(message) for message in words.UPDATES]


@cache
def layouts() -> list[str]:
    """Return shelves and zones as JSON objects."""
    shelves = ('Shelf "A", left', "A-01", "B-17", "棚 4")
    return [document({"id": f"lay_{n}", "name": shelf}) for n, shelf in enumerate(shelves)]
