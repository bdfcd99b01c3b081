"""The primary location of a contact: of those that it has already, the one it was given first."""

import django.db.models.deletion
from django.db import migrations, models

_FILL = """
UPDATE logistics_contact SET location_id = given.location_id
FROM (SELECT DISTINCT ON (contact_id) contact_id, location_id FROM logistics_contactlocation
      ORDER BY contact_id, id) AS given
WHERE given.contact_id = logistics_contact.id"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_sealed_answers"),
        ("logistics", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="location",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The primary one of its locations.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="primary_contacts",
                to="logistics.location",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("location__isnull", False)),
                fields=["location"],
                name="contact_by_location",
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
