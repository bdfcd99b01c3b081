"""Orders of the benchmark's organization with related records, which the database generates."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from benchmarks.data import ORGANIZATION

if TYPE_CHECKING:
    from longshore.domains.commerce.models.base import Record

LINES, OPTIONS, TRANSACTIONS = 3, 2, 2
_ORDERS_OF_A_CUSTOMER = 4

# By model: the source of the rows, and SQL of their columns other than defaults. `n` is the number
# of the order (for customers: of the customer), `m` the number of the part of an order.
_COMMON = {
    "created_at": "timestamptz '2024-01-01Z' + n * interval '37 seconds'",
    "updated_at": "timestamptz '2024-02-01Z' + n * interval '37.123456 seconds'",
    "reference": "'R-' || n",
    "metadata": """jsonb_build_object('batch', n % 100, 'note', 'ring twice')""",
}
_CUSTOMER = "'cus_' || lpad(({} % {{customers}})::text, 22, '0')"
_ORDER, _LINE = "'ord_' || lpad(n::text, 22, '0')", "'lin_' || lpad((n * 10 + {})::text, 22, '0')"
_ADDRESS = "'adr_' || lpad((n * 10 + {})::text, 22, '0')"
_NAMES = {
    "first_name": "(ARRAY['Anna', 'Björn', 'Chloé', 'Dmitri', '恵子'])[1 + n % 5]",
    "last_name": "(ARRAY['Meyer', 'O''Neill', 'Nowak', 'de la Cruz'])[1 + n % 4]",
}
_CURRENCY = {"currency_code": "(ARRAY['USD', 'EUR', 'GBP', 'JPY', 'CHF'])[1 + n % 5]"}
_ROWS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Customer": (
        "generate_series(0, {customers} - 1) AS n",
        {
            "id": _CUSTOMER.format("n"),
            "email": "'customer' || n || '@example.com'",
            **_NAMES,
            "phone_number": "'+1415555' || lpad((n % 10000)::text, 4, '0')",
            "language_code": "'en'",
            "orders_count": str(_ORDERS_OF_A_CUSTOMER),
            "total_spent_amount_cents": "n * 97 % 1000000",
            "joined_at": _COMMON["created_at"],
            **_CURRENCY,
        },
    ),
    "Address": (
        "generate_series(1, {orders}) AS n, generate_series(1, 2) AS m",
        {
            "id": _ADDRESS.format("m"),
            **_NAMES,
            "line_1": "(n % 900 + 1) || ' Harbour Street'",
            "line_2": "'Floor ' || n % 30",
            "city": "(ARRAY['Rotterdam', 'Valparaíso', 'Köln', 'Oakland'])[1 + n % 4]",
            "zip_code": "lpad((n % 100000)::text, 5, '0')",
            "state_code": "'CA'",
            "country_code": "(ARRAY['NL', 'CL', 'DE', 'US'])[1 + n % 4]",
            "phone": "'+1415555' || lpad((n % 10000)::text, 4, '0')",
            "lat": "n % 90 + 0.123456",
            "lng": "n % 180 + 0.654321",
        },
    ),
    "Order": (
        "generate_series(1, {orders}) AS n",
        {
            "id": _ORDER,
            "number": "'1' || lpad(n::text, 8, '0')",
            "status": "'approved'",
            "payment_status": "'paid'",
            "source": "'web'",
            # Scattered, so that neighboring rows are unrelated.
            "customer_id": _CUSTOMER.format("n::bigint * 7919"),
            "customer_email": "'customer' || n::bigint * 7919 % {customers} || '@example.com'",
            "language_code": "'en'",
            "ip_address": "'203.0.113.' || n % 256",
            "shipping_address_id": _ADDRESS.format("1"),
            "billing_address_id": _ADDRESS.format("2"),
            "country_code": "(ARRAY['NL', 'CL', 'DE', 'US'])[1 + n % 4]",
            **_CURRENCY,
            "tax_rate": "0.2",
            "skus_count": str(LINES),
            "subtotal_amount_cents": "n * 97 % 1000000 + 20",
            "shipping_amount_cents": "495",
            "total_tax_amount_cents": "n * 97 % 1000000 / 5",
            "total_taxable_amount_cents": "n * 97 % 1000000 + 20",
            "total_amount_cents": "n * 97 % 1000000 + 20",
            "total_amount_with_taxes_cents": "n * 97 % 1000000 + 20 + n * 97 % 1000000 / 5",
            "total_cost_amount_cents": "n * 97 % 1000000 / 2",
            "attribution": """jsonb_build_object('utm_source', 'newsletter', 'utm_medium', 'email',
                'utm_campaign', 'winter ' || n % 12)""",
            "placed_at": _COMMON["created_at"],
            "approved_at": _COMMON["updated_at"],
            "payment_updated_at": _COMMON["updated_at"],
        },
    ),
    "LineItem": (
        f"generate_series(1, {{orders}}) AS n, generate_series(1, {LINES}) AS m",
        {
            "id": _LINE.format("m"),
            "order_id": _ORDER,
            "sku_code": "'SKU-' || lpad((n % 5000)::text, 6, '0')",
            "name": "'Signal lamp, brass, ' || n % 5000",
            "image_url": "'https://images.example.com/' || n % 5000 || '.jpg'",
            "product_id": "'prod_' || n % 1250",
            "product_title": "'Signal lamp'",
            "variant_title": "'brass'",
            "unit_amount_cents": "n * 31 % 50000",
            "unit_cost_amount_cents": "n * 31 % 50000 / 2",
            "total_amount_cents": "n * 31 % 50000",
            "tax_amount_cents": "n * 31 % 50000 / 5",
            "tax_rate": "0.2",
            **_CURRENCY,
        },
    ),
    "LineItemOption": (
        f"""generate_series(1, {{orders}}) AS n, generate_series(1, {LINES}) AS m,
            generate_series(1, {OPTIONS}) AS option""",
        {
            "id": "'liop_' || lpad((n * 100 + m * 10 + option)::text, 22, '0')",
            "line_item_id": _LINE.format("m"),
            "name": "(ARRAY['Engraving', 'Gift wrap'])[option]",
            "unit_amount_cents": "n % 500",
            "total_amount_cents": "n % 500",
            "options": "jsonb_build_object('text', 'With love, ' || n)",
            **_CURRENCY,
        },
    ),
    "Transaction": (
        f"generate_series(1, {{orders}}) AS n, generate_series(1, {TRANSACTIONS}) AS m",
        {
            "id": "'txn_' || lpad((n * 10 + m)::text, 22, '0')",
            "number": "'T-' || n || '-' || m",
            "kind": "(ARRAY['authorization', 'capture'])[m]",
            "order_id": _ORDER,
            "customer_id": _CUSTOMER.format("n::bigint * 7919"),
            "amount_cents": "n * 97 % 1000000 + 20",
            "succeeded": "true",
            "message": "'Approved'",
            "token": "md5(n || '-' || m)",
            "gateway_transaction_id": "md5(m || '-' || n)",
            "payment_details": """jsonb_build_object('gateway', 'example', 'bankcard_first_six',
                '424242', 'bankcard_last_four', lpad((n % 10000)::text, 4, '0'))""",
            **_CURRENCY,
        },
    ),
}


def fill_orders(orders: int) -> None:
    """Create orders with a customer, two addresses, lines with options, and transactions each."""
    from django.db import connection

    from longshore.accounts.models import Organization
    from longshore.domains.commerce import models

    ours, _ = Organization.objects.get_or_create(slug=ORGANIZATION, name=ORGANIZATION)
    counts = {"orders": orders, "customers": -(-orders // _ORDERS_OF_A_CUSTOMER)}
    with connection.cursor() as cursor:
        for name, (source, given) in _ROWS.items():
            model: type[Record] = getattr(models, name)
            given = {**_COMMON, **given, "organization_id": f"'{ours.pk}'"}
            cells = _defaults(model)
            cells |= {column: cell.format(**counts) for column, cell in given.items()}
            table, columns, values = model._meta.db_table, ", ".join(cells), cells.values()
            cursor.execute(
                f"INSERT INTO {table} ({columns}) SELECT {', '.join(values)}"  # noqa: S608
                f" FROM {source.format(**counts)}"
            )
            cursor.execute(f"VACUUM (FREEZE, ANALYZE) {table}")


def _defaults(model: "type[Record]") -> dict[str, str]:
    """Return SQL of the default of each column of a model."""
    from django.db import connection
    from psycopg import sql

    from longshore.resources.columns import column_name

    return {
        column_name(field): sql.Literal(
            field.get_db_prep_save(field.get_default(), connection)
        ).as_string(None)
        for field in model._meta.concrete_fields
        if not field.generated
    }
