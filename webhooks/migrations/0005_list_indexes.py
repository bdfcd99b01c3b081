from django.db import migrations, models

# The class of the response to the newest attempt of each delivery.
_FILL = """
UPDATE webhooks_delivery SET response_class = coalesce(newest.status_code, 0) / 100
FROM (
    SELECT DISTINCT ON (delivery_id) delivery_id, status_code
    FROM webhooks_attempt ORDER BY delivery_id, id DESC
) AS newest
WHERE newest.delivery_id = webhooks_delivery.number
"""


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0004_other_resources"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="response_class",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["-number"],
                name="delivery_failed",
                condition=models.Q(("status", "failed")),
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["response_class", "-number"],
                name="delivery_by_response",
                condition=models.Q(
                    ("response_class__lt", 2), ("response_class__gt", 2), _connector="OR"
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["type", "-number"], name="event_of_type"),
        ),
    ]
