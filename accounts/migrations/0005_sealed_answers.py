from typing import Any

from django.db import migrations, models

from accounts.sealing import seal


def seal_what_is_there(apps: Any, schema_editor: Any) -> None:
    """Whoever asks again after the upgrade still gets the first answer."""
    for row in apps.get_model("accounts", "IdempotencyKey").objects.iterator():
        row.fingerprint, row.body = seal(row.fingerprint), seal(row.body)
        row.save(update_fields=["fingerprint", "body"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_organization_timezone"),
    ]

    operations = [
        migrations.AlterField(
            model_name="idempotencykey",
            name="fingerprint",
            field=models.TextField(help_text="SHA-256 of the request's body, sealed."),
        ),
        migrations.AlterField(
            model_name="idempotencykey",
            name="body",
            field=models.TextField(default="", help_text="Sealed (`accounts.sealing`)."),
        ),
        migrations.RunPython(seal_what_is_there, migrations.RunPython.noop),
    ]
