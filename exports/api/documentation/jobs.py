"""The operations that exports share with other jobs, in the API description."""

from drf_spectacular.utils import OpenApiResponse

from exports.api import error_examples as errors
from exports.api import waiting
from exports.api.examples import COMPLETED, EXPORTS_TAG, QUEUED, REQUESTS
from exports.api.filters import list_filters
from exports.api.request_serializers import ExportRequestSerializer
from exports.lifecycle.representation import ExportEventSerializer, ExportSerializer
from exports.lifecycle.transitions import EXPORTS
from longshore.jobs.api.documentation import JobDescription, job_operations

jobs = job_operations(
    JobDescription(
        kind=EXPORTS,
        tag=EXPORTS_TAG,
        serializer=ExportSerializer,
        event_serializer=ExportEventSerializer,
        request_serializer=ExportRequestSerializer,
        request_examples=REQUESTS,
        create=(
            "Validates the request, stores the export and queues it for a worker, without waiting "
            "for the worker. Poll the export's `url` until `status` is `completed`, then follow "
            "`download_url`. With `wait`, the response to a small export shows its files. All "
            "problems of an invalid request are reported at once, and nothing is queued."
        ),
        retrieve="Returns its status, its progress and, once it is completed, its files.",
        cancel="Cancels a queued or running export and stops its database query.",
        retry=(
            "Queues the ended export again: the same request under the same id, with the records "
            "as they are now."
        ),
        delete=(
            "Deletes the export with its files, its request and its events. A running export is "
            "canceled. Sends the webhook event `export.deleted`."
        ),
        create_responses={
            201: OpenApiResponse(ExportSerializer, "Queued; with `wait` perhaps completed."),
            200: OpenApiResponse(
                ExportSerializer, "An unfinished export with the same specification (`dedupe`)."
            ),
        },
        queued=QUEUED,
        completed=COMPLETED,
        filters=list_filters(),
        create_parameters=waiting.PARAMETERS,
        create_errors=[
            *errors.INVALID_BODIES,
            errors.INVALID_WAIT,
            errors.TOO_MANY_RECORDS,
            errors.EMPTY_EXPORT,
        ],
        retry_errors=[errors.OBSOLETE_SPEC],
    )
)
