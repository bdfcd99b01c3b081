import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.fields.json
import django.utils.timezone
import functools
import longshore.database.ids
import longshore.resources.fields
import longshore.resources.folding
import longshore.resources.search
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("longshore_accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Contact",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ctct",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField(blank=True)),
                ("nickname", models.TextField(blank=True, null=True)),
                (
                    "alternate_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="Other names that appear on labels.",
                        size=None,
                    ),
                ),
                ("email", models.TextField(blank=True, null=True)),
                (
                    "alternate_emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "phone",
                    models.TextField(
                        blank=True, help_text="International format: +14155550123.", null=True
                    ),
                ),
                (
                    "alternate_phones",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "id_number",
                    models.TextField(
                        blank=True, help_text="Employee, student or customer number.", null=True
                    ),
                ),
                (
                    "address",
                    models.JSONField(
                        blank=True,
                        help_text="Delivery address: {line1, line2, city, state, postal_code, country}.",
                        null=True,
                    ),
                ),
                (
                    "secondary_address",
                    models.JSONField(
                        blank=True,
                        help_text="Delivery address when the first one is closed.",
                        null=True,
                    ),
                ),
                (
                    "alternate_addresses",
                    models.JSONField(blank=True, default=list, help_text="Further addresses."),
                ),
                (
                    "is_primary",
                    models.BooleanField(
                        default=False,
                        help_text="Receives parcels to the location that name no recipient.",
                    ),
                ),
                ("notes", models.TextField(blank=True, null=True)),
                (
                    "experimental",
                    models.JSONField(
                        blank=True, help_text="Experimental settings: {setting: value}.", null=True
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "name", "nickname", "email", "phone", "id_number"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                    models.Index(fields=["organization", "name"], name="contact_by_name"),
                    models.Index(fields=["organization", "created_at"], name="contact_by_creation"),
                    models.Index(fields=["organization", "email"], name="contact_by_email"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("name"),
                        name="contact_in_order_of_name",
                    ),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("email"),
                        name="contact_in_order_of_email",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="contact_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("grp",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "resource",
                    models.CharField(
                        choices=[
                            ("contact", "Contact"),
                            ("location", "Location"),
                            ("item", "Item"),
                        ],
                        default="contact",
                        max_length=20,
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts("name", "external_id"),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="longshore_logistics.group",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "name"], name="group_by_name"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("name"),
                        name="group_in_order_of_name",
                    ),
                    models.Index(fields=["organization", "created_at"], name="group_by_creation"),
                    models.Index(
                        condition=models.Q(("parent__isnull", False)),
                        fields=["parent"],
                        name="group_by_parent",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="group_by_words"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("parent__isnull", True),
                            models.Q(("parent", models.F("id")), _negated=True),
                            _connector="OR",
                        ),
                        name="group_is_not_its_own_parent",
                        violation_error_message="A group cannot be its own parent.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="longshore_logistics.contact",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="longshore_logistics.group",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["group", "contact"], name="contact_group_by_group"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "group"), name="contact_is_in_a_group_only_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="groups",
            field=models.ManyToManyField(
                blank=True,
                related_name="contacts",
                through="longshore_logistics.ContactGroup",
                to="longshore_logistics.group",
            ),
        ),
        migrations.CreateModel(
            name="Item",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("item",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                ("description", models.TextField(blank=True, null=True)),
                (
                    "sku",
                    models.TextField(
                        blank=True, help_text="Stock keeping unit of the organization.", null=True
                    ),
                ),
                (
                    "upc",
                    models.TextField(
                        blank=True, help_text="Universal product code, 12 digits.", null=True
                    ),
                ),
                (
                    "gtin",
                    models.TextField(
                        blank=True, help_text="Global trade item number, 8 to 14 digits.", null=True
                    ),
                ),
                (
                    "harmonized_code",
                    models.TextField(blank=True, help_text="Customs tariff code.", null=True),
                ),
                ("color", models.TextField(blank=True, null=True)),
                ("size", models.TextField(blank=True, null=True)),
                (
                    "attributes",
                    models.JSONField(blank=True, default=list, help_text="[{name, value}]."),
                ),
                (
                    "images",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="URLs.",
                        size=None,
                    ),
                ),
                (
                    "length",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In centimetres.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "width",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In centimetres.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "height",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In centimetres.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "weight",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In kilograms.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "packaged",
                    models.JSONField(
                        blank=True,
                        help_text="Dimensions with packaging: {length, width, height, weight}.",
                        null=True,
                    ),
                ),
                (
                    "origin_country",
                    models.TextField(blank=True, help_text="ISO 3166-1 alpha-2 code.", null=True),
                ),
                (
                    "value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="In `currency`.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "currency",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("vendor", models.TextField(blank=True, null=True)),
                (
                    "is_asset",
                    models.BooleanField(default=False, help_text="Whether each piece is an asset."),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "name", "description", "sku", "upc", "gtin", "vendor"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                    models.Index(fields=["organization", "name"], name="item_by_name"),
                    models.Index(fields=["organization", "created_at"], name="item_by_creation"),
                    models.Index(fields=["organization", "sku"], name="item_by_sku"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("name"),
                        name="item_in_order_of_name",
                    ),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("sku"),
                        name="item_in_order_of_sku",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="item_by_words"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("loc",), **{}),
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
                        blank=True, help_text="Short code on signs and labels.", null=True
                    ),
                ),
                ("email", models.TextField(blank=True, null=True)),
                ("address", models.JSONField(blank=True, null=True)),
                (
                    "service_levels",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Offered services: [{id, name, provider}].",
                    ),
                ),
                (
                    "provider_instructions",
                    models.JSONField(
                        blank=True,
                        help_text="Instructions for carriers: {carrier: text}.",
                        null=True,
                    ),
                ),
                (
                    "operating_hours",
                    models.JSONField(
                        blank=True,
                        help_text="{day: {active, open, close}}, in local time.",
                        null=True,
                    ),
                ),
                (
                    "holidays",
                    models.JSONField(
                        blank=True, default=list, help_text="Days off: [{name, date}]."
                    ),
                ),
                (
                    "users",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Users who work at the location: [{id, name, email}].",
                    ),
                ),
                (
                    "kiosk_message",
                    models.TextField(
                        blank=True, help_text="Message to visitors at the kiosk.", null=True
                    ),
                ),
                (
                    "pickup_types",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="Ways to collect parcels: counter, locker, curbside.",
                        size=None,
                    ),
                ),
                (
                    "marketplace",
                    models.JSONField(
                        blank=True, help_text="Public listing: {listed, title}.", null=True
                    ),
                ),
                ("last_audited_at", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "name",
                            "code",
                            "email",
                            django.db.models.fields.json.KeyTextTransform("city", "address"),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                    "terminal_location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Location where parcels of this location are consolidated.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="feeders",
                        to="longshore_logistics.location",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "name"], name="location_by_name"),
                    models.Index(
                        models.F("organization"),
                        longshore.resources.folding.SortKey("name"),
                        name="location_in_order_of_name",
                    ),
                    models.Index(
                        fields=["organization", "created_at"], name="location_by_creation"
                    ),
                    models.Index(
                        condition=models.Q(("terminal_location__isnull", False)),
                        fields=["terminal_location"],
                        name="location_by_terminal",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="location_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Level",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("lvl",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "layout_id",
                    models.TextField(
                        blank=True,
                        default="",
                        help_text="Shelf or zone; empty for the whole location.",
                    ),
                ),
                ("layout_name", models.TextField(blank=True, null=True)),
                ("verified_qty", models.PositiveIntegerField(default=0)),
                ("damaged_qty", models.PositiveIntegerField(default=0)),
                ("manifested_qty", models.PositiveIntegerField(default=0)),
                ("reserved_qty", models.PositiveIntegerField(default=0)),
                (
                    "item",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="levels",
                        to="longshore_logistics.item",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="levels",
                        to="longshore_logistics.location",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["location", "layout_id"], name="level_by_place"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("item", "location", "layout_id"),
                        name="item_has_one_level_at_a_place",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="group",
            name="location",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="groups",
                to="longshore_logistics.location",
            ),
        ),
        migrations.CreateModel(
            name="Fulfillment",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ful",), **{}),
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
                            ("created", "Created"),
                            ("processing", "Processing"),
                            ("picked", "Picked"),
                            ("packed", "Packed"),
                            ("shipping", "Shipping"),
                            ("completed", "Completed"),
                            ("canceled", "Canceled"),
                        ],
                        db_collation="C",
                        default="created",
                        max_length=20,
                    ),
                ),
                ("order_number", models.TextField(blank=True, null=True)),
                (
                    "recipient",
                    models.JSONField(
                        blank=True,
                        help_text="{name, email, phone, address, contact_id}.",
                        null=True,
                    ),
                ),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "order_number",
                            "external_id",
                            django.db.models.fields.json.KeyTextTransform("name", "recipient"),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Location where the order is picked.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="fulfillments",
                        to="longshore_logistics.location",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="fulfillment_by_creation"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"],
                        name="fulfillment_by_status",
                    ),
                    models.Index(
                        condition=models.Q(("location__isnull", False)),
                        fields=["location"],
                        name="fulfillment_by_location",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="fulfillment_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactLocation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="longshore_logistics.contact",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="longshore_logistics.location",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["location", "contact"], name="contact_location_by_place"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "location"), name="contact_is_at_a_location_only_once"
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="contact",
            name="location",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Primary location of the contact.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="primary_contacts",
                to="longshore_logistics.location",
            ),
        ),
        migrations.AddField(
            model_name="contact",
            name="locations",
            field=models.ManyToManyField(
                blank=True,
                related_name="contacts",
                through="longshore_logistics.ContactLocation",
                to="longshore_logistics.location",
            ),
        ),
        migrations.CreateModel(
            name="Asset",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ast",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.TextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("in_use", "In Use"),
                            ("in_storage", "In Storage"),
                            ("on_loan", "On Loan"),
                            ("in_repair", "In Repair"),
                            ("in_transit", "In Transit"),
                            ("in_pipeline", "In Pipeline"),
                            ("lost", "Lost"),
                            ("missing", "Missing"),
                            ("stolen", "Stolen"),
                            ("donated", "Donated"),
                            ("disposed", "Disposed"),
                            ("out_of_service", "Out Of Service"),
                            ("for_sale", "For Sale"),
                            ("sold", "Sold"),
                        ],
                        db_collation="C",
                        default="in_storage",
                        max_length=20,
                    ),
                ),
                ("serial_number", models.TextField(blank=True, null=True)),
                (
                    "sku",
                    models.TextField(
                        blank=True, help_text="Stock keeping unit of the organization.", null=True
                    ),
                ),
                (
                    "gtin",
                    models.TextField(
                        blank=True, help_text="Global trade item number, 8 to 14 digits.", null=True
                    ),
                ),
                (
                    "harmonized_code",
                    models.TextField(blank=True, help_text="Customs tariff code.", null=True),
                ),
                ("layout_id", models.TextField(blank=True, help_text="Shelf or zone.", null=True)),
                (
                    "assignee",
                    models.TextField(
                        blank=True,
                        help_text="Name or id of the person who has the asset.",
                        null=True,
                    ),
                ),
                ("vendor", models.TextField(blank=True, null=True)),
                (
                    "currency",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                (
                    "value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="In `currency`.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "images",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="URLs.",
                        size=None,
                    ),
                ),
                (
                    "dimensions",
                    models.JSONField(
                        blank=True,
                        help_text="{length, width, height} in centimetres, {weight} in kilograms.",
                        null=True,
                    ),
                ),
                (
                    "attributes",
                    models.JSONField(blank=True, default=list, help_text="[{name, value}]."),
                ),
                ("next_maintenance_date", models.DateTimeField(blank=True, null=True)),
                ("warranty_valid_until", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "name", "serial_number", "sku", "gtin", "assignee", "vendor"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
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
                    "item",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Product of the asset.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assets",
                        to="longshore_logistics.item",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="assets",
                        to="longshore_logistics.location",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="asset_by_creation"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="asset_by_status"
                    ),
                    models.Index(
                        condition=models.Q(("item__isnull", False)),
                        fields=["item"],
                        name="asset_by_item",
                    ),
                    models.Index(
                        condition=models.Q(("location__isnull", False)),
                        fields=["location"],
                        name="asset_by_location",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"), name="asset_by_words"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Manifest",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("man",), **{}),
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
                            ("created", "Created"),
                            ("in_transit", "In Transit"),
                            ("arrived", "Arrived"),
                            ("processing", "Processing"),
                            ("processed", "Processed"),
                            ("completed", "Completed"),
                            ("canceled", "Canceled"),
                        ],
                        db_collation="C",
                        default="created",
                        max_length=20,
                    ),
                ),
                (
                    "containers",
                    models.JSONField(blank=True, default=list, help_text="[{id, type, seal}]."),
                ),
                ("order_number", models.TextField(blank=True, null=True)),
                ("invoice_number", models.TextField(blank=True, null=True)),
                ("purchase_order_number", models.TextField(blank=True, null=True)),
                ("reference_number", models.TextField(blank=True, null=True)),
                ("container_number", models.TextField(blank=True, null=True)),
                ("load_number", models.TextField(blank=True, null=True)),
                (
                    "special_handling_tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="fragile, refrigerated, hazardous…",
                        size=None,
                    ),
                ),
                ("arrived_at", models.DateTimeField(blank=True, null=True)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "order_number",
                            "invoice_number",
                            "purchase_order_number",
                            "reference_number",
                            "container_number",
                            "load_number",
                            "external_id",
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Location where the delivery arrives.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="manifests",
                        to="longshore_logistics.location",
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
                        fields=["organization", "created_at"], name="manifest_by_creation"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="manifest_by_status"
                    ),
                    models.Index(
                        condition=models.Q(("location__isnull", False)),
                        fields=["location"],
                        name="manifest_by_location",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="manifest_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Article",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("art",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("requested_qty", models.PositiveIntegerField(default=0)),
                ("picked_qty", models.PositiveIntegerField(default=0)),
                ("packed_qty", models.PositiveIntegerField(default=0)),
                ("received_qty", models.PositiveIntegerField(default=0)),
                ("comment", models.TextField(blank=True, null=True)),
                (
                    "sku",
                    models.TextField(
                        blank=True,
                        help_text="SKU at the time of the order; the item's SKU may have changed since.",
                        null=True,
                    ),
                ),
                ("name", models.TextField(blank=True)),
                (
                    "value",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Value of one piece.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "fulfillment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="articles",
                        to="longshore_logistics.fulfillment",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="articles",
                        to="longshore_logistics.item",
                    ),
                ),
                (
                    "manifest",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="articles",
                        to="longshore_logistics.manifest",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("fulfillment__isnull", False)),
                        fields=["fulfillment"],
                        name="article_by_fulfillment",
                    ),
                    models.Index(
                        condition=models.Q(("manifest__isnull", False)),
                        fields=["manifest"],
                        name="article_by_manifest",
                    ),
                    models.Index(
                        condition=models.Q(("item__isnull", False)),
                        fields=["item"],
                        name="article_by_item",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("fulfillment__isnull", True),
                            ("manifest__isnull", True),
                            _connector="XOR",
                        ),
                        name="article_is_on_a_fulfillment_or_a_manifest",
                        violation_error_message="An article belongs to either a fulfillment or a manifest.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ShippingLabelInference",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(
                            longshore.database.ids.new_id, *("inf_sl",), **{}
                        ),
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
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("needs_review", "Needs Review"),
                            ("failed", "Failed"),
                        ],
                        db_collation="C",
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("image_url", models.TextField(blank=True, null=True)),
                (
                    "media_urls",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="Further photographs.",
                        size=None,
                    ),
                ),
                (
                    "raw_text",
                    models.TextField(
                        blank=True, help_text="All text on the label, line by line.", null=True
                    ),
                ),
                (
                    "barcode_values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "layout",
                    models.JSONField(
                        blank=True, help_text="Shelf or zone of the scan: {id, name}.", null=True
                    ),
                ),
                (
                    "recipient",
                    models.JSONField(
                        blank=True,
                        help_text="{name, email, phone, address, contact_id}.",
                        null=True,
                    ),
                ),
                (
                    "sender",
                    models.JSONField(
                        blank=True,
                        help_text="{name, email, phone, address, contact_id}.",
                        null=True,
                    ),
                ),
                (
                    "extracted_recipient_name",
                    models.TextField(
                        blank=True, help_text="Name as printed on the label.", null=True
                    ),
                ),
                (
                    "extracted_sender_name",
                    models.TextField(
                        blank=True, help_text="Name as printed on the label.", null=True
                    ),
                ),
                (
                    "provider",
                    models.JSONField(
                        blank=True,
                        help_text="Recognized carrier: {id, name, confidence}.",
                        null=True,
                    ),
                ),
                (
                    "providers",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="All candidate carriers: [{id, name, confidence}].",
                    ),
                ),
                (
                    "provider_name",
                    models.TextField(
                        blank=True, help_text="Carrier code: fedex, ups, usps…", null=True
                    ),
                ),
                ("provider_id", models.TextField(blank=True, null=True)),
                ("service_level_id", models.TextField(blank=True, null=True)),
                ("service_level_name", models.TextField(blank=True, null=True)),
                ("account_id", models.TextField(blank=True, null=True)),
                ("tracking_number", models.TextField(blank=True, null=True)),
                ("order_number", models.TextField(blank=True, null=True)),
                (
                    "rma_number",
                    models.TextField(
                        blank=True, help_text="Return merchandise authorization number.", null=True
                    ),
                ),
                ("purchase_order", models.TextField(blank=True, null=True)),
                ("reference_number", models.TextField(blank=True, null=True)),
                ("invoice_number", models.TextField(blank=True, null=True)),
                (
                    "weight",
                    models.DecimalField(
                        blank=True,
                        decimal_places=3,
                        help_text="In kilograms.",
                        max_digits=12,
                        null=True,
                    ),
                ),
                (
                    "dimensions",
                    models.JSONField(
                        blank=True, help_text="{length, width, height} in centimetres.", null=True
                    ),
                ),
                (
                    "matches",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Candidate recipients: [{contact_id, name, score}].",
                    ),
                ),
                (
                    "errors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="Reasons why recognition failed.",
                        size=None,
                    ),
                ),
                (
                    "exceptions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="Findings that need a review.",
                        size=None,
                    ),
                ),
                ("error_details", models.JSONField(blank=True, null=True)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("notes", models.TextField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "tracking_number",
                            "order_number",
                            "reference_number",
                            "extracted_recipient_name",
                            "extracted_sender_name",
                            "provider_name",
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="inferences",
                        to="longshore_logistics.location",
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
                        fields=["organization", "created_at"], name="inference_by_creation"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="inference_by_status"
                    ),
                    models.Index(fields=["tracking_number"], name="inference_by_tracking_number"),
                    models.Index(
                        condition=models.Q(("location__isnull", False)),
                        fields=["location"],
                        name="inference_by_location",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="inference_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Shipment",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("ship",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("inbound", "Inbound"), ("outbound", "Outbound")],
                        default="outbound",
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("pending", "Pending"),
                            ("purchased", "Purchased"),
                            ("picked_up", "Picked Up"),
                            ("in_transit", "In Transit"),
                            ("out_for_delivery", "Out For Delivery"),
                            ("pickup_available", "Pickup Available"),
                            ("delivered", "Delivered"),
                            ("completed", "Completed"),
                            ("delayed", "Delayed"),
                            ("exception", "Exception"),
                            ("returned", "Returned"),
                            ("lost", "Lost"),
                            ("canceled", "Canceled"),
                        ],
                        db_collation="C",
                        default="created",
                        max_length=20,
                    ),
                ),
                (
                    "provider",
                    models.TextField(
                        blank=True, help_text="Carrier code: fedex, ups, usps…", null=True
                    ),
                ),
                ("tracking_number", models.TextField(blank=True, null=True)),
                ("tracking_url", models.TextField(blank=True, null=True)),
                (
                    "tracking_updates",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Messages of the carrier, oldest first: [{status, at, message}].",
                    ),
                ),
                ("label_url", models.TextField(blank=True, null=True)),
                (
                    "amount",
                    models.IntegerField(
                        blank=True, help_text="Price of the label, in minor units.", null=True
                    ),
                ),
                (
                    "billed_amount",
                    models.IntegerField(
                        blank=True,
                        help_text="Amount that the carrier finally charged, in minor units.",
                        null=True,
                    ),
                ),
                (
                    "fee",
                    models.IntegerField(
                        blank=True, help_text="Handling fee, in minor units.", null=True
                    ),
                ),
                (
                    "currency",
                    models.CharField(default="USD", help_text="ISO 4217 code.", max_length=3),
                ),
                ("paid", models.BooleanField(default=False)),
                ("payment_reference", models.TextField(blank=True, null=True)),
                (
                    "refund_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("requested", "Requested"),
                            ("refunded", "Refunded"),
                            ("rejected", "Rejected"),
                        ],
                        max_length=20,
                        null=True,
                    ),
                ),
                (
                    "rates",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Offers: [{provider, service, amount, currency, days}].",
                    ),
                ),
                (
                    "recommended_rate",
                    models.JSONField(blank=True, help_text="The recommended offer.", null=True),
                ),
                (
                    "purchased_rate",
                    models.JSONField(blank=True, help_text="The purchased offer.", null=True),
                ),
                ("rates_generated_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lead_time_mins",
                    models.IntegerField(
                        blank=True, help_text="Minutes from creation to pickup.", null=True
                    ),
                ),
                (
                    "recipient",
                    models.JSONField(
                        blank=True, help_text="{name, email, phone, address}.", null=True
                    ),
                ),
                (
                    "sender",
                    models.JSONField(
                        blank=True, help_text="{name, email, phone, address}.", null=True
                    ),
                ),
                (
                    "coordinates",
                    models.JSONField(
                        blank=True,
                        help_text="Last known position: {latitude, longitude}.",
                        null=True,
                    ),
                ),
                (
                    "parcels",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="[{length, width, height, weight}] in centimetres and kilograms.",
                    ),
                ),
                (
                    "customs",
                    models.JSONField(
                        blank=True, help_text="{contents, incoterm, items}.", null=True
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        blank=True,
                        help_text="{signature, insurance, saturday_delivery}.",
                        null=True,
                    ),
                ),
                (
                    "barcode_values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("layout_id", models.TextField(blank=True, help_text="Shelf or zone.", null=True)),
                ("container_id", models.TextField(blank=True, null=True)),
                ("invoice_id", models.TextField(blank=True, null=True)),
                (
                    "user_id",
                    models.TextField(
                        blank=True, help_text="Id of the user who created the shipment.", null=True
                    ),
                ),
                (
                    "account_id",
                    models.TextField(
                        blank=True, help_text="Carrier account that is billed.", null=True
                    ),
                ),
                ("order_number", models.TextField(blank=True, null=True)),
                (
                    "rma_number",
                    models.TextField(
                        blank=True, help_text="Return merchandise authorization number.", null=True
                    ),
                ),
                ("invoice_number", models.TextField(blank=True, null=True)),
                ("purchase_order", models.TextField(blank=True, null=True)),
                ("reference_number", models.TextField(blank=True, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                ("estimated_delivery_at", models.DateTimeField(blank=True, null=True)),
                ("pickup_at", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "tracking_number",
                            "order_number",
                            "rma_number",
                            "invoice_number",
                            "purchase_order",
                            "reference_number",
                            django.db.models.fields.json.KeyTextTransform("name", "recipient"),
                            django.db.models.fields.json.KeyTextTransform("name", "sender"),
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
                    ),
                ),
                (
                    "destination_contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments_to",
                        to="longshore_logistics.contact",
                    ),
                ),
                (
                    "fulfillment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments",
                        to="longshore_logistics.fulfillment",
                    ),
                ),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments",
                        to="longshore_logistics.location",
                    ),
                ),
                (
                    "manifest",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments",
                        to="longshore_logistics.manifest",
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
                    "sender_contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments_from",
                        to="longshore_logistics.contact",
                    ),
                ),
                (
                    "inference",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Scanned label from which the shipment was created.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="shipments",
                        to="longshore_logistics.shippinglabelinference",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(
                        fields=["organization", "created_at"], name="shipment_by_creation"
                    ),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="shipment_by_status"
                    ),
                    models.Index(fields=["tracking_number"], name="shipment_by_tracking_number"),
                    models.Index(
                        condition=models.Q(("destination_contact__isnull", False)),
                        fields=["destination_contact"],
                        name="shipment_by_destination",
                    ),
                    models.Index(
                        condition=models.Q(("sender_contact__isnull", False)),
                        fields=["sender_contact"],
                        name="shipment_by_sender",
                    ),
                    models.Index(
                        condition=models.Q(("location__isnull", False)),
                        fields=["location"],
                        name="shipment_by_location",
                    ),
                    models.Index(
                        condition=models.Q(("fulfillment__isnull", False)),
                        fields=["fulfillment"],
                        name="shipment_by_fulfillment",
                    ),
                    models.Index(
                        condition=models.Q(("manifest__isnull", False)),
                        fields=["manifest"],
                        name="shipment_by_manifest",
                    ),
                    models.Index(
                        condition=models.Q(("inference__isnull", False)),
                        fields=["inference"],
                        name="shipment_by_inference",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="shipment_by_words",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tracker",
            fields=[
                (
                    "id",
                    longshore.resources.fields.IdField(
                        db_collation="C",
                        default=functools.partial(longshore.database.ids.new_id, *("track",), **{}),
                        editable=False,
                        max_length=40,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[("inbound", "Inbound"), ("outbound", "Outbound")],
                        default="inbound",
                        max_length=20,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("created", "Created"),
                            ("pending", "Pending"),
                            ("purchased", "Purchased"),
                            ("picked_up", "Picked Up"),
                            ("in_transit", "In Transit"),
                            ("out_for_delivery", "Out For Delivery"),
                            ("pickup_available", "Pickup Available"),
                            ("delivered", "Delivered"),
                            ("completed", "Completed"),
                            ("delayed", "Delayed"),
                            ("exception", "Exception"),
                            ("returned", "Returned"),
                            ("lost", "Lost"),
                            ("canceled", "Canceled"),
                        ],
                        db_collation="C",
                        default="created",
                        max_length=20,
                    ),
                ),
                (
                    "chained_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("created", "Created"),
                            ("pending", "Pending"),
                            ("purchased", "Purchased"),
                            ("picked_up", "Picked Up"),
                            ("in_transit", "In Transit"),
                            ("out_for_delivery", "Out For Delivery"),
                            ("pickup_available", "Pickup Available"),
                            ("delivered", "Delivered"),
                            ("completed", "Completed"),
                            ("delayed", "Delayed"),
                            ("exception", "Exception"),
                            ("returned", "Returned"),
                            ("lost", "Lost"),
                            ("canceled", "Canceled"),
                        ],
                        help_text="Status of the whole chain of shipments.",
                        max_length=20,
                        null=True,
                    ),
                ),
                (
                    "provider",
                    models.TextField(
                        blank=True, help_text="Carrier code: fedex, ups, usps…", null=True
                    ),
                ),
                ("tracking_number", models.TextField(blank=True, null=True)),
                ("tracking_url", models.TextField(blank=True, null=True)),
                (
                    "tracking_updates",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Messages of the carrier, oldest first: [{status, at, message}].",
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None
                    ),
                ),
                ("destination_address", models.JSONField(blank=True, null=True)),
                (
                    "destination_layout",
                    models.JSONField(blank=True, help_text="Shelf or zone: {id, name}.", null=True),
                ),
                (
                    "auto_close_shipments_option",
                    models.BooleanField(
                        default=False,
                        help_text="Complete the shipments when the tracker reaches `auto_close_shipments_status`.",
                    ),
                ),
                (
                    "auto_close_shipments_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("created", "Created"),
                            ("pending", "Pending"),
                            ("purchased", "Purchased"),
                            ("picked_up", "Picked Up"),
                            ("in_transit", "In Transit"),
                            ("out_for_delivery", "Out For Delivery"),
                            ("pickup_available", "Pickup Available"),
                            ("delivered", "Delivered"),
                            ("completed", "Completed"),
                            ("delayed", "Delayed"),
                            ("exception", "Exception"),
                            ("returned", "Returned"),
                            ("lost", "Lost"),
                            ("canceled", "Canceled"),
                        ],
                        max_length=20,
                        null=True,
                    ),
                ),
                ("estimated_delivery_at", models.DateTimeField(blank=True, null=True)),
                (
                    "search_text",
                    models.GeneratedField(
                        db_persist=True,
                        expression=longshore.resources.fields.JoinedTexts(
                            "tracking_number", "external_id", "provider"
                        ),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "external_id",
                    models.TextField(
                        blank=True,
                        help_text="Id of the record in the organization's own systems.",
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
                    "updated_by",
                    models.TextField(
                        blank=True,
                        help_text="Id of the user or API key that last changed the record.",
                        null=True,
                    ),
                ),
                (
                    "current_shipment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Current shipment of the chain.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_logistics.shipment",
                    ),
                ),
                (
                    "destination_contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trackers_to",
                        to="longshore_logistics.contact",
                    ),
                ),
                (
                    "destination_location",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trackers",
                        to="longshore_logistics.location",
                    ),
                ),
                (
                    "final_chained_shipment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Last shipment of the chain.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="longshore_logistics.shipment",
                    ),
                ),
                (
                    "manifest",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trackers",
                        to="longshore_logistics.manifest",
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
                    "sender_contact",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trackers_from",
                        to="longshore_logistics.contact",
                    ),
                ),
            ],
            options={
                "ordering": ("-created_at",),
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="tracker_by_creation"),
                    models.Index(
                        fields=["organization", "status", "created_at"], name="tracker_by_status"
                    ),
                    models.Index(fields=["tracking_number"], name="tracker_by_tracking_number"),
                    models.Index(
                        condition=models.Q(("destination_contact__isnull", False)),
                        fields=["destination_contact", "type"],
                        name="tracker_by_destination",
                    ),
                    models.Index(
                        condition=models.Q(("sender_contact__isnull", False)),
                        fields=["sender_contact"],
                        name="tracker_by_sender",
                    ),
                    models.Index(
                        condition=models.Q(("destination_location__isnull", False)),
                        fields=["destination_location"],
                        name="tracker_by_location",
                    ),
                    models.Index(
                        condition=models.Q(("manifest__isnull", False)),
                        fields=["manifest"],
                        name="tracker_by_manifest",
                    ),
                    models.Index(
                        condition=models.Q(("current_shipment__isnull", False)),
                        fields=["current_shipment"],
                        name="tracker_by_shipment",
                    ),
                    models.Index(
                        condition=models.Q(("final_chained_shipment__isnull", False)),
                        fields=["final_chained_shipment"],
                        name="tracker_by_final_shipment",
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        longshore.resources.search.SearchWords("search_text"),
                        name="tracker_by_words",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="shippinglabelinference",
            name="tracker",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="inferences",
                to="longshore_logistics.tracker",
            ),
        ),
        migrations.AddField(
            model_name="shipment",
            name="tracker",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="shipments",
                to="longshore_logistics.tracker",
            ),
        ),
        migrations.AddIndex(
            model_name="group",
            index=models.Index(
                condition=models.Q(("location__isnull", False)),
                fields=["location"],
                name="group_by_location",
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
        migrations.AddIndex(
            model_name="shippinglabelinference",
            index=models.Index(
                condition=models.Q(("tracker__isnull", False)),
                fields=["tracker"],
                name="inference_by_tracker",
            ),
        ),
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(
                condition=models.Q(("tracker__isnull", False)),
                fields=["tracker"],
                name="shipment_by_tracker",
            ),
        ),
    ]
