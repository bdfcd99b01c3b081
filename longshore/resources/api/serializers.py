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

KINDS = [kind.value for kind in ColumnType]


class ColumnSerializer(serializers.Serializer[Column]):
    """What a column holds, and how it may be asked for."""

    name = serializers.CharField()
    type = serializers.ChoiceField(KINDS, source="kind")
    nullable = serializers.BooleanField(help_text="Whether it may hold no value.")
    sortable = serializers.BooleanField(
        source="kind.sortable", help_text="Whether `order_by` takes it."
    )
    operators = serializers.SerializerMethodField(help_text="What its filter takes.")
    key_operators = serializers.SerializerMethodField(
        help_text="What a filter by a key inside it takes (`metadata.<key>`); JSON has keys."
    )
    matchers = serializers.SerializerMethodField(help_text="What its predicates end in.")
    choices = serializers.ListField(
        child=serializers.CharField(), help_text="The only values there are; empty for any."
    )
    description = serializers.CharField()

    def get_operators(self, column: Column) -> list[str]:
        return [str(operator) for operator in operators(column.kind)]

    def get_key_operators(self, column: Column) -> list[str]:
        if column.kind is not ColumnType.JSON:
            return []
        return [str(operator) for operator in operators(ColumnType.JSON, inside_json=True)]

    def get_matchers(self, column: Column) -> list[str]:
        return matchers(column.kind)


class NamedFilterSerializer(serializers.Serializer[NamedFilter]):
    """A filter that is not a column."""

    name = serializers.CharField()
    description = serializers.CharField()
    stands_for = serializers.ListField(
        source="paths",
        child=serializers.CharField(),
        help_text="The filters of which a record passes one; empty where it is none of them.",
    )
    type = serializers.SerializerMethodField(help_text="What it takes.")

    @extend_schema_field(serializers.ChoiceField(KINDS))
    def get_type(self, named: NamedFilter) -> str:
        """Of a filter that stands for others, the type of the first."""
        resource: Resource = self.context["resource"]
        return str(filter_column(resource, named.name).kind)


class RelationFieldSerializer(serializers.Serializer[Column]):
    """A column of a related record, `<relation>.<name>` in columns, fields and filters."""

    name = serializers.CharField()
    type = serializers.ChoiceField(KINDS, source="kind")
    operators = serializers.SerializerMethodField(help_text="What its filter takes.")
    matchers = serializers.SerializerMethodField(help_text="What its predicates end in.")

    def get_operators(self, column: Column) -> list[str]:
        return [str(operator) for operator in operators(column.kind)]

    def get_matchers(self, column: Column) -> list[str]:
        return matchers(column.kind)


class RelationSerializer(serializers.Serializer[Relation]):
    """Related records, and how they may be asked for."""

    # Some names are attributes of every serializer; the metaclass takes these fields out of
    # the class again, so nothing is hidden.

    name = serializers.CharField()
    many = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Whether there may be several related records."
    )
    resource = serializers.SerializerMethodField(
        help_text="What the related records are, where they are a resource of their own."
    )
    label = serializers.CharField(  # type: ignore[assignment]
        help_text="The field that stands for a record in a text."
    )
    fields = serializers.SerializerMethodField(method_name="columns")  # type: ignore[assignment]
    filters = serializers.SerializerMethodField(help_text="The names that filter by it.")

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
    """A kind of records, and where there is more of it. Needs the request in its context."""

    name = serializers.CharField(help_text="What a request calls it.")
    plural = serializers.CharField(help_text="What its list is called.")
    url = serializers.SerializerMethodField(help_text="All that can be asked of it.")
    list_url = serializers.SerializerMethodField(help_text="Its records, page by page.")

    def get_url(self, resource: Resource) -> str:
        return str(reverse("resource", [resource.name], request=self.context["request"]))

    def get_list_url(self, resource: Resource) -> str:
        return str(reverse(f"list-{resource.plural}", request=self.context["request"]))


class ResourceSerializer(ResourceSummarySerializer):
    """All that can be asked of a kind of records."""

    date_field = serializers.CharField(
        help_text="The datetime by which the newest come first where no order is asked for."
    )
    search = serializers.SerializerMethodField(help_text="Whether `search` finds records by words.")
    columns = serializers.SerializerMethodField()
    relations = serializers.SerializerMethodField()
    includes = serializers.ListField(
        source="includable",
        child=serializers.CharField(),
        help_text="Paths of relations whose records an export can show whole.",
    )
    filters = serializers.SerializerMethodField(
        help_text="Names of filters that are not columns, in `options` and in lists."
    )
    aliases = serializers.DictField(
        source="plural_aliases",
        child=serializers.CharField(),
        help_text="Other names of filters, and the column that each stands for.",
    )

    def get_search(self, resource: Resource) -> bool:
        return resource.search is not None

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
