from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="is_quick",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL(
            "UPDATE webhooks_subscription SET is_quick = NOT is_slow",
            "UPDATE webhooks_subscription SET is_slow = NOT is_quick",
        ),
        migrations.RemoveField(
            model_name="subscription",
            name="is_slow",
        ),
    ]
