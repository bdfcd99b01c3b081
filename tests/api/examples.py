"""Error examples of the API description, to compare them with responses."""

import json
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator


@cache
def description() -> Any:
    """Return the API description, as JSON values."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.loads(json.dumps(schema, default=str))


def examples(operation_id: str, status: int) -> list[dict[str, Any]]:
    """Return the bodies of the error examples of an operation."""
    for path in description()["paths"].values():
        for operation in path.values():
            if operation["operationId"] == operation_id:
                response = operation["responses"][str(status)]
                if "$ref" in response:
                    name = response["$ref"].rpartition("/")[2]
                    response = description()["components"]["responses"][name]
                [content] = response["content"].values()
                return [example["value"] for example in content["examples"].values()]
    raise LookupError(operation_id)
