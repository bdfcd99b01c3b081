"""The files of exports in storage, and their presigned URLs."""

from exports.errors import ExportErrorCode
from exports.models import Export, ExportFile
from longshore.jobs.files import FileLinks
from longshore.jobs.storage import JobStorage

MANIFEST = "manifest.json"
EXPORT_STORAGE = JobStorage("exports", Export)
EXPORT_FILES = FileLinks(
    ExportFile, "export", "export-file", "export-zip-file", ExportErrorCode.EXPORT_EXPIRED
)
