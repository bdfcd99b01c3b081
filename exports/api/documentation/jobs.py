"""The operations that exports share with other jobs, in the API description."""

from exports.api import error_examples as errors
from exports.api.examples import COMPLETED, EVENTS, EXPORTS_TAG, QUEUED, REQUESTS
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
        queued=QUEUED,
        completed=COMPLETED,
        events=EVENTS,
        filters=list_filters(),
        create_errors=[
            *errors.INVALID_BODIES,
            errors.TOO_MANY_RECORDS,
            errors.EMPTY_EXPORT,
        ],
    )
)
