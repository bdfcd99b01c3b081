"""Describes the body of a request for an export in the OpenAPI schema."""

from exports.request.body import EXPORT_BODY
from longshore.api.body.schema import serializer_class
from longshore.resources.export_types import export_types

# The choices by which the schema names the enum of export types. drf-spectacular refuses an empty
# list, as without domains; no enum has the substitute.
TYPES = export_types.codes() or ["no export types"]
ExportRequestSerializer = serializer_class(EXPORT_BODY)
