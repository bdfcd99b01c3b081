from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_logistics", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(fields=["created_at", "id"], name="asset_by_day"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["created_at", "id"], name="contact_by_day"),
        ),
        migrations.AddIndex(
            model_name="fulfillment",
            index=models.Index(fields=["created_at", "id"], name="fulfillment_by_day"),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(fields=["created_at", "id"], name="group_by_day"),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(fields=["created_at", "id"], name="item_by_day"),
        ),
        migrations.AddIndex(
            model_name="location",
            index=models.Index(fields=["created_at", "id"], name="location_by_day"),
        ),
        migrations.AddIndex(
            model_name="manifest",
            index=models.Index(fields=["created_at", "id"], name="manifest_by_day"),
        ),
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(fields=["created_at", "id"], name="shipment_by_day"),
        ),
        migrations.AddIndex(
            model_name="shippinglabelinference",
            index=models.Index(fields=["created_at", "id"], name="shippinglabelinference_by_day"),
        ),
        migrations.AddIndex(
            model_name="tracker",
            index=models.Index(fields=["created_at", "id"], name="tracker_by_day"),
        ),
    ]
