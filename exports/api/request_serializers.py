"""Describes the body of a request for an export in the OpenAPI schema."""

from exports.request.body import EXPORT_BODY
from longshore.api.body.schema import serializer_class
from longshore.resources.export_types import export_types

# drf-spectacular names the enum of named exports by these values. It refuses an empty list, so a
# project without named exports gets a value that no enum has.
TYPES = export_types.codes() or ["no named exports"]
ExportRequestSerializer = serializer_class(EXPORT_BODY)
