"""Resources as the API describes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from longshore.resources.columns import Column, ColumnType
from longshore.resources.filters import filter_column, operators
from longshore.resources.matchers import matchers
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation

COLUMN_TYPES = [each.value for each in ColumnType]


class RelationFieldSerializer(serializers.Serializer[Column]):
    """A column of a related record, `<relation>.<name>` in columns, fields and filters."""

    name = serializers.CharField()
    type = serializers.ChoiceField(COLUMN_TYPES, source="kind")
    operators = serializers.SerializerMethodField(help_text="Operators of its filter.")
    matchers = serializers.SerializerMethodField(help_text="Matchers of its predicates.")

    def get_operators(self, column: Column) -> list[str]:
        return [str(operator) for operator in operators(column.kind)]

    def get_matchers(self, column: Column) -> list[str]:
        return matchers(column.kind)


class ColumnSerializer(RelationFieldSerializer):
    """A column: its type, and the operators and matchers of its filters."""

    nullable = serializers.BooleanField(help_text="Whether the value can be null.")
    sortable = serializers.BooleanField(
        source="kind.sortable", help_text="Whether `order_by` accepts it."
    )
    key_operators = serializers.SerializerMethodField(
        help_text="Operators of filters by a JSON key inside it (`metadata.<key>`)."
    )
    choices = serializers.ListField(
        child=serializers.CharField(), help_text="Accepted values; empty if any value is accepted."
    )
    description = serializers.CharField()

    def get_key_operators(self, column: Column) -> list[str]:
        if column.kind is not ColumnType.JSON:
            return []
        return [str(operator) for operator in operators(ColumnType.JSON, inside_json=True)]


class NamedFilterSerializer(serializers.Serializer[NamedFilter]):
    """A filter that is not a column."""

    name = serializers.CharField()
    description = serializers.CharField()
    stands_for = serializers.ListField(
        source="paths",
        child=serializers.CharField(),
        help_text="The filters that it combines: a record matches if it matches one of them.",
    )
    type = serializers.SerializerMethodField(help_text="Type of its values.")

    @extend_schema_field(serializers.ChoiceField(COLUMN_TYPES))
    def get_type(self, named: NamedFilter) -> str:
        """Return the type of the values; of a combined filter, that of the first filter."""
        resource: Resource = self.context["resource"]
        return str(filter_column(resource, named.name).kind)


class RelationSerializer(serializers.Serializer[Relation]):
    """A relation to other records, and its filters."""

    # Serializers have attributes of some of these names. The metaclass removes the fields from the
    # class, so they do not override the attributes.

    name = serializers.CharField()
    many = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Whether a record can have several related records."
    )
    resource = serializers.SerializerMethodField(
        help_text="The resource of the related records; null if they are not a resource."
    )
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="The field that represents a related record in a text."
    )
    fields = serializers.SerializerMethodField(method_name="columns")  # type: ignore[assignment]
    filters = serializers.SerializerMethodField(help_text="Names of its filters.")

    def get_resource(self, relation: Relation) -> str | None:
        resource = registry.for_model(relation.target)
        return resource.name if resource else None

    @extend_schema_field(RelationFieldSerializer(many=True))
    def columns(self, relation: Relation) -> list[dict[str, Any]]:
        return [RelationFieldSerializer(each).data for each in relation.columns.values()]

    def get_filters(self, relation: Relation) -> list[str]:
        by_id = [f"{relation.singular}_id"] if relation.many and relation.singular else []
        return [relation.name, *by_id, *(f"{relation.name}.{name}" for name in relation.columns)]


class ResourceSummarySerializer(serializers.Serializer[Resource]):
    """A resource and its URLs. Needs the request in its context."""

    name = serializers.CharField(help_text="Name in requests.")
    plural = serializers.CharField(help_text="Name in the URL of its list.")
    url = serializers.SerializerMethodField(help_text="URL of its description.")
    list_url = serializers.SerializerMethodField(help_text="URL of the list of its records.")

    def get_url(self, resource: Resource) -> str:
        return str(reverse("resource-detail", [resource.name], request=self.context["request"]))

    def get_list_url(self, resource: Resource) -> str:
        return str(reverse(f"record-{resource.name}-list", request=self.context["request"]))


class ResourceSerializer(ResourceSummarySerializer):
    """A resource with its columns, relations and filters."""

    date_field = serializers.CharField(
        allow_null=True,
        help_text="The date of the default order, newest first, and of a date range. Null if the "
        "resource has none: then the order is that of the primary key, greatest first.",
    )
    search = serializers.SerializerMethodField(
        help_text="Whether the filter `search` is supported."
    )
    columns = serializers.SerializerMethodField()
    relations = serializers.SerializerMethodField()
    includes = serializers.ListField(
        source="includable",
        child=serializers.CharField(),
        help_text="Paths of relations that `includes` of an export accepts.",
    )
    filters = serializers.SerializerMethodField(
        help_text="Filters that are not columns, in `options` and in lists."
    )
    aliases = serializers.DictField(
        source="plural_aliases",
        child=serializers.CharField(),
        help_text="Alternative names of filters, and the column of each.",
    )

    def get_search(self, resource: Resource) -> bool:
        return resource.search_column is not None

    @extend_schema_field(ColumnSerializer(many=True))
    def get_columns(self, resource: Resource) -> list[dict[str, Any]]:
        return [ColumnSerializer(each).data for each in resource.columns_by_name.values()]

    @extend_schema_field(NamedFilterSerializer(many=True))
    def get_filters(self, resource: Resource) -> list[dict[str, Any]]:
        context = {"resource": resource}
        return [NamedFilterSerializer(each, context=context).data for each in resource.filters]

    @extend_schema_field(RelationSerializer(many=True))
    def get_relations(self, resource: Resource) -> list[dict[str, Any]]:
        return [RelationSerializer(each).data for each in resource.relations_by_name.values()]
