"""Several ways to write orders to JSON with their related records nested.

Each function takes a number of orders and returns the size of the file in bytes.
"""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from django.conf import settings
from django.db.models import QuerySet
from django.test import override_settings
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer

from benchmarks.contenders import copied, exported
from benchmarks.data import ORGANIZATION
from benchmarks.names import (
    NESTED,
    PREFETCHED,
    SERVER,
    STATEMENTS,
    STATEMENTS_OF_ONE,
    STORED,
)
from exports.reading import copy_reader
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.commerce import models as commerce
from longshore.resources.registry import Resource, registry

INCLUDES = (
    *("customer", "shipping_address", "billing_address"),
    *("line_items.line_item_options", "transactions"),
)
_CHUNK = 2000


def body(orders: int, **changes: Any) -> dict[str, Any]:
    """Return the request. It has a limit only if the table has more orders."""
    total = commerce.Order.objects.filter(organization__slug=ORGANIZATION).count()
    return {
        "resource": "order",
        "format": "json",
        "compression": "gzip",
        "options": {} if orders >= total else {"limit": orders},
        "includes": list(INCLUDES),
        **changes,
    }


def server_copy(orders: int) -> int:
    return copied(body(orders))


def longshore(orders: int) -> int:
    return exported(body(orders), orders)


def stored(orders: int) -> int:
    """Return the fields that the serializers write, without computed columns."""
    fields = [
        ".".join([*filter(None, [path]), name])
        for path, resource in _resources()
        for name, column in resource.columns_by_name.items()
        if column.field
    ]
    return exported(body(orders, includes=None, fields=fields), orders)


def _resources() -> Iterator[tuple[str, Resource]]:
    """Yield the resources of an order by their path."""
    order = registry.get("order")
    if order is None:
        raise LookupError("order")
    yield "", order
    for path in ("line_items", *INCLUDES):
        resource = order
        for step in path.split("."):
            _, related = resource.related(step)
            if related is None:
                raise LookupError(path)
            resource = related
        yield path, resource


def statements(orders: int) -> int:
    """Return the number of statements of an export."""
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            return function(*args, **named)

        return call

    organization = Organization.objects.get(slug=ORGANIZATION)
    stream = ExportStream(parse_export(body(orders)), organization.pk)
    with (
        patch("psycopg.Cursor.execute", counted(psycopg.Cursor.execute)),
        patch.object(copy_reader._Server, "send", counted(copy_reader._Server.send)),
    ):
        for _ in stream:
            pass
    if stream.rows != orders:
        raise SystemExit(f"{stream.rows} rows instead of {orders}")
    return count


def statements_of_one_connection(orders: int) -> int:
    with override_settings(EXPORT_CONNECTIONS=1):
        return statements(orders)


def _serializer(
    record: type[Any], **nested: serializers.BaseSerializer[Any]
) -> type[serializers.ModelSerializer[Any]]:
    """Return a serializer of the stored fields of a model, without computed columns."""
    names = [field.name for field in record._meta.concrete_fields if not field.generated]
    meta = type("Meta", (), {"model": record, "fields": [*dict.fromkeys([*names, *nested])]})
    return type(
        f"{record.__name__}Serializer", (serializers.ModelSerializer,), {"Meta": meta, **nested}
    )


_LINE_ITEM = _serializer(
    commerce.LineItem, line_item_options=_serializer(commerce.LineItemOption)(many=True)
)
OrderSerializer = _serializer(
    commerce.Order,
    customer=_serializer(commerce.Customer)(),
    shipping_address=_serializer(commerce.Address)(),
    billing_address=_serializer(commerce.Address)(),
    line_items=_LINE_ITEM(many=True),
    transactions=_serializer(commerce.Transaction)(many=True),
)


def prefetched(orders: int) -> "QuerySet[commerce.Order]":
    return (
        commerce.Order.objects.filter(organization__slug=ORGANIZATION)
        .select_related("customer", "shipping_address", "billing_address")
        .prefetch_related("line_items__line_item_options", "transactions")
        .order_by()[:orders]
    )


def serializer_loop(orders: int) -> int:
    """`prefetch_related` and nested serializers of REST framework for each order."""
    path = Path(settings.LOCAL_DIR) / "loop.json.gz"
    renderer = JSONRenderer()
    with gzip.open(path, "wb", compresslevel=6) as file:
        before = b"["
        for order in prefetched(orders).iterator(chunk_size=_CHUNK):
            file.write(before + renderer.render(OrderSerializer(order).data))
            before = b",\n"
        file.write(b"]")
    return path.stat().st_size


# The last two return a number of statements.
CONTENDERS: dict[str, Callable[[int], int]] = {
    SERVER: server_copy,
    NESTED: longshore,
    STORED: stored,
    PREFETCHED: serializer_loop,
    STATEMENTS: statements,
    STATEMENTS_OF_ONE: statements_of_one_connection,
}
