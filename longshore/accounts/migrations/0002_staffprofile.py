from typing import Any

import django.db.models.deletion
import longshore.accounts.models
from django.conf import settings
from django.db import migrations, models

_ROLES = ("Viewer", "Support", "Operator", "Administrator")


def rename_groups(apps: Any, schema_editor: Any) -> None:
    """Rename the groups with the names of roles, which `migrate` sets up from now on.

    Otherwise their members would get the permissions of the roles.
    """
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    for group in groups.filter(name__in=_ROLES):
        group.name = f"{group.name} (earlier)"
        group.save()


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaffProfile",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="staff_profile",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "is_bound",
                    models.BooleanField(
                        default=False,
                        help_text="The person sees nothing of organizations other than those below.",
                        verbose_name="only some organizations",
                    ),
                ),
                (
                    "timezone",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Times in the admin are shown in it. Default: UTC.",
                        max_length=64,
                        validators=[longshore.accounts.models.check_timezone],
                        verbose_name="time zone",
                    ),
                ),
                (
                    "organizations",
                    models.ManyToManyField(
                        blank=True,
                        related_name="bound_staff",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.RunPython(rename_groups, migrations.RunPython.noop),
    ]
