"""The ten logistics resources."""

from longshore.domains.logistics.models import (
    Asset,
    Contact,
    Direction,
    Fulfillment,
    Group,
    Item,
    Location,
    Manifest,
    Shipment,
    ShippingLabelInference,
    Tracker,
)
from longshore.domains.logistics.models.base import Record
from longshore.resources.columns import Column, ColumnType, field_column
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Resource, register
from longshore.resources.relations import Relation

_TRACKERS_OF_CONTACT = """(
    SELECT count(*) FROM longshore_logistics_tracker AS counted
    WHERE counted.destination_contact_id = {{row}}.id AND counted.type = '{direction}'
    AND counted.organization_id = {{row}}.organization_id)"""
_TRACKERS_OF_GROUP = """(
    SELECT count(*) FROM longshore_logistics_contactgroup AS member
    JOIN longshore_logistics_tracker AS counted
      ON counted.destination_contact_id = member.contact_id
    WHERE member.group_id = {{row}}.id AND counted.type = '{direction}'
    AND counted.organization_id = {{row}}.organization_id)"""
_CHILDREN = """(
    SELECT count(*) FROM longshore_logistics_group AS child
    WHERE child.parent_id = {row}.id AND child.organization_id = {row}.organization_id)"""
_ADDRESSES = """jsonb_path_query_array(
    jsonb_build_array({row}.address, {row}.secondary_address) || {row}.alternate_addresses,
    '$[*] ? (@ != null)')"""

_NO_INVENTORY = """NOT EXISTS (
    SELECT FROM longshore_logistics_level AS level
    WHERE level.item_id = {row}.id AND level.verified_qty > 0)"""
_ARCHIVED = "{row}.status IN ('donated', 'disposed', 'sold')"
_USER_IDS = """ARRAY(
    SELECT jsonb_array_elements_text(jsonb_path_query_array({row}.users, '$[*].id')))"""


def _declare(
    model: type[Record],
    name: str,
    *relations: Relation,
    includes: tuple[str, ...] = (),
    columns: tuple[Column, ...] = (),
    default_columns: tuple[str, ...] = (),
    hidden: frozenset[str] = frozenset(),
    filters: tuple[NamedFilter, ...] = (),
    writable_relations: tuple[str, ...] = (),
    required: tuple[str, ...] = (),
    actions: tuple[str, ...] = ("merge", "overwrite", "delete"),
) -> None:
    """Register a model with its search text as the column `_search`."""
    search = field_column(model, "search_text", called="_search")
    register(
        Resource(
            name=name,
            plural=f"{name}s",
            model=model,
            relations=relations,
            includes=includes,
            columns=(*columns, search),
            default_columns=default_columns,
            hidden=hidden | {"search_text"},
            filters=filters,
            search="search_text",
            writable_relations=writable_relations,
            required=required,
            actions=actions,
        )
    )


def _tracker_counts(template: str) -> tuple[Column, Column]:
    """Return the counts of trackers to a contact or a group, outbound and inbound."""
    inbound, outbound = (template.format(direction=direction) for direction in Direction.values)
    return (
        Column("_outbound_trackers", ColumnType.INTEGER, outbound),
        Column("_inbound_trackers", ColumnType.INTEGER, inbound),
    )


def _checksum(*names: str) -> Column:
    """Return a column with a hash of the given columns."""
    values = ", ".join(f"{{row}}.{name}" for name in names)
    return Column("checksum", ColumnType.TEXT, f"md5(jsonb_build_array({values})::text)")


_ARTICLES = Relation(
    "articles",
    fields=(
        "id",
        "item_id",
        "requested_qty",
        "picked_qty",
        "packed_qty",
        "received_qty",
        "comment",
        "sku",
        "name",
        "value",
    ),
    singular="article",
)
_LOCATION = Relation("location")
_CONTACTS = (Relation("destination_contact"), Relation("sender_contact"))
_MANIFEST = Relation("manifest", "reference_number", ("id", "reference_number", "status"))
_TRACKER = Relation("tracker", "tracking_number", ("id", "tracking_number", "status", "type"))
_GROUPS = Relation("groups", fields=("id", "name", "location_id"), singular="group")
_SHIPMENT_FIELDS = ("id", "tracking_number", "status")

