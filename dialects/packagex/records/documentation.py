"""The operations on records in the description of the dialect, made from the registry."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse

from dialects.packagex import documentation
from dialects.packagex.parameters import LIMIT, pages
from dialects.packagex.records.lists import RecordList
from longshore.api.pagination import CURSOR
from longshore.resources.api.documentation import RecordSchema
from longshore.resources.api.record_schemas import component_name, record_schema

RECORD_PARAMETERS = ("fields", "timezone")
_PREFIX = "/packagex/v1/"


class PackageXRecordSchema(RecordSchema):
    """Describes the operations of a PackageXRecordViewSet."""

    @property
    def record_list(self) -> RecordList:
        record_list: RecordList = self.view.record_list  # type: ignore[attr-defined]
        return record_list

    def get_operation_id(self) -> str:
        # A list may have several addresses.
        path = self.path.removeprefix(_PREFIX).partition("/{")[0]
        return f"{path.strip('/').replace('/', '.')}.{'list' if self.is_list else 'retrieve'}"

    def get_summary(self) -> str:
        return f"{'List' if self.is_list else 'Retrieve'} {self.noun}"

    def get_description(self) -> str:  # type: ignore[override]
        if not self.is_list:
            return "Returns one record of the organization, with the same fields as in the list."
        order = " ".join(self.record_list.order.values())
        return (
            f"Returns the organization's {self.noun} in numbered pages. The default order is "
            f"`{order}`. The filters are those of exports: a value, several values separated by "
            "commas, or `operator:value`."
        )

    def get_override_parameters(self) -> list[Any]:
        parameters = super().get_override_parameters()
        if not self.is_list:
            return [each for each in parameters if each.name in ("id", *RECORD_PARAMETERS)]
        own = [*documentation.page_parameters(pages(self.record_list.limit))]
        return [*own, *(each for each in parameters if each.name not in (CURSOR, LIMIT))]

    def get_response_serializers(self) -> Any:
        name = component_name(self.resource.name)
        shown = self._component(name, _with_epochs(record_schema(self.resource)))
        schema = documentation.enveloped(shown, is_list=self.is_list)
        missing = {} if self.is_list else documentation.NOT_FOUND
        errors = {**documentation.TOO_LARGE, **missing}
        success = OpenApiResponse(schema, "A page." if self.is_list else "The record.")
        return {200: success, **documentation.error_responses(errors)}


def _with_epochs(schema: Any) -> Any:
    """Return a JSON schema whose datetimes are seconds since 1970."""
    if isinstance(schema, list):
        return [*map(_with_epochs, schema)]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "date-time":
        is_nullable = schema["type"] != "string"
        kept = {name: value for name, value in schema.items() if name != "format"}
        return {**kept, "type": ["integer", "null"] if is_nullable else "integer"}
    return {name: _with_epochs(value) for name, value in schema.items()}
