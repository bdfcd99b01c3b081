"""Operations on batches in the API description."""

from batches.api.documentation.files import files, get_file, get_zip, put_upload, zip_link
from batches.api.documentation.jobs import jobs
from batches.api.documentation.preview import preview
from batches.api.documentation.rows import errors, undo
from longshore.jobs.api.documentation import Operations

# By the name of the action of BatchViewSet.
batches: Operations = {
    **jobs,
    "preview": preview,
    "errors": errors,
    "files": files,
    "zip": zip_link,
    "undo": undo,
}

__all__ = ["batches", "get_file", "get_zip", "put_upload"]
