"""Limits of every batch, and the errors of batches that exceed a limit.

`batches.models.BatchLimits` has the limits of an organization.
"""

from django.conf import settings

from batches.spec import MAX_SYNC_RECORDS
from longshore.api.errors import ApiError
from longshore.jobs.errors import JobErrorCode

# A web thread executes a batch of the mode `sync` for this time; then a worker continues.
MAX_SYNC_SECONDS = 20
MAX_SYNC_BYTES = 5 << 20
# A web thread waits this time for records that another transaction has locked, such as that of
# another batch; then a worker continues.
MAX_LOCK_SECONDS = 3
# Inputs up to this size are validated before the response of the mode `mixed`, within this time.
MAX_CHECKED_BYTES = 16 << 20
MAX_CHECK_SECONDS = 5
# Larger inputs are for the workers of the queue `large`.
MAX_QUICK_BYTES = 2 << 20


def too_many_records(limit: int) -> ApiError:
    text = f"The input has more than {limit:,} records, the limit. Send several batches."
    return ApiError(JobErrorCode.TOO_MANY_RECORDS, text, {"maximum": limit})


def too_many_sync_records() -> ApiError:
    text = (
        f"The input has more than {MAX_SYNC_RECORDS:,} records, the limit of the mode sync. "
        "Set mode to mixed or async."
    )
    return ApiError(JobErrorCode.TOO_MANY_RECORDS, text, {"maximum": MAX_SYNC_RECORDS})


def too_many_sync_bytes() -> ApiError:
    text = (
        f"The input has more than {MAX_SYNC_BYTES:,} bytes, the limit of the mode sync. "
        "Set mode to mixed or async."
    )
    return ApiError(JobErrorCode.FILE_TOO_LARGE, text, {"maximum": MAX_SYNC_BYTES})


def too_many_multipart_bytes() -> ApiError:
    maximum = settings.BATCH_MAX_MULTIPART_BYTES
    text = (
        f"The file has more than {maximum:,} bytes, the limit of files in requests. Set upload to "
        "true instead, and send the file to the link of the response."
    )
    return ApiError(JobErrorCode.FILE_TOO_LARGE, text, {"maximum": maximum})


def too_many_bytes(limit: int) -> ApiError:
    text = (
        f"The input has more than {limit:,} bytes, the limit. Compress it, or send several batches."
    )
    return ApiError(JobErrorCode.FILE_TOO_LARGE, text, {"maximum": limit})
