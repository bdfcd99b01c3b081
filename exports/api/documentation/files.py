"""Operations on the files of an export in the API description."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from exports.api import error_examples as errors
from exports.api.examples import COMPLETED, EXPORTS_TAG, LINK, ZIP_LINK
from exports.lifecycle.storage import EXPORT_FILES
from exports.lifecycle.transitions import EXPORTS
from longshore.api.openapi import NOT_FOUND, operation, response_example
from longshore.jobs.api import zip_documentation
from longshore.jobs.api.documentation import file_operation

manifest = operation(
    "get_export_manifest",
    tag=EXPORTS_TAG,
    summary="Retrieve the manifest of an export",
    description=(
        "Returns the files with their rows, bytes and SHA-256, the columns, the filters, and the "
        "time of the database snapshot. A file that several workers wrote has `partitions`, with "
        "the rows, bytes and SHA-256 of each. The storage has the same manifest as `manifest.json`."
    ),
    responses={200: OpenApiTypes.OBJECT},
    errors=[NOT_FOUND, errors.NOT_READY, errors.OBSOLETE_SPEC, errors.FILES_EXPIRED],
)
download = operation(
    "download_export",
    tag=EXPORTS_TAG,
    summary="Create download links",
    description="The links need no API key and work for a few minutes. Call again for new ones.",
    responses={
        200: inline_serializer(
            "Download",
            {
                "url": serializers.URLField(help_text="Link of the first file."),
                "expires_at": serializers.DateTimeField(),
                "files": inline_serializer(
                    "DownloadFile",
                    {"name": serializers.CharField(), "url": serializers.URLField()},
                    many=True,
                ),
            },
        )
    },
    errors=[NOT_FOUND, errors.NOT_READY, errors.FILES_EXPIRED],
    examples=[
        response_example(
            "Link",
            {
                "url": LINK,
                "expires_at": "2024-12-25T14:36:40.123456Z",
                "files": [{"name": COMPLETED["files"][0]["name"], "url": LINK}],
            },
        )
    ],
)
zip_link = zip_documentation.zip_link(
    EXPORTS, EXPORTS_TAG, ZIP_LINK, [errors.NOT_READY, errors.FILES_EXPIRED]
)
get_zip = zip_documentation.get_zip(EXPORTS, EXPORTS_TAG, EXPORT_FILES)
get_file = file_operation(
    "get_file",
    tag=EXPORTS_TAG,
    summary="Download a file",
    description="Serves the file of a `download_url`, if the files are stored in a local folder.",
    links=EXPORT_FILES,
)
