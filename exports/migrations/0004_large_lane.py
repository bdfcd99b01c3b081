"""The lane of large exports, and its queue, are called what they are."""

from django.db import migrations, models

_CHOICES = [("quick", "Quick"), ("large", "Large")]
_RENAME = "UPDATE {} SET lane = '{}' WHERE lane = '{}'"


def _renamed(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        _RENAME.format(table, "large", "exports"), _RENAME.format(table, "exports", "large")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0003_part"),
    ]

    operations = [
        migrations.AlterField(
            model_name="export",
            name="lane",
            field=models.CharField(choices=_CHOICES, default="large", max_length=20),
        ),
        migrations.AlterField(
            model_name="exporttotal",
            name="lane",
            field=models.CharField(choices=_CHOICES, max_length=20),
        ),
        _renamed("exports_export"),
        _renamed("exports_exporttotal"),
    ]
