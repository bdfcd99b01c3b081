"""Number the exports of each organization, and count the bytes that they have in storage."""

from django.db import migrations

_NUMBERS = """
UPDATE exports_export AS export SET organization_number = counted.place
FROM (
    SELECT number, row_number() OVER (PARTITION BY organization_id ORDER BY number) AS place
    FROM exports_export
) AS counted
WHERE counted.number = export.number
"""
_BYTES = """
UPDATE exports_export AS export SET stored_bytes = files.bytes
FROM (SELECT export_id, sum(bytes) AS bytes FROM exports_exportfile GROUP BY export_id) AS files
WHERE files.export_id = export.number AND export.claims <> '{}'
"""
_USAGE = """
INSERT INTO exports_exportusage (organization_id, last_number, exports)
SELECT organization_id, max(organization_number), 0 FROM exports_export GROUP BY organization_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0010_usage_and_quotas"),
    ]

    operations = [
        migrations.RunSQL(_NUMBERS, migrations.RunSQL.noop),
        migrations.RunSQL(_BYTES, migrations.RunSQL.noop),
        migrations.RunSQL(_USAGE, migrations.RunSQL.noop),
    ]
