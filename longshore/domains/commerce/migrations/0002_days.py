from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("longshore_commerce", "0001_initial"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="address",
            index=models.Index(fields=["created_at", "id"], name="address_days"),
        ),
        migrations.AddIndex(
            model_name="bundle",
            index=models.Index(fields=["created_at", "id"], name="bundle_days"),
        ),
        migrations.AddIndex(
            model_name="cart",
            index=models.Index(fields=["created_at", "id"], name="cart_days"),
        ),
        migrations.AddIndex(
            model_name="cartlineitem",
            index=models.Index(fields=["created_at", "id"], name="cartlineitem_days"),
        ),
        migrations.AddIndex(
            model_name="coupon",
            index=models.Index(fields=["created_at", "id"], name="coupon_days"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(fields=["created_at", "id"], name="customer_days"),
        ),
        migrations.AddIndex(
            model_name="customeraddress",
            index=models.Index(fields=["created_at", "id"], name="customeraddress_days"),
        ),
        migrations.AddIndex(
            model_name="customerpaymentsource",
            index=models.Index(fields=["created_at", "id"], name="customerpaymentsource_days"),
        ),
        migrations.AddIndex(
            model_name="customersubscription",
            index=models.Index(fields=["created_at", "id"], name="customersubscription_days"),
        ),
        migrations.AddIndex(
            model_name="dispute",
            index=models.Index(fields=["created_at", "id"], name="dispute_days"),
        ),
        migrations.AddIndex(
            model_name="fulfillmentlineitem",
            index=models.Index(fields=["created_at", "id"], name="fulfillmentlineitem_days"),
        ),
        migrations.AddIndex(
            model_name="giftcard",
            index=models.Index(fields=["created_at", "id"], name="giftcard_days"),
        ),
        migrations.AddIndex(
            model_name="instocksubscription",
            index=models.Index(fields=["created_at", "id"], name="instocksubscription_days"),
        ),
        migrations.AddIndex(
            model_name="lineitem",
            index=models.Index(fields=["created_at", "id"], name="lineitem_days"),
        ),
        migrations.AddIndex(
            model_name="lineitemoption",
            index=models.Index(fields=["created_at", "id"], name="lineitemoption_days"),
        ),
        migrations.AddIndex(
            model_name="market",
            index=models.Index(fields=["created_at", "id"], name="market_days"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["created_at", "id"], name="order_days"),
        ),
        migrations.AddIndex(
            model_name="orderfulfillment",
            index=models.Index(fields=["created_at", "id"], name="orderfulfillment_days"),
        ),
        migrations.AddIndex(
            model_name="ordershipment",
            index=models.Index(fields=["created_at", "id"], name="ordershipment_days"),
        ),
        migrations.AddIndex(
            model_name="ordersubscription",
            index=models.Index(fields=["created_at", "id"], name="ordersubscription_days"),
        ),
        migrations.AddIndex(
            model_name="ordersubscriptionitem",
            index=models.Index(fields=["created_at", "id"], name="ordersubscriptionitem_days"),
        ),
        migrations.AddIndex(
            model_name="parcel",
            index=models.Index(fields=["created_at", "id"], name="parcel_days"),
        ),
        migrations.AddIndex(
            model_name="paymentmethod",
            index=models.Index(fields=["created_at", "id"], name="paymentmethod_days"),
        ),
        migrations.AddIndex(
            model_name="price",
            index=models.Index(fields=["created_at", "id"], name="price_days"),
        ),
        migrations.AddIndex(
            model_name="pricelist",
            index=models.Index(fields=["created_at", "id"], name="pricelist_days"),
        ),
        migrations.AddIndex(
            model_name="pricetier",
            index=models.Index(fields=["created_at", "id"], name="pricetier_days"),
        ),
        migrations.AddIndex(
            model_name="promotion",
            index=models.Index(fields=["created_at", "id"], name="promotion_days"),
        ),
        migrations.AddIndex(
            model_name="promotionrule",
            index=models.Index(fields=["created_at", "id"], name="promotionrule_days"),
        ),
        migrations.AddIndex(
            model_name="return",
            index=models.Index(fields=["created_at", "id"], name="return_days"),
        ),
        migrations.AddIndex(
            model_name="returnlineitem",
            index=models.Index(fields=["created_at", "id"], name="returnlineitem_days"),
        ),
        migrations.AddIndex(
            model_name="shippingcategory",
            index=models.Index(fields=["created_at", "id"], name="shippingcategory_days"),
        ),
        migrations.AddIndex(
            model_name="shippingmethod",
            index=models.Index(fields=["created_at", "id"], name="shippingmethod_days"),
        ),
        migrations.AddIndex(
            model_name="sku",
            index=models.Index(fields=["created_at", "id"], name="sku_days"),
        ),
        migrations.AddIndex(
            model_name="skulist",
            index=models.Index(fields=["created_at", "id"], name="skulist_days"),
        ),
        migrations.AddIndex(
            model_name="skulistitem",
            index=models.Index(fields=["created_at", "id"], name="skulistitem_days"),
        ),
        migrations.AddIndex(
            model_name="skuoption",
            index=models.Index(fields=["created_at", "id"], name="skuoption_days"),
        ),
        migrations.AddIndex(
            model_name="stockitem",
            index=models.Index(fields=["created_at", "id"], name="stockitem_days"),
        ),
        migrations.AddIndex(
            model_name="stocklineitem",
            index=models.Index(fields=["created_at", "id"], name="stocklineitem_days"),
        ),
        migrations.AddIndex(
            model_name="stocklocation",
            index=models.Index(fields=["created_at", "id"], name="stocklocation_days"),
        ),
        migrations.AddIndex(
            model_name="stocktransfer",
            index=models.Index(fields=["created_at", "id"], name="stocktransfer_days"),
        ),
        migrations.AddIndex(
            model_name="tag",
            index=models.Index(fields=["created_at", "id"], name="tag_days"),
        ),
        migrations.AddIndex(
            model_name="taxcategory",
            index=models.Index(fields=["created_at", "id"], name="taxcategory_days"),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(fields=["created_at", "id"], name="transaction_days"),
        ),
    ]
