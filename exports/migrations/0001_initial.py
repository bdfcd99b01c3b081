import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
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
            name="ExportLimits",
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
                (
                    "unfinished",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Unfinished at the same time: requested, queued or processing.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "daily",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Created or retried, from midnight to midnight in UTC.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="per day",
                    ),
                ),
                (
                    "seconds",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Duration of each attempt.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "stored_bytes",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Size of all stored files together, until they expire or are deleted.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "records",
                    models.PositiveBigIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="records per export",
                    ),
                ),
                (
                    "bytes",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Size of all files of one export.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="bytes per export",
                    ),
                ),
            ],
            options={
                "verbose_name": "export limits",
                "verbose_name_plural": "export limits",
                "ordering": ("organization__name",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ExportUsage",
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
            name="Export",
            fields=[
                ("number", models.BigAutoField(primary_key=True, serialize=False)),
                ("organization_number", models.PositiveBigIntegerField(null=True)),
                ("resource", models.CharField(max_length=100)),
                ("request", longshore.database.fields.OrderedJSONField()),
                ("spec", models.JSONField()),
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
                        default=functools.partial(longshore.database.ids.new_id, *("exp",), **{}),
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("format", models.CharField(max_length=20)),
                ("compression", models.CharField(max_length=20)),
                ("date_from", models.CharField(max_length=64, null=True)),
                ("date_to", models.CharField(max_length=64, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
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
                ("expires_at", models.DateTimeField()),
                ("snapshot_at", models.DateTimeField(null=True)),
                ("replica_failures", models.PositiveSmallIntegerField(db_default=0, default=0)),
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
                "permissions": (("download_export", "Can download the files of exports"),),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ExportEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("attempt", models.PositiveIntegerField()),
                ("reason", models.TextField(blank=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
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
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="exports.export",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ExportFile",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("storage_key", models.CharField(max_length=255, unique=True)),
                ("content_type", models.CharField(max_length=100)),
                ("rows", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="exports.export",
                    ),
                ),
            ],
            options={
                "ordering": ("pk",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ExportTurn",
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
            model_name="export",
            index=models.Index(fields=["organization", "-number"], name="export_by_organization"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.F("organization"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="export_by_creation",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.F("organization"),
                models.F("resource"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="export_by_resource",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.F("organization"),
                models.F("status"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="export_by_state",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status__in", ("requested", "queued", "processing"))),
                fields=["heartbeat_at"],
                name="export_unfinished",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("status__in", ("requested", "queued", "processing"))),
                fields=["organization", "lane"],
                name="export_unfinished_of",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("has_files", True)),
                fields=["expires_at"],
                name="export_to_expire",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["deleted_at"],
                name="export_deleted",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("has_files", False)),
                fields=["completed_at"],
                name="export_to_purge",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(fields=["lane", "status"], name="export_by_status"),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["-number"],
                name="export_admin",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["resource", "-number"],
                name="export_admin_resource",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("stored_bytes__gt", 0)),
                fields=["organization"],
                include=("stored_bytes",),
                name="export_stored",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.F("organization"),
                django.db.models.fields.json.KeyTextTransform("type", "request"),
                models.OrderBy(models.F("created_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="export_by_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(
                fields=("organization", "organization_number"), name="export_number_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "completed"), _negated=True),
                    models.Q(("completed_at__isnull", False), ("records_count__isnull", False)),
                    _connector="OR",
                ),
                name="export_completed_has_time_and_count",
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        [
                            "queued",
                            "processing",
                            "completed",
                            "failed",
                            "timed_out",
                            "canceled",
                            "expired",
                        ],
                    )
                ),
                name="export_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="exportturn",
            constraint=models.UniqueConstraint(
                fields=("organization", "lane"), name="exportturn_is_unique"
            ),
        ),
    ]
