import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import functools
import longshore.database.ids
import longshore.resources.fields
import longshore.resources.folding
import longshore.resources.search
from django.db import migrations, models

# Statements on these views reach their table; WITH CHECK OPTION keeps a row's kind. A migration
# that adds a column to the table must recreate the views.
_KINDS = ("authorization", "capture", "void", "refund")
_KIND = """CREATE VIEW longshore_commerce_{0} AS
    SELECT * FROM longshore_commerce_transaction WHERE kind = '{0}' WITH CHECK OPTION"""
_BUNDLE_ITEM = """CREATE VIEW longshore_commerce_bundleitem AS
    SELECT bundle.id || ' ' || item.id AS id, bundle.id AS bundle_id, item.id AS sku_list_item_id
    FROM longshore_commerce_bundle AS bundle
    JOIN longshore_commerce_skulistitem AS item ON item.sku_list_id = bundle.sku_list_id"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("longshore_accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Authorization",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("txn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorization", "Authorization"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("refund", "Refund"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("succeeded", models.BooleanField(default=False)),
                ("is_disputed", models.BooleanField(default=False)),
                ("is_test", models.BooleanField(default=False)),
                (
                    "message",
                    models.TextField(
                        blank=True, help_text="Message of the payment gateway.", null=True
                    ),
                ),
                (
                    "response_code",
                    models.TextField(
                        blank=True, help_text="Response code of the payment gateway.", null=True
                    ),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="Id of the payment in the payment gateway.", null=True
                    ),
                ),
                (
                    "gateway_transaction_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the transaction in the payment gateway.",
                        null=True,
                    ),
                ),
                (
                    "payment_details",
                    models.JSONField(
                        blank=True,
                        help_text="{gateway, bankcard_first_six, bankcard_last_four}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="BundleItem",
            fields=[
                ("id", models.TextField(primary_key=True, serialize=False)),
            ],
            options={
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Capture",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("txn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorization", "Authorization"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("refund", "Refund"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("succeeded", models.BooleanField(default=False)),
                ("is_disputed", models.BooleanField(default=False)),
                ("is_test", models.BooleanField(default=False)),
                (
                    "message",
                    models.TextField(
                        blank=True, help_text="Message of the payment gateway.", null=True
                    ),
                ),
                (
                    "response_code",
                    models.TextField(
                        blank=True, help_text="Response code of the payment gateway.", null=True
                    ),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="Id of the payment in the payment gateway.", null=True
                    ),
                ),
                (
                    "gateway_transaction_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the transaction in the payment gateway.",
                        null=True,
                    ),
                ),
                (
                    "payment_details",
                    models.JSONField(
                        blank=True,
                        help_text="{gateway, bankcard_first_six, bankcard_last_four}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("txn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorization", "Authorization"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("refund", "Refund"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("succeeded", models.BooleanField(default=False)),
                ("is_disputed", models.BooleanField(default=False)),
                ("is_test", models.BooleanField(default=False)),
                (
                    "message",
                    models.TextField(
                        blank=True, help_text="Message of the payment gateway.", null=True
                    ),
                ),
                (
                    "response_code",
                    models.TextField(
                        blank=True, help_text="Response code of the payment gateway.", null=True
                    ),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="Id of the payment in the payment gateway.", null=True
                    ),
                ),
                (
                    "gateway_transaction_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the transaction in the payment gateway.",
                        null=True,
                    ),
                ),
                (
                    "payment_details",
                    models.JSONField(
                        blank=True,
                        help_text="{gateway, bankcard_first_six, bankcard_last_four}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Void",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("txn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorization", "Authorization"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("refund", "Refund"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("succeeded", models.BooleanField(default=False)),
                ("is_disputed", models.BooleanField(default=False)),
                ("is_test", models.BooleanField(default=False)),
                (
                    "message",
                    models.TextField(
                        blank=True, help_text="Message of the payment gateway.", null=True
                    ),
                ),
                (
                    "response_code",
                    models.TextField(
                        blank=True, help_text="Response code of the payment gateway.", null=True
                    ),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="Id of the payment in the payment gateway.", null=True
                    ),
                ),
                (
                    "gateway_transaction_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the transaction in the payment gateway.",
                        null=True,
                    ),
                ),
                (
                    "payment_details",
                    models.JSONField(
                        blank=True,
                        help_text="{gateway, bankcard_first_six, bankcard_last_four}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("adr",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("business", models.BooleanField(default=False, help_text="Address of a company.")),
                ("first_name", models.TextField(blank=True, null=True)),
                ("last_name", models.TextField(blank=True, null=True)),
                ("company", models.TextField(blank=True, null=True)),
                ("line_1", models.TextField(blank=True)),
                ("line_2", models.TextField(blank=True, null=True)),
                ("line_3", models.TextField(blank=True, null=True)),
                ("line_4", models.TextField(blank=True, null=True)),
                ("city", models.TextField(blank=True)),
                ("zip_code", models.TextField(blank=True, null=True)),
                ("state_code", models.TextField(blank=True, null=True)),
                (
                    "country_code",
                    models.CharField(help_text="ISO 3166-1 alpha-2 code.", max_length=2),
                ),
                ("phone", models.TextField(blank=True, null=True)),
                ("email", models.TextField(blank=True, null=True)),
                (
                    "notes",
                    models.TextField(blank=True, help_text="Notes for the carrier.", null=True),
                ),
                ("lat", models.FloatField(blank=True, help_text="Latitude in degrees.", null=True)),
                (
                    "lng",
                    models.FloatField(blank=True, help_text="Longitude in degrees.", null=True),
                ),
                (
                    "billing_info",
                    models.TextField(
                        blank=True,
                        help_text="Billing information, such as a tax number.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="address_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("cus",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("email", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("prospect", "Prospect"),
                            ("acquired", "Acquired"),
                            ("repeat", "Repeat"),
                        ],
                        db_collation="C",
                        default="prospect",
                        max_length=30,
                    ),
                ),
                (
                    "user_type",
                    models.CharField(
                        choices=[
                            ("customer", "Customer"),
                            ("lead", "Lead"),
                            ("dashboard", "Dashboard"),
                        ],
                        default="customer",
                        max_length=30,
                    ),
                ),
                ("first_name", models.TextField(blank=True, null=True)),
                ("last_name", models.TextField(blank=True, null=True)),
                (
                    "phone_number",
                    models.TextField(
                        blank=True, help_text="International format: +14155550123.", null=True
                    ),
                ),
                (
                    "language_code",
                    models.TextField(blank=True, help_text="ISO 639-1 code.", null=True),
                ),
                ("accepts_marketing", models.BooleanField(default=False)),
                (
                    "is_blocked",
                    models.BooleanField(default=False, help_text="Not allowed to order."),
                ),
                (
                    "ip_address",
                    models.TextField(
                        blank=True,
                        help_text="IP address at the creation of the account.",
                        null=True,
                    ),
                ),
                ("tax_exemption_code", models.TextField(blank=True, null=True)),
                ("orders_count", models.PositiveIntegerField(default=0)),
                ("subscriptions_count", models.PositiveIntegerField(default=0)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "total_spent_amount_cents",
                    models.BigIntegerField(default=0, help_text="Total of all approved orders."),
                ),
                ("joined_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "email", "first_name", "last_name", "phone_number", "reference"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="customer_newest"),
                    models.Index(fields=["organization", "joined_at"], name="customer_joined_a"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="customer_status"
                    ),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("email"),
                        name="customer_in_order_of_email",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="customer_words"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "email"), name="customer_has_its_own_email"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerAddress",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("cad",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "address",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_addresses",
                        to="longshore_commerce.address",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_addresses",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="customeraddress_newest"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("customer", "address"), name="customer_keeps_an_address_once"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerPaymentSource",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("cps",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "name",
                    models.TextField(
                        blank=True, help_text="Name for the customer, such as Visa ending in 4242."
                    ),
                ),
                (
                    "payment_source_type",
                    models.TextField(
                        blank=True, help_text="credit_cards, wire_transfers…", null=True
                    ),
                ),
                (
                    "payment_source_token",
                    models.TextField(blank=True, help_text="Id in the payment gateway.", null=True),
                ),
                ("card_first_six", models.TextField(blank=True, null=True)),
                ("card_last_four", models.TextField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_payment_sources",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="customerpaymentsource_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerSubscription",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("csub",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("customer_email", models.TextField()),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="customer_subscriptions",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="customersubscription_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Market",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("mkt",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("code", models.TextField()),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="market_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="market_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Bundle",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("bun",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.TextField()),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, null=True)),
                ("image_url", models.TextField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("price_amount_cents", models.BigIntegerField(default=0)),
                (
                    "compare_at_amount_cents",
                    models.BigIntegerField(
                        blank=True, help_text="Total price of the single SKUs.", null=True
                    ),
                ),
                ("skus_count", models.PositiveIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="bundles",
                        to="longshore_commerce.market",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="bundle_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="bundle_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ord",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("pending", "Pending"),
                            ("placing", "Placing"),
                            ("placed", "Placed"),
                            ("editing", "Editing"),
                            ("approved", "Approved"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_collation="C",
                        default="draft",
                        max_length=30,
                    ),
                ),
                (
                    "payment_status",
                    models.CharField(
                        choices=[
                            ("unpaid", "Unpaid"),
                            ("pending", "Pending"),
                            ("authorized", "Authorized"),
                            ("partially_authorized", "Partially Authorized"),
                            ("expiring", "Expiring"),
                            ("expired", "Expired"),
                            ("paid", "Paid"),
                            ("partially_paid", "Partially Paid"),
                            ("voided", "Voided"),
                            ("partially_voided", "Partially Voided"),
                            ("refunded", "Refunded"),
                            ("partially_refunded", "Partially Refunded"),
                            ("free", "Free"),
                        ],
                        default="unpaid",
                        max_length=30,
                    ),
                ),
                (
                    "fulfillment_status",
                    models.CharField(
                        choices=[
                            ("not_required", "Not Required"),
                            ("unfulfilled", "Unfulfilled"),
                            ("on_hold", "On Hold"),
                            ("rejected", "Rejected"),
                            ("processing", "Processing"),
                            ("in_progress", "In Progress"),
                            ("incomplete", "Incomplete"),
                            ("fulfilled", "Fulfilled"),
                        ],
                        default="unfulfilled",
                        max_length=30,
                    ),
                ),
                (
                    "is_test",
                    models.BooleanField(
                        default=False, help_text="Test order: without payment and delivery."
                    ),
                ),
                (
                    "source",
                    models.TextField(
                        blank=True,
                        help_text="Source of the order: web, api, subscription…",
                        null=True,
                    ),
                ),
                (
                    "guest",
                    models.BooleanField(default=False, help_text="Ordered without an account."),
                ),
                ("customer_email", models.TextField(blank=True, null=True)),
                (
                    "language_code",
                    models.TextField(blank=True, help_text="ISO 639-1 code.", null=True),
                ),
                ("ip_address", models.TextField(blank=True, null=True)),
                (
                    "country_code",
                    models.TextField(
                        blank=True, help_text="Country of the shipping address.", null=True
                    ),
                ),
                ("coupon_code", models.TextField(blank=True, null=True)),
                ("gift_card_code", models.TextField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "tax_included",
                    models.BooleanField(
                        default=False, help_text="Whether line amounts include the tax."
                    ),
                ),
                ("tax_rate", models.FloatField(default=0, help_text="A fraction: 0.2 is 20%.")),
                (
                    "skus_count",
                    models.PositiveIntegerField(default=0, help_text="Total quantity of SKUs."),
                ),
                (
                    "subtotal_amount_cents",
                    models.BigIntegerField(
                        default=0, help_text="Total of all lines before discounts."
                    ),
                ),
                (
                    "discount_amount_cents",
                    models.BigIntegerField(default=0, help_text="Discount, zero or negative."),
                ),
                ("adjustment_amount_cents", models.BigIntegerField(default=0)),
                (
                    "gift_card_amount_cents",
                    models.BigIntegerField(
                        default=0, help_text="Amount paid by gift card, zero or negative."
                    ),
                ),
                ("shipping_amount_cents", models.BigIntegerField(default=0)),
                (
                    "payment_method_amount_cents",
                    models.BigIntegerField(default=0, help_text="Fee of the payment method."),
                ),
                ("total_tax_amount_cents", models.BigIntegerField(default=0)),
                (
                    "total_taxable_amount_cents",
                    models.BigIntegerField(default=0, help_text="Total without tax."),
                ),
                (
                    "total_amount_cents",
                    models.BigIntegerField(
                        default=0,
                        help_text="Amount to pay, without tax unless the prices include it.",
                    ),
                ),
                (
                    "total_amount_with_taxes_cents",
                    models.BigIntegerField(default=0, help_text="Amount to pay, including tax."),
                ),
                (
                    "total_cost_amount_cents",
                    models.BigIntegerField(default=0, help_text="Cost of the goods for the shop."),
                ),
                (
                    "attribution",
                    models.JSONField(
                        blank=True,
                        help_text="{utm_source, utm_medium, utm_campaign, funnel, affiliate, gclid}.",
                        null=True,
                    ),
                ),
                ("placed_at", models.DateTimeField(blank=True, null=True)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("payment_updated_at", models.DateTimeField(blank=True, null=True)),
                ("fulfillment_updated_at", models.DateTimeField(blank=True, null=True)),
                ("archived_at", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "number", "customer_email", "reference"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "billing_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="billed_orders",
                        to="longshore_commerce.address",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="orders",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="orders",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "shipping_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipped_orders",
                        to="longshore_commerce.address",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="order_newest"),
                    models.Index(fields=["organization", "placed_at"], name="order_placed_a"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="order_status"
                    ),
                    models.Index(fields=["organization", "customer_email"], name="order_customer"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("number"),
                        name="order_in_order_of_number",
                    ),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("customer_email"),
                        name="order_in_order_of_email",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="order_words"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="order_has_its_own_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_amount_with_taxes_cents",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("total_taxable_amount_cents"),
                                    "+",
                                    models.F("total_tax_amount_cents"),
                                ),
                            )
                        ),
                        name="order_is_taxed_in_full",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LineItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("lin",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "item_type",
                    models.CharField(
                        choices=[
                            ("skus", "Skus"),
                            ("bundles", "Bundles"),
                            ("gift_cards", "Gift Cards"),
                            ("shipments", "Shipments"),
                            ("payment_methods", "Payment Methods"),
                            ("promotions", "Promotions"),
                            ("adjustments", "Adjustments"),
                        ],
                        default="skus",
                        max_length=30,
                    ),
                ),
                (
                    "sku_code",
                    models.TextField(
                        blank=True, help_text="Code at the time of the order.", null=True
                    ),
                ),
                (
                    "bundle_code",
                    models.TextField(
                        blank=True, help_text="Code at the time of the order.", null=True
                    ),
                ),
                ("name", models.TextField(blank=True)),
                ("image_url", models.TextField(blank=True, null=True)),
                ("product_id", models.TextField(blank=True, null=True)),
                ("product_title", models.TextField(blank=True, null=True)),
                ("variant_title", models.TextField(blank=True, null=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "current_quantity",
                    models.PositiveIntegerField(
                        default=1, help_text="Quantity without canceled and returned pieces."
                    ),
                ),
                (
                    "is_upsell",
                    models.BooleanField(
                        default=False, help_text="Added after the order was placed."
                    ),
                ),
                ("requires_shipping", models.BooleanField(default=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "tax_included",
                    models.BooleanField(
                        default=False,
                        help_text="Whether the amounts include the tax, as in the order.",
                    ),
                ),
                ("unit_amount_cents", models.BigIntegerField(default=0)),
                (
                    "compare_at_amount_cents",
                    models.BigIntegerField(
                        blank=True, help_text="Original price of one piece.", null=True
                    ),
                ),
                (
                    "unit_cost_amount_cents",
                    models.BigIntegerField(default=0, help_text="Cost of one piece for the shop."),
                ),
                (
                    "options_amount_cents",
                    models.BigIntegerField(default=0, help_text="Total of the options."),
                ),
                (
                    "discount_amount_cents",
                    models.BigIntegerField(default=0, help_text="Discount, zero or negative."),
                ),
                (
                    "total_amount_cents",
                    models.BigIntegerField(
                        default=0, help_text="Total of all pieces and options, minus the discount."
                    ),
                ),
                ("tax_amount_cents", models.BigIntegerField(default=0)),
                ("tax_rate", models.FloatField(default=0, help_text="A fraction: 0.2 is 20%.")),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "bundle",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="line_items",
                        to="longshore_commerce.bundle",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="line_items",
                        to="longshore_commerce.order",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="lineitem_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total_amount_cents",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("unit_amount_cents"), "*", models.F("quantity")
                                        ),
                                        "+",
                                        models.F("options_amount_cents"),
                                    ),
                                    "+",
                                    models.F("discount_amount_cents"),
                                ),
                            )
                        ),
                        name="line_item_adds_up",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cart",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("cart",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("submitted", "Submitted")],
                        db_collation="C",
                        default="open",
                        max_length=30,
                    ),
                ),
                ("customer_email", models.TextField(blank=True, null=True)),
                ("is_test", models.BooleanField(default=False)),
                ("checkout_url", models.TextField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("total_amount_with_taxes_cents", models.BigIntegerField(default=0)),
                (
                    "attribution",
                    models.JSONField(
                        blank=True,
                        help_text="{utm_source, utm_medium, utm_campaign, funnel, affiliate, gclid}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="carts",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        help_text="Order that the cart became.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="carts",
                        to="longshore_commerce.order",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="cart_newest"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="cart_status"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderFulfillment",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("oful",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("order_number", models.TextField()),
                (
                    "is_test",
                    models.BooleanField(default=False, help_text="Belongs to a test order."),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("success", "Success"), ("canceled", "Canceled")],
                        db_collation="C",
                        default="success",
                        max_length=30,
                    ),
                ),
                (
                    "delivery_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("tracking_added", "Tracking Added"),
                            ("in_transit", "In Transit"),
                            ("out_for_delivery", "Out For Delivery"),
                            ("attempted_delivery", "Attempted Delivery"),
                            ("failed_delivery", "Failed Delivery"),
                            ("delivered", "Delivered"),
                            ("delayed", "Delayed"),
                        ],
                        max_length=20,
                        null=True,
                    ),
                ),
                (
                    "tracking_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "tracking_carriers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "tracking_links",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fulfillments",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="orderfulfillment_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FulfillmentLineItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ofli",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField(blank=True, null=True)),
                ("quantity", models.PositiveIntegerField(default=1, help_text="Ordered quantity.")),
                ("fulfilled_quantity", models.PositiveIntegerField(default=0)),
                ("returned_quantity", models.PositiveIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "line_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fulfillment_line_items",
                        to="longshore_commerce.lineitem",
                    ),
                ),
                (
                    "fulfillment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="fulfillment_line_items",
                        to="longshore_commerce.orderfulfillment",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="fulfillmentlineitem_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderShipment",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("oshp",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("upcoming", "Upcoming"),
                            ("on_hold", "On Hold"),
                            ("picking", "Picking"),
                            ("packing", "Packing"),
                            ("ready_to_ship", "Ready To Ship"),
                            ("shipped", "Shipped"),
                            ("delivered", "Delivered"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_collation="C",
                        default="draft",
                        max_length=30,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "cost_amount_cents",
                    models.BigIntegerField(default=0, help_text="Shipping cost of the shop."),
                ),
                ("skus_count", models.PositiveIntegerField(default=0)),
                ("on_hold_at", models.DateTimeField(blank=True, null=True)),
                ("picking_at", models.DateTimeField(blank=True, null=True)),
                ("packing_at", models.DateTimeField(blank=True, null=True)),
                ("ready_to_ship_at", models.DateTimeField(blank=True, null=True)),
                ("shipped_at", models.DateTimeField(blank=True, null=True)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="shipments",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "origin_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments_from",
                        to="longshore_commerce.address",
                    ),
                ),
                (
                    "shipping_address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments_to",
                        to="longshore_commerce.address",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="ordershipment_newest"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="ordershipment_status"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="ordershipment_has_its_own_number"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OrderSubscription",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("osub",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("inactive", "Inactive"),
                            ("active", "Active"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("past_due", "Past Due"),
                            ("retrying", "Retrying"),
                            ("cancelled", "Cancelled"),
                        ],
                        db_collation="C",
                        default="draft",
                        max_length=30,
                    ),
                ),
                (
                    "frequency",
                    models.TextField(
                        default="monthly", help_text="hourly to yearly, or a cron expression."
                    ),
                ),
                (
                    "interval",
                    models.CharField(
                        choices=[
                            ("day", "Day"),
                            ("week", "Week"),
                            ("month", "Month"),
                            ("year", "Year"),
                        ],
                        default="month",
                        max_length=30,
                    ),
                ),
                (
                    "interval_count",
                    models.PositiveIntegerField(
                        default=1, help_text="Number of intervals between two orders."
                    ),
                ),
                ("customer_email", models.TextField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "total_amount_cents",
                    models.BigIntegerField(
                        default=0, help_text="Total of each order, including shipping."
                    ),
                ),
                ("shipping_amount_cents", models.BigIntegerField(default=0)),
                (
                    "orders_count",
                    models.PositiveIntegerField(default=0, help_text="Number of orders so far."),
                ),
                (
                    "errors_count",
                    models.PositiveIntegerField(default=0, help_text="Number of failed orders."),
                ),
                ("succeeded_on_last_run", models.BooleanField(default=True)),
                ("cancel_reason", models.TextField(blank=True, null=True)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("next_run_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscriptions",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "customer_payment_source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscriptions",
                        to="longshore_commerce.customerpaymentsource",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscriptions",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "source_order",
                    models.ForeignKey(
                        blank=True,
                        help_text="Order that the subscription repeats.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscriptions",
                        to="longshore_commerce.order",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="ordersubscription_newest"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"],
                        name="ordersubscription_status",
                    ),
                    models.Index(
                        fields=["organization", "next_run_at"], name="ordersubscription_next_run"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"),
                        name="ordersubscription_has_its_own_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Parcel",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("pcl",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "weight",
                    models.FloatField(blank=True, help_text="In `unit_of_weight`.", null=True),
                ),
                (
                    "unit_of_weight",
                    models.TextField(
                        blank=True, help_text="Unit of weight: gr, oz or lb.", null=True
                    ),
                ),
                ("carrier", models.TextField(blank=True, null=True)),
                ("tracking_number", models.TextField(blank=True, null=True)),
                (
                    "tracking_status",
                    models.TextField(
                        blank=True, help_text="Status reported by the carrier.", null=True
                    ),
                ),
                ("shipping_label_url", models.TextField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "shipment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parcels",
                        to="longshore_commerce.ordershipment",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="parcel_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="parcel_has_its_own_number"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("pmth",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "payment_source_type",
                    models.TextField(
                        blank=True, help_text="credit_cards, wire_transfers…", null=True
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("price_amount_cents", models.BigIntegerField(default=0)),
                (
                    "moto",
                    models.BooleanField(
                        default=False, help_text="For orders by mail or telephone."
                    ),
                ),
                (
                    "require_capture",
                    models.BooleanField(default=True, help_text="Payments are captured manually."),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="payment_methods",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        blank=True,
                        help_text="The only order that may use this method; null for all orders.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="payment_methods",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="paymentmethod_newest"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="order",
            name="payment_method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="orders",
                to="longshore_commerce.paymentmethod",
            ),
        ),
        migrations.AddField(
            model_name="customerpaymentsource",
            name="payment_method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="customer_payment_sources",
                to="longshore_commerce.paymentmethod",
            ),
        ),
        migrations.CreateModel(
            name="PriceList",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("plst",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("code", models.TextField()),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "tax_included",
                    models.BooleanField(
                        default=False, help_text="Whether the prices include the tax."
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="pricelist_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="pricelist_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Price",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("prc",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField()),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                (
                    "compare_at_amount_cents",
                    models.BigIntegerField(blank=True, help_text="Original price.", null=True),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "price_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="prices",
                        to="longshore_commerce.pricelist",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="price_newest"),
                    models.Index(fields=["organization", "sku_code"], name="price_sku_code"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("sku_code"),
                        name="price_in_order_of_sku",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("price_list", "sku_code"), name="sku_code_has_a_price_in_a_list"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gte", 0)), name="price_is_not_negative"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="market",
            name="price_list",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="markets",
                to="longshore_commerce.pricelist",
            ),
        ),
        migrations.CreateModel(
            name="PriceTier",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("tier",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "type",
                    models.CharField(
                        choices=[("volume", "Volume"), ("frequency", "Frequency")],
                        default="volume",
                        max_length=30,
                    ),
                ),
                (
                    "up_to",
                    models.FloatField(
                        blank=True, help_text="Upper limit; null for none.", null=True
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("price_amount_cents", models.BigIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="price_tiers",
                        to="longshore_commerce.price",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="pricetier_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("up_to__isnull", True), ("up_to__gt", 0), _connector="OR"
                        ),
                        name="tier_goes_up_to_something",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Promotion",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("promo",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("percentage", "Percentage"),
                            ("fixed_amount", "Fixed Amount"),
                            ("free_shipping", "Free Shipping"),
                        ],
                        default="percentage",
                        max_length=30,
                    ),
                ),
                ("percentage", models.PositiveSmallIntegerField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("fixed_amount_cents", models.BigIntegerField(blank=True, null=True)),
                ("priority", models.PositiveIntegerField(default=0)),
                (
                    "exclusive",
                    models.BooleanField(
                        default=False, help_text="Cannot be combined with other promotions."
                    ),
                ),
                ("total_usage_limit", models.PositiveIntegerField(blank=True, null=True)),
                ("total_usage_count", models.PositiveIntegerField(default=0)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="promotions",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="promotion_newest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("percentage__isnull", True), ("percentage__lte", 100), _connector="OR"
                        ),
                        name="promotion_takes_off_100_percent_at_most",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Return",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ret",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                            ("shipped", "Shipped"),
                            ("received", "Received"),
                            ("refunded", "Refunded"),
                        ],
                        db_collation="C",
                        default="draft",
                        max_length=30,
                    ),
                ),
                (
                    "is_test",
                    models.BooleanField(default=False, help_text="Belongs to a test order."),
                ),
                ("reason", models.TextField(blank=True, null=True)),
                ("customer_email", models.TextField(blank=True, null=True)),
                ("tracking_number", models.TextField(blank=True, null=True)),
                ("skus_count", models.PositiveIntegerField(default=0)),
                ("requested_at", models.DateTimeField(blank=True, null=True)),
                ("approved_at", models.DateTimeField(blank=True, null=True)),
                ("shipped_at", models.DateTimeField(blank=True, null=True)),
                ("received_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="returns",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="returns",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="return_newest"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="return_status"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="return_has_its_own_number"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnLineItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("rlin",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField(blank=True, null=True)),
                ("name", models.TextField(blank=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0, help_text="Refunded amount.")),
                (
                    "restock_type",
                    models.CharField(
                        choices=[
                            ("cancel", "Cancel"),
                            ("no_restock", "No Restock"),
                            ("return", "Return"),
                        ],
                        default="return",
                        max_length=30,
                    ),
                ),
                ("return_reason", models.TextField(blank=True, null=True)),
                ("restocked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "line_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="return_line_items",
                        to="longshore_commerce.lineitem",
                    ),
                ),
                (
                    "order_return",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="return_line_items",
                        to="longshore_commerce.return",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="returnlineitem_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShippingCategory",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("scat",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("code", models.TextField()),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "shipping categories",
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="shippingcategory_newest"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="shippingcategory_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="ordershipment",
            name="shipping_category",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="shipments",
                to="longshore_commerce.shippingcategory",
            ),
        ),
        migrations.CreateModel(
            name="ShippingMethod",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("smth",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "code",
                    models.TextField(
                        blank=True, help_text="Code on orders: express, pickup…", null=True
                    ),
                ),
                (
                    "scheme",
                    models.CharField(
                        choices=[
                            ("flat", "Flat"),
                            ("weight_tiered", "Weight Tiered"),
                            ("external", "External"),
                        ],
                        default="flat",
                        max_length=30,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("price_amount_cents", models.BigIntegerField(default=0)),
                (
                    "free_over_amount_cents",
                    models.BigIntegerField(
                        blank=True, help_text="Order amount from which shipping is free.", null=True
                    ),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipping_methods",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "shipping_category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipping_methods",
                        to="longshore_commerce.shippingcategory",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="shippingmethod_newest"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="ordershipment",
            name="shipping_method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="shipments",
                to="longshore_commerce.shippingmethod",
            ),
        ),
        migrations.AddField(
            model_name="orderfulfillment",
            name="shipping_method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="fulfillments",
                to="longshore_commerce.shippingmethod",
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="shipping_method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="orders",
                to="longshore_commerce.shippingmethod",
            ),
        ),
        migrations.CreateModel(
            name="Sku",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("sku",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.TextField()),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, null=True)),
                ("image_url", models.TextField(blank=True, null=True)),
                (
                    "product_id",
                    models.TextField(
                        blank=True, help_text="Id that all variants of a product share.", null=True
                    ),
                ),
                ("product_title", models.TextField(blank=True, null=True)),
                (
                    "variant_title",
                    models.TextField(
                        blank=True,
                        help_text="Name of the variant, such as its size or color.",
                        null=True,
                    ),
                ),
                ("pieces_per_pack", models.PositiveIntegerField(default=1)),
                (
                    "weight",
                    models.FloatField(blank=True, help_text="In `unit_of_weight`.", null=True),
                ),
                (
                    "unit_of_weight",
                    models.TextField(
                        blank=True, help_text="Unit of weight: gr, oz or lb.", null=True
                    ),
                ),
                (
                    "hs_tariff_number",
                    models.TextField(
                        blank=True, help_text="Harmonized system code, for customs.", null=True
                    ),
                ),
                (
                    "do_not_ship",
                    models.BooleanField(default=False, help_text="Not a physical product."),
                ),
                (
                    "do_not_track",
                    models.BooleanField(default=False, help_text="Stock is not counted."),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "code", "name", "description", "reference"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "shipping_category",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="skus",
                        to="longshore_commerce.shippingcategory",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="sku_newest"),
                    models.Index(fields=["organization", "name"], name="sku_name"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("name"),
                        name="sku_in_order_of_name",
                    ),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("code"),
                        name="sku_in_order_of_code",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="sku_words"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="sku_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="price",
            name="sku",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="prices",
                to="longshore_commerce.sku",
            ),
        ),
        migrations.CreateModel(
            name="OrderSubscriptionItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("osit",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField(blank=True, null=True)),
                ("name", models.TextField(blank=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("unit_amount_cents", models.BigIntegerField(default=0)),
                ("total_amount_cents", models.BigIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "bundle",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscription_items",
                        to="longshore_commerce.bundle",
                    ),
                ),
                (
                    "order_subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="order_subscription_items",
                        to="longshore_commerce.ordersubscription",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="order_subscription_items",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="ordersubscriptionitem_newest"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="lineitem",
            name="sku",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="line_items",
                to="longshore_commerce.sku",
            ),
        ),
        migrations.CreateModel(
            name="InStockSubscription",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("isub",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("inactive", "Inactive"),
                            ("notified", "Notified"),
                        ],
                        default="active",
                        max_length=30,
                    ),
                ),
                ("customer_email", models.TextField()),
                ("sku_code", models.TextField()),
                (
                    "stock_threshold",
                    models.PositiveIntegerField(
                        default=1, help_text="Minimum quantity in stock for the notification."
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="in_stock_subscriptions",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="in_stock_subscriptions",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="in_stock_subscriptions",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="instocksubscription_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CartLineItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("clin",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField(blank=True, null=True)),
                ("name", models.TextField(blank=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("unit_amount_cents", models.BigIntegerField(default=0)),
                ("total_amount_cents", models.BigIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "cart",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cart_line_items",
                        to="longshore_commerce.cart",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cart_line_items",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="cartlineitem_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SkuList",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("slst",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("slug", models.TextField()),
                ("description", models.TextField(blank=True, null=True)),
                ("image_url", models.TextField(blank=True, null=True)),
                (
                    "manual",
                    models.BooleanField(
                        default=True, help_text="Whether the items are selected manually."
                    ),
                ),
                (
                    "sku_code_regex",
                    models.TextField(
                        blank=True,
                        help_text="Pattern of the codes of SKUs in a list that is not manual.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="skulist_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "slug"), name="skulist_has_its_own_slug"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromotionRule",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("prul",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("coupon_codes", "Coupon Codes"),
                            ("order_amount", "Order Amount"),
                            ("sku_list", "Sku List"),
                        ],
                        default="coupon_codes",
                        max_length=30,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "order_amount_cents",
                    models.BigIntegerField(
                        blank=True, help_text="Minimum amount of the order.", null=True
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "promotion",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="promotion_rules",
                        to="longshore_commerce.promotion",
                    ),
                ),
                (
                    "sku_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="promotion_rules",
                        to="longshore_commerce.skulist",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="promotionrule_newest"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="bundle",
            name="sku_list",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="bundles",
                to="longshore_commerce.skulist",
            ),
        ),
        migrations.CreateModel(
            name="SkuListItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("slit",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField()),
                ("position", models.PositiveIntegerField(default=0)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sku_list_items",
                        to="longshore_commerce.sku",
                    ),
                ),
                (
                    "sku_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sku_list_items",
                        to="longshore_commerce.skulist",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="skulistitem_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sku_list", "sku"), name="sku_is_in_a_list_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="bundle",
            name="sku_list_items",
            field=models.ManyToManyField(
                related_name="+",
                through="longshore_commerce.BundleItem",
                to="longshore_commerce.skulistitem",
            ),
        ),
        migrations.CreateModel(
            name="SkuOption",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("sopt",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, null=True)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("price_amount_cents", models.BigIntegerField(default=0)),
                (
                    "delay_hours",
                    models.PositiveIntegerField(
                        default=0, help_text="Delay of the shipment in hours."
                    ),
                ),
                (
                    "sku_code_regex",
                    models.TextField(
                        blank=True,
                        help_text="Pattern of the codes of SKUs with this option; null for all.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="sku_options",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="skuoption_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LineItemOption",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("liop",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("unit_amount_cents", models.BigIntegerField(default=0)),
                ("total_amount_cents", models.BigIntegerField(default=0)),
                (
                    "delay_hours",
                    models.PositiveIntegerField(
                        default=0, help_text="Delay of the shipment in hours."
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        blank=True, help_text="Input of the customer: {text: …}.", null=True
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "line_item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="line_item_options",
                        to="longshore_commerce.lineitem",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku_option",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="line_item_options",
                        to="longshore_commerce.skuoption",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="lineitemoption_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("sitm",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField()),
                ("quantity", models.PositiveIntegerField(default=0)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stock_items",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="stockitem_newest"),
                    models.Index(fields=["organization", "sku_code"], name="stockitem_sku_code"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("sku_code"),
                        name="stock_in_order_of_sku",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockLineItem",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("stli",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sku_code", models.TextField(blank=True, null=True)),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "line_item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stock_line_items",
                        to="longshore_commerce.lineitem",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "shipment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stock_line_items",
                        to="longshore_commerce.ordershipment",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stock_line_items",
                        to="longshore_commerce.sku",
                    ),
                ),
                (
                    "stock_item",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stock_line_items",
                        to="longshore_commerce.stockitem",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="stocklineitem_newest"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StockLocation",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("sloc",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("code", models.TextField()),
                (
                    "label_format",
                    models.TextField(
                        blank=True,
                        help_text="Format of shipping labels: PDF, PNG or ZPL.",
                        null=True,
                    ),
                ),
                (
                    "suppress_etd",
                    models.BooleanField(
                        default=False,
                        help_text="Print labels without electronic customs documents.",
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "address",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stock_locations",
                        to="longshore_commerce.address",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="stocklocation_newest"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="stocklocation_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="stockitem",
            name="stock_location",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="stock_items",
                to="longshore_commerce.stocklocation",
            ),
        ),
        migrations.AddField(
            model_name="shippingmethod",
            name="stock_location",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="shipping_methods",
                to="longshore_commerce.stocklocation",
            ),
        ),
        migrations.AddField(
            model_name="return",
            name="stock_location",
            field=models.ForeignKey(
                blank=True,
                help_text="Location where the return arrives.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="returns",
                to="longshore_commerce.stocklocation",
            ),
        ),
        migrations.AddField(
            model_name="ordershipment",
            name="stock_location",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="shipments",
                to="longshore_commerce.stocklocation",
            ),
        ),
        migrations.AddField(
            model_name="orderfulfillment",
            name="stock_location",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="fulfillments",
                to="longshore_commerce.stocklocation",
            ),
        ),
        migrations.CreateModel(
            name="StockTransfer",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("strf",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("upcoming", "Upcoming"),
                            ("on_hold", "On Hold"),
                            ("picking", "Picking"),
                            ("in_transit", "In Transit"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        max_length=30,
                    ),
                ),
                ("sku_code", models.TextField()),
                ("quantity", models.PositiveIntegerField(default=1)),
                ("on_hold_at", models.DateTimeField(blank=True, null=True)),
                ("picking_at", models.DateTimeField(blank=True, null=True)),
                ("in_transit_at", models.DateTimeField(blank=True, null=True)),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "destination_stock_location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transfers_to",
                        to="longshore_commerce.stocklocation",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "origin_stock_location",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transfers_from",
                        to="longshore_commerce.stocklocation",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stock_transfers",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="stocktransfer_newest"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="stocktransfer_has_its_own_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("origin_stock_location", models.F("destination_stock_location")),
                            _negated=True,
                        ),
                        name="stock_is_transferred_elsewhere",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("tag",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="tag_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "name"), name="tag_has_its_own_name"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="sku",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.AddField(
            model_name="return",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.AddField(
            model_name="ordersubscription",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.AddField(
            model_name="order",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.CreateModel(
            name="GiftCard",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("gift",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("inactive", "Inactive"),
                            ("active", "Active"),
                            ("redeemed", "Redeemed"),
                        ],
                        default="draft",
                        max_length=30,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("initial_balance_cents", models.BigIntegerField(default=0)),
                ("balance_cents", models.BigIntegerField(default=0)),
                ("single_use", models.BooleanField(default=False)),
                ("rechargeable", models.BooleanField(default=False)),
                ("image_url", models.TextField(blank=True, null=True)),
                ("recipient_email", models.TextField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        help_text="Owner of the gift card.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="gift_cards",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "market",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="gift_cards",
                        to="longshore_commerce.market",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="longshore_commerce.tag"
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="giftcard_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="giftcard_has_its_own_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("balance_cents__gte", 0)),
                        name="gift_card_is_not_overdrawn",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.CreateModel(
            name="Coupon",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("cpn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.TextField()),
                (
                    "customer_single_use",
                    models.BooleanField(
                        default=False, help_text="Each customer may use the coupon once."
                    ),
                ),
                (
                    "usage_limit",
                    models.PositiveIntegerField(
                        blank=True, help_text="Maximum number of uses; null for none.", null=True
                    ),
                ),
                ("usage_count", models.PositiveIntegerField(default=0)),
                (
                    "recipient_email",
                    models.TextField(
                        blank=True,
                        help_text="E-mail address of the only customer who may use the coupon.",
                        null=True,
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "promotion_rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="coupons",
                        to="longshore_commerce.promotionrule",
                    ),
                ),
                (
                    "tags",
                    models.ManyToManyField(
                        blank=True, related_name="+", to="longshore_commerce.tag"
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="coupon_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "code"), name="coupon_has_its_own_code"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="bundle",
            name="tags",
            field=models.ManyToManyField(blank=True, related_name="+", to="longshore_commerce.tag"),
        ),
        migrations.CreateModel(
            name="TaxCategory",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("tcat",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("code", models.TextField(help_text="Code in the tax calculator.")),
                ("sku_code", models.TextField()),
                ("tax_calculator", models.TextField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "sku",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tax_categories",
                        to="longshore_commerce.sku",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "tax categories",
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="taxcategory_newest"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Transaction",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("txn",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.TextField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("authorization", "Authorization"),
                            ("capture", "Capture"),
                            ("void", "Void"),
                            ("refund", "Refund"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                ("succeeded", models.BooleanField(default=False)),
                ("is_disputed", models.BooleanField(default=False)),
                ("is_test", models.BooleanField(default=False)),
                (
                    "message",
                    models.TextField(
                        blank=True, help_text="Message of the payment gateway.", null=True
                    ),
                ),
                (
                    "response_code",
                    models.TextField(
                        blank=True, help_text="Response code of the payment gateway.", null=True
                    ),
                ),
                (
                    "token",
                    models.TextField(
                        blank=True, help_text="Id of the payment in the payment gateway.", null=True
                    ),
                ),
                (
                    "gateway_transaction_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the transaction in the payment gateway.",
                        null=True,
                    ),
                ),
                (
                    "payment_details",
                    models.JSONField(
                        blank=True,
                        help_text="{gateway, bankcard_first_six, bankcard_last_four}.",
                        null=True,
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_commerce.customer",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="%(class)ss",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        help_text="Transaction that is captured, voided or refunded.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_commerce.transaction",
                    ),
                ),
                (
                    "payment_method",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_commerce.paymentmethod",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="transaction_newest"),
                    models.Index(
                        fields=["organization", "kind", "created_at"], name="transaction_kind"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "number"), name="transaction_has_its_own_number"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_cents__gte", 0)),
                        name="transaction_is_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("dsp",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("alert", "Alert"), ("chargeback", "Chargeback")],
                        default="alert",
                        max_length=30,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("new", "New"), ("open", "Open"), ("resolved", "Resolved")],
                        default="new",
                        max_length=30,
                    ),
                ),
                (
                    "resolution",
                    models.TextField(blank=True, help_text="won, lost, refunded…", null=True),
                ),
                (
                    "currency_code",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("amount_cents", models.BigIntegerField(default=0)),
                (
                    "arn",
                    models.TextField(blank=True, help_text="Acquirer reference number.", null=True),
                ),
                (
                    "case_number",
                    models.TextField(blank=True, help_text="Case number of the bank.", null=True),
                ),
                ("happened_at", models.DateTimeField(blank=True, null=True)),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
                        null=True,
                    ),
                ),
                (
                    "reference_origin",
                    models.TextField(
                        blank=True,
                        help_text="Name of the system that uses the reference.",
                        null=True,
                    ),
                ),
                ("metadata", models.JSONField(blank=True, default=dict)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="longshore_accounts.organization",
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="disputes",
                        to="longshore_commerce.order",
                    ),
                ),
                (
                    "transaction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="disputes",
                        to="longshore_commerce.transaction",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="dispute_newest"),
                    models.Index(fields=["organization", "happened_at"], name="dispute_happened"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="price",
            constraint=models.UniqueConstraint(
                fields=("sku", "price_list"), name="sku_has_a_price_in_a_list"
            ),
        ),
        migrations.AddConstraint(
            model_name="stockitem",
            constraint=models.UniqueConstraint(
                fields=("sku", "stock_location"), name="sku_has_one_stock_at_a_location"
            ),
        ),
        *(
            migrations.RunSQL(_KIND.format(kind), f"DROP VIEW longshore_commerce_{kind}")
            for kind in _KINDS
        ),
        migrations.RunSQL(_BUNDLE_ITEM, "DROP VIEW longshore_commerce_bundleitem"),
    ]
