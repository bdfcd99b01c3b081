"""Rows of markets, catalog, prices, stock and promotions."""

from collections.abc import Iterator

from longshore.domains.commerce.demo.plan import (
    LOCATIONS,
    METHODS,
    OPTIONS,
    PAYMENTS,
    PLACES,
    Plan,
    people,
)
from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, cell, document
from longshore.domains.demo.chance import scatter
from longshore.domains.demo.clock import stamp

COMMON = "organization_id reference reference_origin metadata created_at updated_at"
TAG = f"id name {COMMON}"
PRICE_LIST = f"id name code currency_code tax_included {COMMON}"
MARKET = f"id name code price_list_id disabled_at {COMMON}"
SHIPPING_CATEGORY = f"id name code {COMMON}"
STOCK_LOCATION = f"id name code address_id label_format suppress_etd {COMMON}"
SHIPPING_METHOD = f"""id name code scheme currency_code price_amount_cents free_over_amount_cents
    market_id shipping_category_id stock_location_id disabled_at {COMMON}"""
PAYMENT_METHOD = f"""id name payment_source_type currency_code price_amount_cents moto
    require_capture market_id order_id disabled_at {COMMON}"""
SKU_OPTION = f"""id name description currency_code price_amount_cents delay_hours sku_code_regex
    market_id {COMMON}"""
SKU = f"""id code name description image_url product_id product_title variant_title pieces_per_pack
    weight unit_of_weight hs_tariff_number do_not_ship do_not_track shipping_category_id {COMMON}"""
TAX_CATEGORY = f"id code sku_id sku_code tax_calculator {COMMON}"
PRICE = f"""id sku_id price_list_id sku_code currency_code amount_cents compare_at_amount_cents
    {COMMON}"""
PRICE_TIER = f"id price_id name type up_to currency_code price_amount_cents {COMMON}"
STOCK_ITEM = f"id sku_id stock_location_id sku_code quantity {COMMON}"
STOCK_TRANSFER = f"""id number status sku_id sku_code quantity origin_stock_location_id
    destination_stock_location_id on_hold_at picking_at in_transit_at completed_at cancelled_at
    {COMMON}"""
SKU_LIST = f"id name slug description image_url manual sku_code_regex {COMMON}"
SKU_LIST_ITEM = f"id sku_list_id sku_id sku_code position quantity {COMMON}"
BUNDLE = f"""id code name description image_url currency_code price_amount_cents
    compare_at_amount_cents skus_count market_id sku_list_id {COMMON}"""
PROMOTION = f"""id name type percentage currency_code fixed_amount_cents market_id priority
    exclusive total_usage_limit total_usage_count starts_at expires_at disabled_at {COMMON}"""
PROMOTION_RULE = f"id promotion_id type currency_code order_amount_cents sku_list_id {COMMON}"
COUPON = f"""id code promotion_rule_id customer_single_use usage_limit usage_count recipient_email
    expires_at {COMMON}"""

_DAY_MS = 86_400_000


