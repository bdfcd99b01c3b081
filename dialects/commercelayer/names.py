"""The name of this dialect, and those of resources in it: the plurals that the registry declares.

Some of the vendor's names belong to another resource here; `_VENDOR_NAMES` lists them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dialects.commercelayer.apps import CommerceLayerConfig
from longshore.api.errors import Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import registry

DIALECT = CommerceLayerConfig.dialect_name
# The vendor's name of each resource that has another plural here.
_VENDOR_NAMES = {"shipments": "order_shipment"}


def resource_types() -> Mapping[str, str]:
    """Return the names of the registered resources by their type in this dialect."""
    return dict(sorted((type_of(each.name), each.name) for each in registry))


def type_of(resource: str) -> str:
    """Return the type of a resource; its own name if it is not registered any more.

    A resource whose plural is a vendor's name of another resource has its own name as its type.
    """
    declared = registry.get(resource)
    if declared is None:
        return resource
    for type, name in _VENDOR_NAMES.items():
        if name == resource:
            return type
    is_taken = registry.get(_VENDOR_NAMES.get(declared.plural, "")) is not None
    return resource if is_taken else declared.plural


def resources_of(types: Sequence[str]) -> list[str]:
    """Return the names of the resources whose `type_of` is one of these types."""
    known = resource_types()
    # An unknown type may be the name of a resource that is not registered any more.
    others = (type for type in types if type not in known.values())
    return [*(known[type] for type in types if type in known), *others]


def read_resource(type: Any, field: str, problems: Problems) -> str | None:
    """Return the name of the resource of a type; report a type that does not exist.

    field: pointer to the type in the request.
    """
    types = resource_types()
    if isinstance(type, str) and type in types:
        return types[type]
    accepted = list(types)
    text = "resource_type is required."
    if type is not None:
        hint = did_you_mean(type, accepted) if isinstance(type, str) else "."
        text = f"{display_value(type)} is not a resource type{hint}"
    problems.report(ResourceErrorCode.INVALID_RESOURCE, field, type, text, accepted)
    return None
