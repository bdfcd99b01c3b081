"""Saved mappings as the API shows them, and the bodies of requests to save them."""

from rest_framework import serializers

from batches.models import SavedMapping
from batches.request.body import MAPPING_BODY
from longshore.api.body.schema import serializer_class
from longshore.api.serializers import ModelSerializer

MappingRequestSerializer = serializer_class(MAPPING_BODY)


class MappingSerializer(ModelSerializer[SavedMapping]):
    """A saved mapping."""

    id = serializers.CharField(source="public_id")
    object = serializers.SerializerMethodField()
    mapping = serializers.DictField(
        child=serializers.CharField(allow_null=True),
        help_text="The column that each header sets; null ignores the header.",
    )

    class Meta:
        model = SavedMapping
        fields = ("id", "object", "name", "resource", "mapping", "created_at")

    def get_object(self, _mapping: SavedMapping) -> str:
        return "mapping"