def rows(plan: Plan, prefix: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield number, pseudo-random bits, id and the columns of `Record` of each record."""
    name, moment = plan.names[prefix], plan.moments[prefix]
    for number in range(plan.counts[prefix]):
        bits = scatter(number + plan.salt)
        yield number, bits, name(number), plan.common(number, moment(number), bits)


def tags(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "tag"):
        yield f"{key}\t{cell(words.TAGS[number])}\t{common}"


def price_lists(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "plst"):
        place = PLACES[number]
        yield (
            f"{key}\t{place.name}: {place.currency}\t{place.code}\t{place.currency}"
            f"\t{cell(place.tax_included)}\t{common}"
        )


def markets(plan: Plan) -> Iterator[str]:
    """The metadata of the first market stores the size of the demo data."""
    for number, bits, key, common in rows(plan, "mkt"):
        place, moment = PLACES[number], plan.moments["mkt"](number)
        if number == 0:
            mark = document({"demo_orders": plan.orders})
            made = stamp(moment)
            common = f"{plan.organization}\tEXT-0\tlegacy\t{mark}\t{made}\t{made}"
        disabled = stamp(moment + bits % _DAY_MS) if number > 1 else NULL
        price_list = plan.names["plst"](number)
        yield f"{key}\t{place.name}\t{place.code}\t{price_list}\t{disabled}\t{common}"


def shipping_categories(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "scat"):
        name = ("Merchandise", "Oversized", "Dangerous, by road only")[number]
        yield f"{key}\t{name}\t{name[:4].lower()}\t{common}"


def stock_locations(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "sloc"):
        site, address = words.SITES[number % len(words.SITES)], plan.names["adr"](number)
        yield (
            f"{key}\t{cell(site)} {number + 1}\tloc{number + 1}\t{address}"
            f"\t{('PDF', 'ZPL', 'PNG', NULL)[number % 4]}\t{'ft'[number % 2]}\t{common}"
        )


def shipping_methods(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "smth"):
        market, kind = divmod(number, len(METHODS))
        place = PLACES[market]
        yield (
            f"{key}\t{METHODS[kind].title()}\t{METHODS[kind]}"
            f"\t{('flat', 'weight_tiered', 'external')[(market + kind) % 3]}\t{place.currency}"
            f"\t{place.shipping[kind]}\t{place.rate * 100 if kind == 1 else NULL}"
            f"\t{plan.names['mkt'](market)}"
            f"\t{plan.names['scat'](kind)}\t{plan.names['sloc'](bits % LOCATIONS)}"
            f"\t{stamp(plan.moments['smth'](number)) if number > 9 else NULL}\t{common}"
        )


def payment_methods(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "pmth"):
        market, kind = divmod(number, len(PAYMENTS))
        # The last two methods are for one order only.
        limited = plan.names["ord"](number % plan.orders) if number > 9 else NULL
        yield (
            f"{key}\t{PAYMENTS[kind]}\t{('credit_cards', 'wallets', 'wire_transfers')[kind]}"
            f"\t{PLACES[market].currency}\t{PLACES[market].fee(kind)}"
            f"\t{'ft'[kind == 2]}\t{'ft'[kind != 2]}\t{plan.names['mkt'](market)}"
            f"\t{limited}\t{stamp(plan.moments['pmth'](number)) if number > 8 else NULL}"
            f"\t{common}"
        )


def sku_options(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "sopt"):
        market, kind = divmod(number, len(OPTIONS))
        place = PLACES[market]
        yield (
            f"{key}\t{OPTIONS[kind]}\t{cell(words.NOTES[number % len(words.NOTES)])}"
            f"\t{place.currency}\t{500 * place.rate // 100}\t{kind * 24}"
            f"\t{f'^SKU-00{kind}' if kind else NULL}\t{plan.names['mkt'](market)}\t{common}"
        )


def sku_name(number: int) -> str:
    return cell(words.PRODUCTS[number % len(words.PRODUCTS)])


def skus(plan: Plan) -> Iterator[str]:
    colors = [cell(color or None) for color in words.COLORS]
    for number, bits, key, common in rows(plan, "sku"):
        product = number // 4
        yield (
            f"{key}\tSKU-{number:06}\t{sku_name(number)}"
            f"\t{cell(words.NOTES[bits % len(words.NOTES)])}"
            f"\thttps://images.example.com/{number}.jpg\tprod_{product}\t{sku_name(product)}"
            f"\t{colors[bits % len(colors)]}\t{1 + bits % 3}"
            f"\t{bits % 5000 / 10 if bits & 15 else NULL}\t{('gr', 'oz', 'lb', NULL)[bits & 3]}"
            f"\t{8400 + bits % 900}.{bits % 90 + 10}\t{'ft'[bits & 31 == 0]}"
            f"\t{'ft'[bits & 63 == 0]}"
            f"\t{plan.names['scat'](bits % 3)}\t{common}"
        )


def tax_categories(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "tcat"):
        yield (
            f"{key}\tTX{bits % 9:03}\t{plan.names['sku'](number)}\tSKU-{number:06}"
            f"\t{('manual', 'external', NULL)[number % 3]}\t{common}"
        )


def prices(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "prc"):
        sku, place = divmod(number, len(PLACES))
        amount = plan.price(sku, place)
        yield (
            f"{key}\t{plan.names['sku'](sku)}\t{plan.names['plst'](place)}\tSKU-{sku:06}"
            f"\t{PLACES[place].currency}\t{amount}\t{amount * 5 // 4 if bits & 3 else NULL}"
            f"\t{common}"
        )


def price_tiers(plan: Plan) -> Iterator[str]:
    """Two tiers for each price of every fourth SKU."""
    for number, _, key, common in rows(plan, "tier"):
        price, second = divmod(number, 2)
        group, place = divmod(price, len(PLACES))
        amount = plan.price(4 * group, place) * (8 if second else 9) // 10
        up_to = (10, 24)[group & 1]
        yield (
            f"{key}\t{plan.names['prc'](4 * group * len(PLACES) + place)}"
            f"\t{'more' if second else f'up to {up_to}'}\t{('volume', 'frequency')[group & 1]}"
            f"\t{NULL if second else up_to}"
            f"\t{PLACES[place].currency}\t{amount}\t{common}"
        )


def stock_items(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "sitm"):
        sku, location = divmod(number, LOCATIONS)
        yield (
            f"{key}\t{plan.names['sku'](sku)}\t{plan.names['sloc'](location)}\tSKU-{sku:06}"
            f"\t{bits % 1000 if bits & 7 else 0}\t{common}"
        )


_TRANSFERS = ("draft", "upcoming", "on_hold", "picking", "in_transit", "completed", "cancelled")


def stock_transfers(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "strf"):
        time, status = plan.moments["strf"](number), _TRANSFERS[number % 7]
        sku, origin = bits % plan.counts["sku"], bits >> 20 & 3
        passed = {"picking": 1, "in_transit": 2, "completed": 3}.get(status, 0)
        times = [stamp(time + day * _DAY_MS) if day <= passed else NULL for day in (1, 2, 3)]
        yield (
            f"{key}\tT{number}\t{status}\t{plan.names['sku'](sku)}\tSKU-{sku:06}\t{1 + bits % 50}"
            f"\t{plan.names['sloc'](origin)}\t{plan.names['sloc']((origin + 1) % LOCATIONS)}"
            f"\t{stamp(time + _DAY_MS) if status == 'on_hold' else NULL}\t{times[0]}\t{times[1]}"
            f"\t{times[2]}\t{stamp(time + _DAY_MS) if status == 'cancelled' else NULL}\t{common}"
        )


def sku_lists(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "slst"):
        title = cell(words.DEPARTMENTS[number % len(words.DEPARTMENTS)])
        yield (
            f"{key}\t{title} {number + 1}\tlist-{number + 1}"
            f"\t{cell(words.NOTES[bits % len(words.NOTES)])}"
            f"\t{NULL if number % 3 else f'https://images.example.com/lists/{number}.jpg'}"
            f"\t{'tf'[number % 2]}\t{f'^SKU-00{number % 10}' if number % 2 else NULL}\t{common}"
        )


def sku_list_items(plan: Plan) -> Iterator[str]:
    """Five consecutive SKUs in each list."""
    for number, bits, key, common in rows(plan, "slit"):
        owner, place = divmod(number, 5)
        sku = number % plan.counts["sku"]
        yield (
            f"{key}\t{plan.names['slst'](owner)}\t{plan.names['sku'](sku)}\tSKU-{sku:06}"
            f"\t{place}\t{1 + (bits & 1)}\t{common}"
        )


def bundles(plan: Plan) -> Iterator[str]:
    """One bundle for each list, with a discount of 10%."""
    for number, _, key, common in rows(plan, "bun"):
        place, items = number % len(PLACES), range(5 * number, 5 * number + 5)
        whole = sum(
            plan.price(item % plan.counts["sku"], place) * (1 + (scatter(item + plan.salt) & 1))
            for item in items
        )
        pieces = sum(1 + (scatter(item + plan.salt) & 1) for item in items)
        yield (
            f"{key}\tBUNDLE-{number:04}\tBundle {number + 1}\t{pieces} pieces, 10% off"
            f"\thttps://images.example.com/bundles/{number}.jpg"
            f"\t{PLACES[place].currency}\t{whole * 9 // 10}\t{whole}\t{pieces}"
            f"\t{plan.names['mkt'](place)}\t{plan.names['slst'](number)}\t{common}"
        )


def promotions(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "promo"):
        time, kind = plan.moments["promo"](number), number % 3
        place = PLACES[number % len(PLACES)]
        yield (
            f"{key}\tPromotion {number + 1}"
            f"\t{('percentage', 'fixed_amount', 'free_shipping')[kind]}"
            f"\t{10 + 5 * number if kind == 0 else NULL}\t{place.currency}"
            f"\t{500 * number if kind == 1 else NULL}"
            f"\t{plan.names['mkt'](number % len(PLACES)) if kind else NULL}\t{number}"
            f"\t{'ft'[number == 0]}\t{NULL if kind else 1000 + 100 * number}\t{number * 7}"
            f"\t{stamp(time)}\t{stamp(time + 90 * _DAY_MS)}"
            f"\t{stamp(time + _DAY_MS) if kind == 2 else NULL}\t{common}"
        )


def promotion_rules(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "prul"):
        kind = number % 3
        yield (
            f"{key}\t{plan.names['promo'](number)}"
            f"\t{('coupon_codes', 'order_amount', 'sku_list')[kind]}\t{PLACES[number % 4].currency}"
            f"\t{5000 * number if kind == 1 else NULL}"
            f"\t{plan.names['slst'](number % plan.counts['slst']) if kind == 2 else NULL}"
            f"\t{common}"
        )


def coupons(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "cpn"):
        email = people()[bits & 1023].email
        yield (
            f"{key}\tSAVE{number:05}\t{plan.names['prul'](number % plan.counts['prul'])}"
            f"\t{'ft'[bits & 1]}\t{NULL if bits & 2 else (100, 500)[bits >> 2 & 1]}"
            f"\t{bits >> 4 & 63}\t{NULL if bits & 12 else str(number).join(email)}"
            f"\t{stamp(plan.moments['cpn'](number) + 90 * _DAY_MS)}\t{common}"
        )
