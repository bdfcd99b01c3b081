from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from resources.search import SearchWords

_INDEXES = {
    "customer": "customer_words",
    "order": "order_words",
    "sku": "sku_words",
}


class Migration(migrations.Migration):
    """Indexes the words of search texts again: they are folded since."""

    dependencies = [("commerce", "0004_lineitem_tax_included")]

    operations = [
        operation
        for model, name in _INDEXES.items()
        for operation in (
            migrations.RemoveIndex(model, name),
            migrations.AddIndex(model, GinIndex(SearchWords("search_text"), name=name)),
        )
    ]
