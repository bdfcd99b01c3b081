from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="response_headers",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="last_error",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
