"""The errors of rows, and the undo of a batch, in the API description."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from batches.api import error_examples
from batches.api.examples import BATCHES_TAG, ROW_ERRORS, UNDO
from batches.lifecycle.representation import BatchErrorSerializer, BatchSerializer
from batches.lifecycle.transitions import BATCHES
from longshore.api import concurrency
from longshore.api.openapi import (
    IDEMPOTENCY_ERRORS,
    IDEMPOTENCY_PARAMETERS,
    NOT_FOUND,
    operation,
    response_example,
)
from longshore.jobs.admission import too_many_unfinished
from longshore.resources.api.documentation import PAGE_ERRORS

errors = operation(
    "list_batch_errors",
    tag=BATCHES_TAG,
    summary="List the errors of a batch",
    description=(
        "Returns the errors of rows, in the order of the input. A batch keeps the first ones, "
        "`BATCH_MAX_STORED_ERRORS` (100,000) at most, until its files are deleted; `warnings` says "
        "so if there are more. The files `errors` and `failed` have all."
    ),
    responses={200: OpenApiResponse(BatchErrorSerializer(many=True), "A page.")},
    parameters=[
        OpenApiParameter("limit", OpenApiTypes.INT, description="Errors per page: 1 to 100."),
        OpenApiParameter("cursor", description="From a `next` or `previous` link."),
    ],
    errors=[NOT_FOUND, error_examples.FILES_EXPIRED, *PAGE_ERRORS],
    examples=[response_example("One error", ROW_ERRORS[0])],
)
undo = operation(
    "undo_batch",
    tag=BATCHES_TAG,
    summary="Undo a batch",
    description=(
        "Creates a batch that reverses what this one has written: it deletes created records, "
        "restores changed and deleted ones, and keeps records that were changed since, with an "
        "error for each. If there is an undo already, returns it; one that failed, timed out or "
        "was canceled is retried."
    ),
    responses={
        201: OpenApiResponse(BatchSerializer, "The undo, queued."),
        200: OpenApiResponse(BatchSerializer, "The existing undo."),
    },
    parameters=[
        OpenApiParameter(
            "Location",
            OpenApiTypes.URI,
            OpenApiParameter.HEADER,
            response=[201, 200],
            description="URL of the undo.",
        ),
        *IDEMPOTENCY_PARAMETERS,
    ],
    errors=[
        NOT_FOUND,
        error_examples.DRY_RUN,
        error_examples.NOT_ENDED,
        error_examples.UNDO_EXPIRED,
        too_many_unfinished(BATCHES, 10, 12),
        concurrency.too_many(2),
        *IDEMPOTENCY_ERRORS,
    ],
    examples=[response_example("Queued", UNDO)],
)
