"""Operations on exports and resources in the API description."""

from exports.api.documentation.files import download, get_file, get_zip, manifest, zip_link
from exports.api.documentation.jobs import jobs
from exports.api.documentation.preview import preview
from exports.api.documentation.resources import get_resource, list_resources, types
from longshore.jobs.api.documentation import Operations

# By the name of the action of ExportViewSet.
exports: Operations = {
    **jobs,
    "preview": preview,
    "types": types,
    "download": download,
    "manifest": manifest,
    "zip": zip_link,
}

__all__ = ["exports", "get_file", "get_resource", "get_zip", "list_resources"]
