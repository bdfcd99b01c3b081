"""The operations that batches share with other jobs, in the API description."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from batches.api import error_examples as errors
from batches.api.examples import (
    BATCHES_TAG,
    COMPLETED,
    QUEUED,
    REQUESTED,
    REQUESTS,
)
from batches.api.filters import list_filters
from batches.lifecycle.representation import LINKS, BatchEventSerializer, BatchSerializer
from batches.lifecycle.transitions import BATCHES
from batches.request.body import BATCH_BODY
from longshore.api.body.schema import serializer_class
from longshore.api.openapi import extend_schema, response_example
from longshore.jobs.api.documentation import JobDescription, job_operations

BatchRequestSerializer = serializer_class(BATCH_BODY)


class BatchFormSerializer(serializers.Serializer[object]):
    """A request with a file."""

    request = BatchRequestSerializer(help_text="The request as JSON. Send it before the file.")
    file = serializers.FileField(help_text="The file with the records.")


_LINK_PARAMETERS = [
    OpenApiParameter(
        f"include_{name}",
        OpenApiTypes.BOOL,
        description=f"Add `{name}`: a link to the file, or null if there is none.",
    )
    for name in LINKS
]

jobs = job_operations(
    JobDescription(
        kind=BATCHES,
        tag=BATCHES_TAG,
        serializer=BatchSerializer,
        event_serializer=BatchEventSerializer,
        request_serializer=BatchRequestSerializer,
        request_examples=REQUESTS,
        create=(
            "Creates, updates, replaces or deletes records. Send them in `data`, as a file (a "
            "multipart request with the parts `request` and `file`), or, with `upload`, to the "
            "link of the response. `mode` decides when the response is sent. Poll the batch's "
            "`url` until `status` is final; rows with errors are listed under `errors`. A "
            "replayed response shows the batch as it is now."
        ),
        retrieve=(
            "Returns its status, the progress of its phases and, once it has ended, its files. "
            "Each `include_…` adds a link that needs no API key and works for a few minutes."
        ),
        cancel=(
            "Cancels an unfinished batch and stops its database query. Rows that it has written "
            "stay written; `undo` reverses them, `retry` continues."
        ),
        retry=(
            "Queues the ended batch again, with the same input. Rows that an earlier attempt has "
            "written are not written again."
        ),
        delete=(
            "Deletes the batch with its files, its request and its events, but not the records "
            "that it wrote. An unfinished batch is canceled. Sends the webhook event "
            "`batch.deleted`."
        ),
        create_responses={
            201: OpenApiResponse(BatchSerializer, "Created."),
            200: OpenApiResponse(
                BatchSerializer, "A batch with the same input and request (`dedupe`)."
            ),
        },
        queued=QUEUED,
        completed=COMPLETED,
        filters=list_filters(),
        create_errors=[
            *errors.INVALID_BODIES,
            errors.INVALID_MULTIPART,
            errors.TOO_MANY_BYTES,
        ],
        retry_errors=[errors.UNDO_EXPIRED],
        delete_errors=[errors.BEING_UNDONE],
    )
)
_create, _retrieve = jobs["create"], jobs["retrieve"]
# A decorator adds to the description that the inner one gives.
jobs["create"] = lambda view: extend_schema(
    request={
        "application/json": BatchRequestSerializer,
        "multipart/form-data": BatchFormSerializer,
    },
    examples=[response_example("An upload link", REQUESTED)],
)(_create(view))
jobs["retrieve"] = lambda view: extend_schema(parameters=_LINK_PARAMETERS)(_retrieve(view))
