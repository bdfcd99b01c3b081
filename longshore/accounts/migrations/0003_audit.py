from itertools import islice
from typing import Any

import django.db.models.deletion
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.db import migrations, models

_ACTIONS = {ADDITION: "add", CHANGE: "change", DELETION: "delete"}
_BATCH = 1_000


def copy_log_entries(apps: Any, schema_editor: Any) -> None:
    """Copy what earlier versions wrote to the log of Django, which no page shows any more.

    The copies have no organization, which that log does not name.
    """
    alias = schema_editor.connection.alias
    logged = apps.get_model("admin", "LogEntry").objects.using(alias)
    audit_entry = apps.get_model("longshore_accounts", "AuditEntry")
    rows = logged.select_related("user", "content_type").order_by("action_time", "pk")
    copies = (
        audit_entry(
            user_id=row.user_id,
            username=row.user.username,
            action=_ACTIONS.get(row.action_flag, "change"),
            model=f"{row.content_type.app_label}.{row.content_type.model}"
            if row.content_type
            else "",
            object_id=(row.object_id or "")[:64],
            subject=row.object_repr[:200],
            message=_message(row)[:2_000],
            created_at=row.action_time,
        )
        for row in rows.iterator(_BATCH)
    )
    while batch := list(islice(copies, _BATCH)):
        audit_entry.objects.using(alias).bulk_create(batch)


def _message(row: Any) -> str:
    """Return the message as a sentence: models of migrations lack the method."""
    entry = LogEntry(action_flag=row.action_flag, change_message=row.change_message)
    return entry.get_change_message()


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_accounts", "0002_staffprofile"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={"ordering": ("-pk",), "verbose_name_plural": "audit entries"},
        ),
        migrations.RemoveIndex(model_name="auditentry", name="audit_entry_by_subject"),
        migrations.AddField(
            model_name="auditentry",
            name="message",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="model",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="object_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="action",
            field=models.CharField(max_length=60),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="longshore_accounts.organization",
            ),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="subject",
            field=models.CharField(
                blank=True, help_text="Id or name of the object.", max_length=200
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                fields=["subject"],
                name="audit_entry_by_subject",
                opclasses=("varchar_pattern_ops",),
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["username", "-id"], name="audit_entry_by_user"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["action", "-id"], name="audit_entry_by_action"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["organization", "-id"], name="audit_entry_by_organization"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["model", "object_id", "-id"], name="audit_entry_by_object"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["created_at"], name="audit_entry_by_time"),
        ),
        # Last: PostgreSQL does not alter a table that has new rows with unchecked foreign keys.
        migrations.RunPython(copy_log_entries, migrations.RunPython.noop),
    ]
