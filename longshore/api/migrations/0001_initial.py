import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("longshore_accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "operation",
                    models.CharField(
                        help_text="Method and path: POST /v1/exports.", max_length=255
                    ),
                ),
                ("key", models.CharField(help_text="Chosen by the client.", max_length=255)),
                (
                    "fingerprint",
                    models.TextField(help_text="SHA-256 of the request's body, sealed."),
                ),
                ("status", models.PositiveSmallIntegerField(default=0)),
                ("location", models.TextField(default="")),
                (
                    "body",
                    models.TextField(
                        default="", help_text="Sealed (`longshore.accounts.sealing`)."
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        db_default="",
                        default="",
                        help_text="Public id of the object in the body; its deletion empties `body`.",
                        max_length=40,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at"], name="idempotency_key_by_age"),
                    models.Index(
                        condition=models.Q(("subject", ""), _negated=True),
                        fields=["subject"],
                        name="idempotency_key_by_subject",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "operation", "key"),
                        name="idempotency_key_is_used_once",
                    )
                ],
            },
        ),
    ]
