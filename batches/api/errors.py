"""Errors of the endpoints of batches."""

from batches.errors import BatchErrorCode
from batches.models import Batch
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem


def files_expired(batch: Batch) -> ApiError:
    text = f"The files and errors of the batch were deleted at {batch.expires_at:%FT%TZ}."
    return ApiError(BatchErrorCode.BATCH_EXPIRED, text)


def upload_expired() -> ApiError:
    text = "The link has expired, or its file has already been uploaded. Create a new batch."
    return ApiError(BatchErrorCode.UPLOAD_EXPIRED, text)


def upload_running() -> ApiError:
    text = "Another upload of this file is being stored. Retrieve the batch to see its result."
    return ApiError(ErrorCode.INVALID_STATUS, text, {"status": "requested"})


def not_a_boolean(name: str, text: str) -> InvalidInput:
    message = f"{name} must be true or false, not {text!r}."
    return InvalidInput(Problem(ErrorCode.INVALID_REQUEST, name, text, message, ["true", "false"]))


def file_required() -> InvalidInput:
    message = "Send the file, or its beginning, as the part file of a multipart request."
    accepted = "multipart/form-data with the parts request and file"
    return InvalidInput(Problem(ErrorCode.INVALID_REQUEST, "file", None, message, accepted))
