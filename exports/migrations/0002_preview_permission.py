from django.db import migrations

# Entries of downloads from before audit entries named their objects.
_NAME_OBJECTS = """
UPDATE longshore_accounts_auditentry AS entry
SET model = 'exports.export', object_id = export.number::text
FROM exports_export AS export
WHERE export.public_id = entry.subject AND entry.model = ''
"""


class Migration(migrations.Migration):
    dependencies = [("exports", "0001_initial"), ("longshore_accounts", "0003_audit")]

    operations = [
        migrations.AlterModelOptions(
            name="export",
            options={
                "ordering": ("-number",),
                "permissions": (
                    ("download_export", "Can download the files of exports"),
                    ("preview_export", "Can preview the rows of exports"),
                ),
            },
        ),
        migrations.RunSQL(_NAME_OBJECTS, migrations.RunSQL.noop),
    ]
