from django.db import migrations, models

_COPY = """UPDATE commerce_lineitem AS line SET tax_included = true
    FROM commerce_order WHERE commerce_order.id = line.order_id AND commerce_order.tax_included"""


class Migration(migrations.Migration):
    dependencies = [("commerce", "0003_price_key")]

    operations = [
        migrations.AddField(
            model_name="lineitem",
            name="tax_included",
            field=models.BooleanField(
                default=False, help_text="Its amounts include the tax, as those of its order do."
            ),
        ),
        migrations.RunSQL(_COPY, migrations.RunSQL.noop),
    ]
