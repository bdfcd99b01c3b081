"""Rows of items, levels, assets, manifests, fulfillments and articles."""

from collections.abc import Iterator
from random import Random

from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, array, cell, document, line
from longshore.domains.demo.chance import pool, scatter
from longshore.domains.demo.clock import stamp
from longshore.domains.logistics.demo import pools
from longshore.domains.logistics.demo.directory import COMMON
from longshore.domains.logistics.demo.plan import Plan
from longshore.domains.logistics.models import (
    AssetStatus,
    FulfillmentStatus,
    ManifestStatus,
)

ITEM = f"""id name description sku upc gtin harmonized_code color size attributes images
    length width height weight packaged origin_country value currency vendor is_asset {COMMON}"""
LEVEL = """id item_id location_id layout_id layout_name verified_qty damaged_qty manifested_qty
    reserved_qty"""
ASSET = f"""id name status serial_number sku gtin harmonized_code item_id location_id layout_id
    assignee vendor currency value images dimensions attributes next_maintenance_date
    warranty_valid_until {COMMON}"""
MANIFEST = f"""id status location_id containers order_number invoice_number purchase_order_number
    reference_number container_number load_number special_handling_tags arrived_at processed_at
    {COMMON}"""
FULFILLMENT = f"id status order_number recipient location_id {COMMON}"
ARTICLE = """id fulfillment_id manifest_id item_id requested_qty picked_qty packed_qty received_qty
    comment sku name value"""

_DAY_MS = 86_400_000


def _product(random: Random, place: int) -> tuple[str, str]:
    # name description / color size attributes images length width height weight packaged
    name, sizes = words.PRODUCTS[place % len(words.PRODUCTS)], pools.measures(random)
    description = random.choice((None, "", f"{name}: new,\nin box", 'The "original"'))
    attributes = [{"name": "material", "value": random.choice(("steel", "竹", "bois"))}]
    images = [f"https://images.example.com/{place}/{n}.jpg" for n in range(place % 3)]
    return (
        line(cell(name), cell(description)),
        line(
            cell(random.choice(words.COLORS)),
            cell(random.choice((None, "", "S", "XL", '14"'))),
            document(attributes if place % 2 else []),
            array(images),
            *(cell(size) for size in sizes.values()),
            document({side: size * 2 for side, size in sizes.items()} if place % 3 else None),
        ),
    )


def items(plan: Plan) -> Iterator[str]:
    name, moment = plan.names["item"], plan.moments["item"]
    products = pool("products", 256, _product)
    for number in range(plan.counts["item"]):
        time, bits = moment(number), scatter(number + plan.salt)
        title, look = products[bits >> 8 & 255]
        gtin = f"{bits >> 16 & 0xFFFFFFFF:013}"
        yield line(
            name(number),
            title,
            f"SKU-{number:06}",
            gtin[1:] if bits & 1 else NULL,
            gtin if bits & 2 else ("", NULL)[bits & 1],
            f"{8400 + bits % 900}.{bits % 90 + 10}",
            look,
            ("US", "DE", "CN", "JP", NULL)[bits % 5],
            f"{bits % 250_000 / 100:.2f}" if bits & 12 else NULL,
            ("USD", "EUR", "JPY")[bits % 3],
            cell(words.VENDORS[bits % len(words.VENDORS)]),
            "t" if number % 10 == 0 else "f",
            plan.common(number, time, bits),
        )


def levels(plan: Plan) -> Iterator[str]:
    level, item, location = plan.names["lvl"], plan.names["item"], plan.names["loc"]
    for number in range(2 * plan.counts["item"]):
        bits = scatter(number ^ plan.salt)
        shelf = words.SHELVES[bits % len(words.SHELVES)] or ""
        # The two levels of an item are at adjacent locations.
        place = (scatter(number >> 1) + number) % plan.counts["loc"]
        yield (
            f"{level(number)}\t{item(number >> 1)}\t{location(place)}\t{shelf}\t{shelf or NULL}"
            f"\t{bits >> 8 & 1023}\t{bits >> 20 & 7}\t{bits >> 24 & 63}\t{bits >> 32 & 31}"
        )


