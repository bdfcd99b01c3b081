from django.db import migrations

# An INSERT, UPDATE or DELETE of a row of these reaches the table; none may change the kind. A
# migration that adds a field to the table makes them again.
_KINDS = ("authorization", "capture", "void", "refund")
_KIND = """CREATE VIEW commerce_{0} AS
    SELECT * FROM commerce_transaction WHERE kind = '{0}' WITH CHECK OPTION"""
_BUNDLE_ITEM = """CREATE VIEW commerce_bundleitem AS
    SELECT bundle.id || ' ' || item.id AS id, bundle.id AS bundle_id, item.id AS sku_list_item_id
    FROM commerce_bundle AS bundle
    JOIN commerce_skulistitem AS item ON item.sku_list_id = bundle.sku_list_id"""


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_initial")]

    operations = [
        *(migrations.RunSQL(_KIND.format(kind), f"DROP VIEW commerce_{kind}") for kind in _KINDS),
        migrations.RunSQL(_BUNDLE_ITEM, "DROP VIEW commerce_bundleitem"),
    ]
