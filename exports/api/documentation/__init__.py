"""The operations on exports and resources, as the API's description has them."""

from exports.api.documentation.creation import create_export, preview_export
from exports.api.documentation.files import (
    download_export,
    get_file,
    get_manifest,
)
from exports.api.documentation.life import (
    cancel_export,
    delete_export,
    get_export,
    list_events,
    list_exports,
    retry_export,
)
from exports.api.documentation.resources import (
    get_resource,
    list_resources,
    list_types,
)

__all__ = [
    "cancel_export",
    "create_export",
    "delete_export",
    "download_export",
    "get_export",
    "get_file",
    "get_manifest",
    "get_resource",
    "list_events",
    "list_exports",
    "list_resources",
    "list_types",
    "preview_export",
    "retry_export",
]
