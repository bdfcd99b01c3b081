"""Fills subjects of events, numbers and hosts of subscriptions; removes requests of events."""

from typing import Any

from django.db import migrations

from webhooks.targets import host_of

# `json_each` and `json_object_agg` keep the order of the members.
_EVENTS = """
UPDATE webhooks_event SET
    subject = coalesce(data ->> 'id', ''),
    data = (SELECT json_object_agg(key, value) FROM json_each(data) WHERE key <> 'request')
WHERE data ->> 'object' = 'export'
"""
_NUMBERS = """
UPDATE webhooks_subscription AS subscription SET organization_number = counted.place
FROM (
    SELECT number, row_number() OVER (PARTITION BY organization_id ORDER BY number) AS place
    FROM webhooks_subscription
) AS counted
WHERE counted.number = subscription.number
"""


def fill_hosts(apps: Any, schema_editor: Any) -> None:
    subscriptions = apps.get_model("webhooks", "Subscription").objects
    for subscription in subscriptions.only("target"):
        subscriptions.filter(pk=subscription.pk).update(host=host_of(subscription.target))


class Migration(migrations.Migration):
    dependencies = [
        ("webhooks", "0005_subjects_hosts_challenges"),
    ]

    operations = [
        migrations.RunSQL(_EVENTS, migrations.RunSQL.noop),
        migrations.RunSQL(_NUMBERS, migrations.RunSQL.noop),
        migrations.RunPython(fill_hosts, migrations.RunPython.noop),
    ]
