import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
import functools
import longshore.database.fields
import longshore.database.ids
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("longshore_accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="GreetingUsage",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="longshore_accounts.organization",
                    ),
                ),
                ("last_number", models.PositiveBigIntegerField(default=0)),
                ("day", models.DateField(null=True)),
                ("jobs", models.PositiveIntegerField(default=0)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Greeting",
            fields=[
                ("number", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_number", models.PositiveBigIntegerField(null=True)),
                ("resource", models.CharField(max_length=100)),
                ("request", longshore.database.fields.OrderedJSONField()),
                ("spec", models.JSONField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("queued", "Queued"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("timed_out", "Timed Out"),
                            ("canceled", "Canceled"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=20,
                    ),
                ),
                (
                    "lane",
                    models.CharField(
                        choices=[("quick", "Quick"), ("large", "Large")],
                        default="large",
                        max_length=20,
                    ),
                ),
                (
                    "slot",
                    models.CharField(
                        blank=True,
                        choices=[("quick", "Quick"), ("large", "Large")],
                        db_default="",
                        default="",
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("enqueued_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField()),
                ("estimated_completion", models.DateTimeField(null=True)),
                ("records_count", models.BigIntegerField(null=True)),
                ("processed_count", models.BigIntegerField(default=0)),
                ("stored_bytes", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "claims",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("has_files", models.BooleanField(db_default=False, default=False)),
                ("error", models.JSONField(null=True)),
                (
                    "public_id",
                    models.CharField(
                        default=functools.partial(longshore.database.ids.new_id, *("grt",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("text", models.TextField(blank=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_accounts.apikey",
                    ),
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
                "ordering": ("-number",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="GreetingEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("queued", "Queued"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("timed_out", "Timed Out"),
                            ("canceled", "Canceled"),
                            ("expired", "Expired"),
                        ],
                        max_length=20,
                    ),
                ),
                ("attempt", models.PositiveIntegerField()),
                ("reason", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "greeting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="greetings.greeting",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="GreetingTurn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "lane",
                    models.CharField(
                        choices=[("quick", "Quick"), ("large", "Large")], max_length=20
                    ),
                ),
                ("taken_at", models.DateTimeField()),
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
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(fields=["organization", "-number"], name="greeting_by_organization"),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="greeting_by_creation",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                models.F("organization"),
                models.F("resource"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="greeting_by_resource",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                models.F("organization"),
                models.F("status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="greeting_by_state",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("status__in", ("requested", "queued", "processing"))),
                fields=["heartbeat_at"],
                name="greeting_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("status__in", ("requested", "queued", "processing"))),
                fields=["organization", "lane"],
                name="greeting_unfinished_of",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("has_files", True)),
                fields=["expires_at"],
                name="greeting_to_expire",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["deleted_at"],
                name="greeting_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("has_files", False)),
                fields=["completed_at"],
                name="greeting_to_purge",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(fields=["lane", "status"], name="greeting_by_status"),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["-number"],
                name="greeting_admin",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["resource", "-number"],
                name="greeting_admin_resource",
            ),
        ),
        migrations.AddIndex(
            model_name="greeting",
            index=models.Index(
                condition=models.Q(("stored_bytes__gt", 0)),
                fields=["organization"],
                include=("stored_bytes",),
                name="greeting_stored",
            ),
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.UniqueConstraint(
                fields=("organization", "organization_number"), name="greeting_number_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="greeting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True),
                    models.Q(("completed_at__isnull", False), ("records_count__isnull", False)),
                    _connector="OR",
                ),
                name="greeting_completed_has_time_and_count",
            ),
        ),
        migrations.AddConstraint(
            model_name="greetingturn",
            constraint=models.UniqueConstraint(
                fields=("organization", "lane"), name="greetingturn_is_unique"
            ),
        ),
    ]
