import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import exports.models
import longshore.database.fields


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("exports", "0004_home_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportPreset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("is_shared", models.BooleanField(default=False)),
                ("request", longshore.database.fields.OrderedJSONField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=exports.models.delete_private_presets,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"ordering": ("name", "pk")},
        ),
        migrations.AddConstraint(
            model_name="exportpreset",
            constraint=models.UniqueConstraint(
                fields=("organization", "owner", "name"), name="export_preset_name_is_unique"
            ),
        ),
    ]