def assets(plan: Plan) -> Iterator[str]:
    name, item, location = plan.names["ast"], plan.names["item"], plan.names["loc"]
    moment, statuses, people = plan.moments["ast"], AssetStatus.values, pools.people()
    sizes = pool("assets", 64, lambda random, _: document(pools.measures(random)))
    for number in range(plan.counts["ast"]):
        time, bits = moment(number), scatter(number + plan.salt)
        product = bits % plan.counts["item"]
        yield line(
            name(number),
            f"{words.ASSET_WORDS[bits % 7]} {number + 1}",
            statuses[(bits >> 8) % 24 % len(statuses)],
            f"SN{bits >> 30:09X}" if bits & 7 else "",
            f"SKU-{product:06}",
            f"{bits >> 16 & 0xFFFFFFFF:013}" if bits & 3 == 2 else NULL,
            f"{8400 + bits % 900}.{bits % 90 + 10}",
            item(product) if bits & 56 else NULL,
            location(bits % plan.counts["loc"]) if bits & 3 else NULL,
            cell(words.SHELVES[bits % len(words.SHELVES)]),
            people[bits >> 12 & 1023].name if bits & 5 else NULL,
            cell(words.VENDORS[bits % len(words.VENDORS)]),
            ("USD", "USD", "EUR", "CAD")[bits >> 3 & 3],
            f"{bits % 900_000 / 100:.2f}",
            "{}" if bits & 1 else f"{{https://images.example.com/assets/{number}.jpg}}",
            sizes[bits >> 6 & 63],
            "[]" if bits & 2 else f'[{{"name": "firmware", "value": "v1.{bits % 9}\\\\nbeta"}}]',
            stamp(time + 180 * _DAY_MS) if bits & 4 else NULL,
            stamp(time + 730 * _DAY_MS) if bits & 8 else NULL,
            plan.common(number, time, bits),
        )


def manifests(plan: Plan) -> Iterator[str]:
    name, location, moment = plan.names["man"], plan.names["loc"], plan.moments["man"]
    for number in range(plan.counts["man"]):
        time, bits = moment(number), scatter(number + plan.salt)
        arrived = time + bits % (5 * _DAY_MS)
        seal = {"id": f"cont_{number}", "type": "40ft", "seal": f"S{bits & 0xFFFF}"}
        yield line(
            name(number),
            ManifestStatus.values[bits % 7],
            location(bits % plan.counts["loc"]) if bits & 7 else NULL,
            document([seal] if bits & 1 else []),
            *(
                f"{code}-{number + 10_000}" if bits >> n & 3 else NULL
                for n, code in enumerate(("SO", "INV", "PO", "REF"))
            ),
            f"MSKU{bits % 10_000_000:07}" if bits & 1 else "",
            f"LOAD-{number}",
            array(words.HAZARDS[: bits % 4]),
            stamp(arrived) if bits & 3 else NULL,
            stamp(arrived + bits % _DAY_MS) if bits & 2 else NULL,
            plan.common(number, time, bits),
        )


def fulfillments(plan: Plan) -> Iterator[str]:
    name, contact, location = plan.names["ful"], plan.names["ctct"], plan.names["loc"]
    moment, statuses = plan.moments["ful"], FulfillmentStatus.values
    for number in range(plan.counts["ful"]):
        time, bits = moment(number), scatter(number + plan.salt)
        recipient = bits % plan.counts["ctct"]
        yield line(
            name(number),
            statuses[bits % 7],
            f"SO-{100_000 + number}",
            plan.party(recipient, f'"{contact(recipient)}"') if bits & 15 else NULL,
            location(bits % plan.counts["loc"]) if bits & 7 else NULL,
            plan.common(number, time, bits),
        )


def articles(plan: Plan) -> Iterator[str]:
    """Three articles for each fulfillment, then three for each manifest."""
    name, item = plan.names["art"], plan.names["item"]
    owners = (("ful", "{}\t\\N"), ("man", "\\N\t{}"))
    parents = (
        form.format(plan.names[prefix](number))
        for prefix, form in owners
        for number in range(plan.counts[prefix])
    )
    comments = pools.notes()
    titles = [cell(product) for product in words.PRODUCTS]
    for parent, owner in enumerate(parents):
        for number in range(3 * parent, 3 * parent + 3):
            bits = scatter(number + plan.salt)
            product, wanted = bits % plan.counts["item"], (bits >> 8 & 15) + 1
            yield (
                f"{name(number)}\t{owner}\t{item(product)}\t{wanted}\t{wanted}\t{wanted >> 1}"
                f"\t{wanted >> 2}\t{comments[bits % len(comments)]}\tSKU-{product:06}"
                f"\t{titles[bits & 15]}\t{bits % 99_999 / 100:.2f}"
            )
