import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_accounts", "0001_initial"),
        ("longshore_jobs", "0002_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="JobHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("kind", models.CharField(max_length=40)),
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
                ("jobs", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
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
                "indexes": [models.Index(fields=["hour"], name="job_hour_by_hour")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "hour", "kind", "status"), name="job_hour_is_unique"
                    )
                ],
            },
        ),
    ]
