"""Named exports and resources in responses of the API."""

from rest_framework import serializers

from exports.formats import formats
from exports.spec import Nesting
from longshore.files.compression import Compression
from longshore.resources.api.serializers import ResourceSerializer
from longshore.resources.export_types import ExportType
from longshore.resources.registry import Resource


class ExportTypeSerializer(serializers.Serializer[ExportType]):
    """A named export."""

    type = serializers.CharField(source="code", help_text="Value of `type` in requests.")
    code = serializers.CharField(help_text="The same value; requests accept `code`, too.")
    name = serializers.CharField()
    resource = serializers.CharField()
    columns = serializers.DictField(
        child=serializers.CharField(), help_text="Header of each column, in order."
    )
    date = serializers.CharField(
        allow_null=True,
        help_text="Column that `date_from` and `date_to` filter by. Null if they do not apply.",
    )
    order_by = serializers.CharField(help_text="Order, unless the request sets `order_by`.")
    options = serializers.DictField(help_text="Filters that every export of the type has.")


class ExportableSerializer(ResourceSerializer):
    """A resource, with the options of its exports."""

    formats = serializers.SerializerMethodField(help_text="Formats of exports.")
    compressions = serializers.SerializerMethodField(help_text="Compressions of text formats.")
    nestings = serializers.SerializerMethodField(
        help_text="Accepted values of `csv_field_options.properties`: layouts of nested values."
    )

    def get_formats(self, resource: Resource) -> list[str]:
        return list(formats)

    def get_compressions(self, resource: Resource) -> list[str]:
        return [str(compression) for compression in Compression]

    def get_nestings(self, resource: Resource) -> list[str]:
        return [str(nesting) for nesting in Nesting]
