"""Measures the lists of the admin with a million exports, webhook deliveries and orders.

    python -m benchmarks.admin [--rows 1000000] [--repeat 5]

Starts PostgreSQL and Valkey of its own, fills the tables in the database, and requests each list,
filter and search through Django's test client. Prints a table in Markdown.
"""

import argparse
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.data import servers
from benchmarks.measuring import machine

_GOAL_MILLISECONDS = 300
_ORGANIZATIONS = 200

# The share of each status: 90 % expired, 6 % completed, 3 % failed, the rest canceled and queued.
_EXPORTS = """
INSERT INTO exports_export (
    public_id, organization_id, organization_number, api_key_id, resource, request, spec, status,
    lane, created_at, completed_at, expires_at, records_count, processed_count, format, compression,
    error, claims, has_files, started_at
)
SELECT 'exp_' || substr(md5(n::text), 1, 26), organizations.ids[1 + n % {organizations}],
    n / {organizations}, keys.ids[1 + n % {organizations}],
    CASE WHEN n % 3 = 0 THEN 'shipment' ELSE 'contact' END,
    CASE WHEN n % 10 = 0
        THEN json_build_object('type', 'OrdersStandardExport', 'metadata',
            json_build_object('batch', 'run ' || n))
        ELSE json_build_object('resource', 'contact', 'metadata', json_build_object('user', n)) END,
    '{{}}', status, 'quick', moment, moment + interval '2 seconds',
    CASE WHEN status = 'completed' THEN now() + interval '1 day' ELSE moment + interval '1 day' END,
    1000, 1000, CASE WHEN n % 5000 = 0 THEN 'parquet' ELSE 'csv' END, 'gzip',
    CASE WHEN status = 'failed' THEN jsonb_build_object('error', 'too_many_records', 'message',
        'The export has ' || n || ' records; the limit is 1,000.') END,
    '{{}}', status = 'completed', moment
FROM generate_series(1, {rows}) AS n,
    LATERAL (SELECT now() - ({rows} - n) * interval '2.5 seconds' AS moment) AS moments,
    LATERAL (
        SELECT CASE WHEN n > {rows} - 5 THEN 'queued' WHEN n % 100 = 7 THEN 'canceled'
            WHEN n % 100 < 3 THEN 'failed' WHEN n % 100 < 9 THEN 'completed' ELSE 'expired' END
            AS status
    ) AS statuses,
    (SELECT array_agg(id ORDER BY id) AS ids FROM longshore_accounts_organization) AS organizations,
    (SELECT array_agg(id ORDER BY id) AS ids FROM longshore_accounts_apikey) AS keys
"""
_FILES = """
INSERT INTO exports_exportfile (export_id, name, storage_key, content_type, rows, bytes, sha256)
SELECT number, 'contacts-' || to_char(created_at, 'YYYYMMDD"T"HH24MISS"Z"') || '-'
        || right(public_id, 6) || '.csv.gz',
    public_id, 'application/gzip', 1000, 4096, md5(public_id)
FROM exports_export WHERE status IN ('completed', 'expired')
"""
_SEARCH = """
INSERT INTO exports_exportsearch (number, text)
SELECT number, lower(concat_ws(
    E'\\n', public_id, request ->> 'type', request ->> 'metadata', error ->> 'error',
    error ->> 'message'
))
FROM exports_export
"""
_TRIGRAM_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE indexname IN ('exportfile_name', 'exportsearch_text')
"""
_EVENTS = """
INSERT INTO webhooks_event
    (public_id, organization_id, type, resource, export_type, subject, data, created_at)
SELECT 'evt_' || substr(public_id, 5), organization_id,
    CASE WHEN number % 5000 = 0 THEN 'export.canceled' WHEN number % 50 = 0 THEN 'export.failed'
        ELSE 'export.created' END,
    resource, '', public_id, '{{}}', created_at
FROM exports_export
"""
_DELIVERIES = """
INSERT INTO webhooks_delivery
    (public_id, subscription_id, event_id, status, attempts_count, claim, created_at, completed_at)
SELECT 'dlv_' || substr(webhooks_event.public_id, 5), webhooks_subscription.number,
    webhooks_event.number, CASE WHEN webhooks_event.number % 50 = 0 THEN 'failed' ELSE 'delivered'
    END, 1, '', webhooks_event.created_at, webhooks_event.created_at
FROM webhooks_event JOIN webhooks_subscription USING (organization_id)
"""
# Failed deliveries: no response, 404 and 500 in turn. A redirect is rare.
_ATTEMPTS = """
INSERT INTO webhooks_attempt
    (delivery_id, started_at, milliseconds, status_code, error, response, response_headers)
SELECT number, created_at, 38,
    CASE WHEN status = 'delivered' THEN 204 WHEN number % 5000 = 0 THEN 302
        ELSE (ARRAY[NULL, 404, 500])[1 + number / 50 % 3] END,
    CASE WHEN status = 'delivered' THEN '' ELSE 'The target responded.' END, '', '[]'
