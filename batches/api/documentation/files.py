"""The files of a batch, and the upload of its input, in the API description."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from batches.api import error_examples as errors
from batches.api.examples import BATCHES_TAG, FILES, ZIP_LINK
from batches.lifecycle.storage import BATCH_FILES
from batches.lifecycle.transitions import BATCHES
from batches.models import FileKind
from longshore.api import server_errors
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import (
    NOT_FOUND,
    error_responses,
    extend_schema,
    operation,
    response_example,
    single_page_schema,
)
from longshore.api.pagination import single_page
from longshore.jobs.api import zip_documentation
from longshore.jobs.api.documentation import file_operation

_FileLink = type(
    inline_serializer(
        "BatchFileLink",
        {
            "kind": serializers.ChoiceField(FileKind.choices),
            "name": serializers.CharField(),
            "format": serializers.CharField(),
            "url": serializers.URLField(),
            "expires_at": serializers.DateTimeField(),
        },
    )
)

files = operation(
    "list_batch_files",
    tag=BATCHES_TAG,
    summary="List the files of a batch",
    description=(
        "Returns a link to each file. The links need no API key and work for a few minutes. Call "
        "again for new ones."
    ),
    responses={200: single_page_schema("BatchFileList", _FileLink)},
    errors=[NOT_FOUND, errors.FILES_EXPIRED],
    examples=[response_example("One file", single_page(FILES))],
)
zip_link = zip_documentation.zip_link(BATCHES, BATCHES_TAG, ZIP_LINK, [errors.FILES_EXPIRED])
get_zip = zip_documentation.get_zip(BATCHES, BATCHES_TAG, BATCH_FILES)
get_file = file_operation(
    "get_batch_file",
    tag=BATCHES_TAG,
    summary="Download a file of a batch",
    description="Serves the file of a link, if the files are stored in a local folder.",
    links=BATCH_FILES,
)
put_upload = extend_schema(
    operation_id="upload_batch_file",
    tags=[BATCHES_TAG],
    summary="Upload the file of a batch",
    description=(
        "Receives the file of `upload.url`, if the files are stored in a local folder; otherwise "
        "the link leads to the bucket. The body is the file itself, of any media type. The batch "
        "is queued when the file is complete."
    ),
    auth=[],
    parameters=[
        OpenApiParameter("name", location=OpenApiParameter.PATH),
        OpenApiParameter("signature", required=True, description="From the link."),
    ],
    request={"application/octet-stream": OpenApiTypes.BINARY},
    responses={
        204: OpenApiResponse(description="Stored."),
        **error_responses(
            [
                NOT_FOUND,
                errors.UPLOAD_EXPIRED,
                errors.TOO_MANY_BYTES,
                server_errors.body_too_large(1 << 20),
                server_errors.overloaded(),
                ApiError(ErrorCode.INTERNAL_ERROR),
            ]
        ),
    },
)
