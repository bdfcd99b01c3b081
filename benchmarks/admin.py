"""Measures the pages of the admin with a million rows of each kind that grows.

    python -m benchmarks.admin [--rows 1000000] [--repeat 5]

Starts PostgreSQL and Valkey of its own, fills the tables in the database, and requests each list,
filter and search through Django's test client. Prints a table in Markdown.
"""

import argparse
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.admin_data import fill
from benchmarks.data import servers
from benchmarks.measuring import machine

_GOAL_MILLISECONDS = 300


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
    yield from _batch_pages(client)
    yield from _access_pages(client, first_day)


def _batch_pages(client: Any) -> Iterator[tuple[str, str]]:
    from batches.models import Batch, BatchError

    batches, errors = "/admin/batches/batch/", "/admin/batches/batcherror/"
    oldest = Batch.objects.order_by("number")[1000]
    of_one = f"{errors}?batch={BatchError.objects.values_list('batch', flat=True)[0]}"
    yield "home", "/admin/"
    yield "batches", batches
    yield "batches, last page", f"{batches}?p={_last_page(client, batches)}"
    for title, query in {
        "failed": "status__exact=failed",
        "format": "format=csv",
        "unused format": "format=parquet",
        "action": "action__exact=merge",
        "oldest days": f"created_at_to={oldest.created_at:%F}",
        "search: id": f"q={oldest.public_id}",
        "search: file name": f"q={oldest.input_name}",
        "search: resource": "q=contact",
        "search: person": "q=person-7",
    }.items():
        yield f"batches, {title}", f"{batches}?{query}"
    yield "a batch", f"{batches}{oldest.pk}/change/"
    yield "errors of a batch", of_one
    yield "errors of a batch, last page", f"{of_one}&p={_last_page(client, of_one)}"


def _access_pages(client: Any, first_day: str) -> Iterator[tuple[str, str]]:
    from django.contrib.auth.models import User

    from longshore.accounts.models import ApiKey, AuditEntry, Organization

    entries = "/admin/longshore_accounts/auditentry/"
    entry = AuditEntry.objects.order_by("pk")[1000]
    yield "audit log", entries
    yield "audit log, last page", f"{entries}?p={_last_page(client, entries)}"
    for title, query in {
        "person": "person=person-7",
        "rare action": "action=expire_job",
        "unused action": "action=sign_in_locked",
        "organization": f"organization__id__exact={entry.organization_id}",
        "oldest days": f"created_at_to_0={first_day}",
        "search: id": f"q={entry.subject}",
        "search: part of every id": "q=exp_",
        "search: nothing": "q=nothing",
    }.items():
        yield f"audit log, {title}", f"{entries}?{query}"
    for name, records in {
        "organization": Organization.objects.all(),
        "API key": ApiKey.objects.all(),
        "user": User.objects.filter(is_superuser=False),
    }.items():
        record: Any = records[7]
        options = record._meta
        address = f"/admin/{options.app_label}/{options.model_name}/"
        yield f"{name}s", address
        yield f"one {name}", f"{address}{record.pk}/change/"


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
