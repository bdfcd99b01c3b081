from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from resources.search import SearchWords

_INDEXES = {
    "item": "item_by_words",
    "location": "location_by_words",
    "group": "group_by_words",
    "fulfillment": "fulfillment_by_words",
    "contact": "contact_by_words",
    "asset": "asset_by_words",
    "manifest": "manifest_by_words",
    "tracker": "tracker_by_words",
    "shippinglabelinference": "inference_by_words",
    "shipment": "shipment_by_words",
}


class Migration(migrations.Migration):
    """Indexes the words of search texts again: they are folded since."""

    dependencies = [("logistics", "0002_contact_location")]

    operations = [
        operation
        for model, name in _INDEXES.items()
        for operation in (
            migrations.RemoveIndex(model, name),
            migrations.AddIndex(model, GinIndex(SearchWords("search_text"), name=name)),
        )
    ]