_declare(
    Contact,
    "contact",
    _GROUPS,
    _LOCATION,
    Relation("locations", singular="location"),
    includes=("groups.location", "groups.parent", "locations"),
    columns=(
        Column("primary_address", ColumnType.JSON, "{row}.address"),
        Column("addresses", ColumnType.JSON, _ADDRESSES),
        _checksum(
            *("name", "nickname", "alternate_names", "email", "alternate_emails", "phone"),
            *("alternate_phones", "id_number", "address", "secondary_address"),
            *("alternate_addresses", "is_primary", "notes", "external_id", "metadata"),
        ),
        field_column(Contact, "experimental", called="_experimental"),
        *_tracker_counts(_TRACKERS_OF_CONTACT),
    ),
    # The filter `location_id` matches any location of a contact, not only the primary one.
    hidden=frozenset({"experimental", "location"}),
    writable_relations=("groups", "location", "locations"),
)
_declare(
    Group,
    "group",
    _LOCATION,
    Relation("parent"),
    Relation("children", singular="child"),
    includes=("location", "parent.location", "children.children.location", "contacts"),
    columns=(
        Column("children_count", ColumnType.INTEGER, _CHILDREN),
        _checksum("name", "resource", "location_id", "parent_id", "external_id", "metadata"),
        *_tracker_counts(_TRACKERS_OF_GROUP),
    ),
)
_declare(
    Fulfillment,
    "fulfillment",
    _LOCATION,
    _ARTICLES,
    includes=("location",),
    writable_relations=("articles",),
)
_declare(
    Item,
    "item",
    Relation(
        "levels",
        label="layout_name",
        fields=(
            "id",
            "location_id",
            "layout_id",
            "layout_name",
            "verified_qty",
            "damaged_qty",
            "manifested_qty",
            "reserved_qty",
        ),
        singular="level",
    ),
    filters=(
        NamedFilter(
            "location_id", "Items with a level at the location.", paths=("levels.location_id",)
        ),
        NamedFilter("layout_id", "Items with a level at the layout.", paths=("levels.layout_id",)),
        NamedFilter(
            "include_zero_inventory",
            "`false` excludes items without a verified quantity at any level.",
            expression=_NO_INVENTORY,
            inclusive=True,
        ),
    ),
    writable_relations=("levels",),
)
_declare(
    Location,
    "location",
    _GROUPS,
    Relation("terminal_location"),
    includes=("groups", "terminal_location"),
    filters=(
        NamedFilter(
            "user_id",
            "Locations with a user with this id in `users`.",
            kind=ColumnType.LIST,
            expression=_USER_IDS,
        ),
    ),
)
_declare(
    Manifest,
    "manifest",
    _LOCATION,
    _ARTICLES,
    includes=("location", "trackers"),
    writable_relations=("articles",),
)
_declare(
    Shipment,
    "shipment",
    *_CONTACTS,
    _LOCATION,
    Relation("fulfillment", "order_number", ("id", "order_number", "status")),
    _MANIFEST,
    Relation("inference", "tracking_number", _SHIPMENT_FIELDS),
    _TRACKER,
    default_columns=(
        *("id", "tracking_number", "status", "provider", "type", "order_number", "location"),
        *("destination_contact", "amount", "currency", "paid", "tags", "notes", "manifest"),
        *("reference_number", "estimated_delivery_at", "pickup_at", "created_at", "updated_at"),
    ),
    includes=(
        "destination_contact.groups.location",
        "sender_contact",
        "location",
        "fulfillment",
        "manifest.location",
        "inference",
        "tracker",
    ),
    required=("tracking_number",),
    actions=("merge",),
)
_declare(
    Tracker,
    "tracker",
    Relation("destination_location"),
    *_CONTACTS,
    _MANIFEST,
    Relation("current_shipment", "tracking_number", _SHIPMENT_FIELDS),
    Relation("final_chained_shipment", "tracking_number", _SHIPMENT_FIELDS),
    includes=(
        "destination_location",
        "destination_contact.groups",
        "sender_contact",
        "manifest",
        "current_shipment.location",
        "final_chained_shipment",
        "inferences",
    ),
    filters=(
        NamedFilter("location", "The destination location.", paths=("destination_location",)),
        NamedFilter(
            "contacts",
            "The destination contact or the sender contact.",
            paths=("destination_contact", "sender_contact"),
        ),
    ),
    required=("tracking_number",),
    actions=("merge",),
)
_declare(
    ShippingLabelInference,
    "shipping_label_inference",
    _TRACKER,
    _LOCATION,
    includes=("tracker.current_shipment", "location"),
)
_declare(
    Asset,
    "asset",
    Relation("item"),
    _LOCATION,
    includes=("item", "location"),
    filters=(
        NamedFilter(
            "list_archived",
            "`false` excludes assets that are donated, disposed or sold.",
            expression=_ARCHIVED,
            inclusive=True,
        ),
        NamedFilter(
            "is_warranty_valid",
            "Whether the warranty is valid now; false without `warranty_valid_until`.",
            expression="coalesce({row}.warranty_valid_until >= now(), false)",
        ),
    ),
)
