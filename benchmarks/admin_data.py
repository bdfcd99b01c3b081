"""The rows of the benchmark of the admin, which PostgreSQL generates."""

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
WHERE indexname IN ('exportfile_name', 'exportsearch_text', 'batchsearch_text')
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


_BATCHES = """
INSERT INTO batches_batch (
    public_id, organization_id, organization_number, api_key_id, resource, request, spec, status,
    lane, created_at, completed_at, expires_at, records_count, processed_count, error, claims,
    action, mode, via, dry_run, phases, created_count, updated_count, unchanged_count,
    deleted_count, failed_count, input_name, input_bytes, input_sha256, detected, warnings, reason,
    is_draft
)
SELECT 'batch_' || substr(public_id, 5), organization_id, organization_number, api_key_id,
    'contact', json_build_object('resource', 'contact', 'metadata', request -> 'metadata'),
    '{{}}', status, lane, created_at, completed_at, expires_at, records_count, processed_count,
    error, claims, 'merge', 'async', 'file', number % 10 = 0, '[]', 900, 90, 0, 0, 10,
    'people-' || number || '.csv', 4096, md5(public_id), '{{"format": "csv"}}', '[]', '', false
FROM exports_export ORDER BY number
"""
_BATCH_SEARCH = """
INSERT INTO batches_batchsearch (number, text)
SELECT number, lower(concat_ws(
    E'\\n', public_id, request ->> 'metadata', error ->> 'error', error ->> 'message', input_name
))
FROM batches_batch
"""
# Of one batch.
_BATCH_ERRORS = """
INSERT INTO batches_batcherror (batch_id, row, "column", code, value, message)
SELECT (SELECT max(number) - 10 FROM batches_batch), n, 'email', 'invalid_value', 'x', 'Wrong.'
FROM generate_series(1, {rows}) AS n
"""
_AUDIT_ENTRIES = """
INSERT INTO longshore_accounts_auditentry
    (username, action, organization_id, subject, model, object_id, message, address, created_at)
SELECT 'person-' || number % 50,
    CASE WHEN number % 5000 = 0 THEN 'expire_job'
        ELSE (ARRAY['download', 'preview', 'add', 'cancel_job'])[1 + number % 4] END,
    organization_id, public_id, 'exports.export', number, 'Downloaded a file.', '192.0.2.1',
    created_at
FROM exports_export ORDER BY number
"""
_HOURS = """
INSERT INTO longshore_jobs_jobhour (organization_id, hour, kind, status, jobs, rows, bytes)
SELECT organization_id, date_trunc('hour', created_at, 'UTC') AS hour, kind,
    CASE WHEN status = 'expired' THEN 'completed' ELSE status END AS ended, count(*),
    sum(records_count), 4096 * count(*)
FROM exports_export, unnest(ARRAY['export', 'batch']) AS kind
WHERE status <> 'queued'
GROUP BY organization_id, hour, kind, ended
"""
_USERS = """
INSERT INTO auth_user (
    password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined
)
SELECT '', false, 'person-' || n, 'Zoë', 'Ünal', '', true, true, now()
FROM generate_series(1, 1000) AS n
"""


def fill(rows: int) -> None:
    """Store `rows` rows in each table that grows, and analyze the tables."""
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
        *("batches_batch", "batches_batchsearch", "batches_batcherror"),
        *("longshore_accounts_auditentry", "longshore_jobs_jobhour", "auth_user"),
    )
    searched = {"exports_export": "exports_export_search", "batches_batch": "batches_batch_search"}
    with connection.cursor() as cursor:
        # Building the trigram indexes at the end is faster than inserting into them.
        for table, trigger in searched.items():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
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
            *(_BATCHES, _BATCH_SEARCH, _BATCH_ERRORS, _AUDIT_ENTRIES, _HOURS, _USERS),
            _ORDERS,
        )
        for statement in statements:
            cursor.execute(statement.format(rows=rows, organizations=_ORGANIZATIONS, **columns))
        order.delete()
        for definition in definitions.values():
            cursor.execute(definition)
        for table, trigger in searched.items():
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
