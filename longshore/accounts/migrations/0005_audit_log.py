from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_accounts", "0004_second_factor"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="auditentry",
            options={
                "ordering": ("-pk",),
                "verbose_name": "audit log entry",
                "verbose_name_plural": "audit log",
            },
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["address", "-id"], name="audit_entry_by_address"),
        ),
    ]