FROM webhooks_delivery
"""
# As results are recorded.
_RESPONSES = """
UPDATE webhooks_delivery SET response_class = coalesce(status_code, 0) / 100
FROM webhooks_attempt WHERE delivery_id = number
"""
# Copies of one order.
_ORDERS = """
INSERT INTO {table} (id, organization_id, number, status, created_at, updated_at, {others})
SELECT 'ord_' || lpad(n::text, 26, '0'), organizations.ids[1 + n % {organizations}], n::text,
    CASE WHEN n % 5000 = 0 THEN 'draft' ELSE 'placed' END,
    now() - ({rows} - n) * interval '2.5 seconds', now(), {others}
FROM {table}, generate_series(1, {rows}) AS n,
    (SELECT array_agg(id ORDER BY id) AS ids FROM longshore_accounts_organization) AS organizations
"""


def fill(rows: int) -> None:
    from django.db import connection

    from longshore.accounts.models import ApiKey, Organization
    from longshore.domains.commerce.models import Order
    from webhooks.models import Subscription

    for number in range(_ORGANIZATIONS):
        organization = Organization.objects.create(name=f"Shop {number:03}", slug=f"shop-{number}")
        ApiKey.objects.create_key(organization=organization, name=f"Key {number:03}")
        Subscription.objects.create(
            organization=organization, target="https://example.com/", events=["*"], secret=""
        )
    tables = (
        *("exports_export", "exports_exportfile", "exports_exportsearch"),
        *("webhooks_event", "webhooks_delivery", "webhooks_attempt", Order._meta.db_table),
    )
    with connection.cursor() as cursor:
        # Building the trigram indexes at the end is faster than inserting into them.
        cursor.execute("ALTER TABLE exports_export DISABLE TRIGGER exports_export_search")
        cursor.execute(_TRIGRAM_INDEXES)
        definitions = dict(cursor.fetchall())
        for index in definitions:
            cursor.execute(f"DROP INDEX {index}")
        order = Order.objects.create(organization=organization, number="0")
        copied = {"id", "organization", "number", "status", "created_at", "updated_at"}
        columns = {
            "table": Order._meta.db_table,
            "others": ", ".join(
                field.column
                for field in Order._meta.concrete_fields
                if field.column and field.name not in copied and not field.generated
            ),
        }
        statements = (
            *(_EXPORTS, _FILES, _SEARCH),
            *(_EVENTS, _DELIVERIES, _ATTEMPTS, _RESPONSES),
            _ORDERS,
        )
        for statement in statements:
            cursor.execute(statement.format(rows=rows, organizations=_ORGANIZATIONS, **columns))
        order.delete()
        for definition in definitions.values():
            cursor.execute(definition)
        cursor.execute("ALTER TABLE exports_export ENABLE TRIGGER exports_export_search")
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")


def _last_page(client: Any, address: str) -> int:
    """Return the number of the last page of a list that has rows.

    The list counts by estimate: it may refuse pages that exist, and offer others.
    """
    found = client.get(address).context_data["cl"]
    pages: int = -(-found.queryset.count() // found.list_per_page)
    return min(pages, int(found.paginator.num_pages))


def pages(client: Any) -> Iterator[tuple[str, str]]:
    """Yield the name and the address of each page."""
    from exports.models import Export, ExportFile
    from longshore.accounts.models import ApiKey, Organization
    from webhooks.models import Delivery

    exports, deliveries = "/admin/exports/export/", "/admin/webhooks/delivery/"
    oldest, newest = Export.objects.order_by("number")[1000], Export.objects.latest("number")
    organization, key = Organization.objects.all()[7], ApiKey.objects.all()[7]
    file = ExportFile.objects.order_by("pk")[500]
    yield "exports", exports
    yield "exports, last page", f"{exports}?p={_last_page(client, exports)}"
    statuses = ("queued", "completed", "failed", "canceled", "expired", "timed_out", "processing")
    for status in statuses:
        yield f"exports, status {status}", f"{exports}?status__exact={status}"
    for title, query in {
        "resource": "resource=shipment",
        "unused resource": "resource=asset",
        "named type": "type=OrdersStandardExport",
        "unused named type": "type=DeliveriesReport",
        "rare format": "format=parquet",
        "unused format": "format=xlsx",
        "organization": f"organization__id__exact={organization.pk}",
        "key": f"api_key__id__exact={key.pk}",
        "oldest week": f"created_at_to={oldest.created_at:%F}",
        "yesterday": "created_at_from=2020-01-01",
        "failed, of an organization": (
            f"status__exact=failed&organization__id__exact={organization.pk}"
        ),
        "failed, oldest days": f"status__exact=failed&created_at_to={oldest.created_at:%F}",
    }.items():
        yield f"exports, {title}", f"{exports}?{query}"
    for title, text in {
        "whole id": oldest.public_id,
        "id in capitals": oldest.public_id.upper(),
        "middle of an id": oldest.public_id[9:19],
        "end of an id": oldest.public_id[-6:],
        "part of every id": "exp_",
        "number": "#1,234",
        "organization": "shop 017",
        "20 organizations": "shop",
        "API key": "key 017",
        "file name": file.name,
        "part of every file name": ".csv.gz",
        "metadata": "run 500050",
        "part of many metadata": "run",
        "error": f"has {oldest.number // 100 * 100 + 1} records",
        "part of every error": "too_many_records",
        "nothing": "no such text",
        "common and rare": "user",
    }.items():
        yield f"exports, search: {title}", f"{exports}?q={text.replace('#', '%23')}"
    yield "exports, search in failed ones", f"{exports}?q=records&status__exact=failed"
    yield "an export", f"{exports}{oldest.pk}/change/"
    yield "deliveries", deliveries
    yield "deliveries, last page", f"{deliveries}?p={_last_page(client, deliveries)}"
    delivery = Delivery.objects.order_by("pk")[1000]
    first_day = f"{oldest.created_at:%F}"
    of_delivery = f"subscription__organization__id__exact={organization.pk}"
    for title, query in {
        "failed": "status__exact=failed",
        "failed, of an organization": f"status__exact=failed&{of_delivery}",
        "usual type": "type=export.created",
        "rare type": "type=export.canceled",
        "unused type": "type=webhook.disabled",
        "unused type, of an organization": f"type=webhook.disabled&{of_delivery}",
        "response 2xx": "response=2",
        "response 3xx": "response=3",
        "response 4xx": "response=4",
        "no response": "response=0",
        "response 3xx, of an organization": f"response=3&{of_delivery}",
        "oldest days": f"event__created_at_to_0={first_day}",
        "all days": "event__created_at_from_0=2020-01-01",
        "organization": of_delivery,
        "webhook": f"subscription__number__exact={delivery.subscription_id}",
        "search: id": f"q={delivery.public_id}",
        "search: part of every id": "q=dlv_",
        "search: part of every event": "q=evt_",
        "search: job": f"q={oldest.public_id}",
        "search: nothing": "q=nothing",
    }.items():
        yield f"deliveries, {title}", f"{deliveries}?{query}"
    yield "a delivery", f"{deliveries}{delivery.pk}/change/"
    subscriptions = "/admin/webhooks/subscription/"
    yield "webhooks", subscriptions
    yield "webhooks, failing", f"{subscriptions}?state=failing"
    yield "a webhook", f"{subscriptions}{delivery.subscription_id}/change/"
    events = "/admin/webhooks/event/"
    yield "events", events
    for title, query in {
        "rare type": "type=export.canceled",
        "unused type": "type=webhook.disabled",
        "organization": f"organization__id__exact={organization.pk}",
        "oldest days": f"created_at_to={first_day}",
        "search: job": f"q={oldest.public_id}",
    }.items():
        yield f"events, {title}", f"{events}?{query}"
    orders = "/admin/longshore_commerce/order/"
    yield "orders", orders
    for title, query in {
        "organization": f"organization__id__exact={organization.pk}",
        "rare status, of an organization": (
            f"status__exact=draft&organization__id__exact={organization.pk}"
        ),
        "unused status, of an organization": (
            f"status__exact=canceled&organization__id__exact={organization.pk}"
        ),
        "oldest days": f"created_at_to_0={first_day}",
        "newest days": f"created_at_from_0={newest.created_at:%F}",
        "oldest days, of an organization": (
            f"created_at_to_0={first_day}&organization__id__exact={organization.pk}"
        ),
    }.items():
        yield f"orders, {title}", f"{orders}?{query}"


def measure(repeat: int) -> None:
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("benchmark"))
    print("| page | median | slowest | queries | of it in SQL | of it in Python |")
    print("|---|--:|--:|--:|--:|--:|")
    client.get("/admin/")  # Not counted: compiles templates.
    for title, address in pages(client):
        found = []
        for _ in range(repeat):
            spent: list[float] = []
            with connection.execute_wrapper(partial(_timed, spent)):
                started, started_cpu = time.perf_counter(), time.process_time()
                response = client.get(address)
                cpu = time.process_time() - started_cpu
                found.append((time.perf_counter() - started, sum(spent), cpu, len(spent)))
            if response.status_code != 200:
                raise SystemExit(f"{address}: {response.status_code}")
        seconds, sql, cpu, queries = sorted(found)[len(found) // 2]
        mark = " (goal missed)" if 1000 * seconds > _GOAL_MILLISECONDS else ""
        print(
            f"| {title} | {1000 * seconds:.0f} ms{mark} | {1000 * max(found)[0]:.0f} ms "
            f"| {queries} | {1000 * sql:.0f} ms | {1000 * cpu:.0f} ms |",
            flush=True,
        )


def _timed(spent: list[float], execute: Any, *arguments: Any) -> Any:
    started = time.perf_counter()
    try:
        return execute(*arguments)
    finally:
        spent.append(time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print(f"\n{machine()}\n")
    with servers():
        from django.test import override_settings

        fill(options.rows)
        # Links to static files need no manifest.
        plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        with override_settings(STORAGES={"longshore": {}, "staticfiles": plain}):
            measure(options.repeat)


if __name__ == "__main__":
    main()
