"""Filters of the list of batches."""

from collections.abc import Mapping, Sequence

from batches.models import STATUSES, Via
from batches.request.parser import writable_resources
from batches.spec import Mode


def list_filters() -> Mapping[str, Sequence[str]]:
    """Return the accepted values of each filter."""
    return {
        "resource": writable_resources(),
        "mode": [mode.value for mode in Mode],
        "via": list(Via.values),
        "status": [status.value for status in STATUSES],
    }
