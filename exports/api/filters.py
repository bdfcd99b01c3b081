"""Filters of the list of exports."""

from collections.abc import Mapping, Sequence

from exports.formats import formats
from exports.models import STATUSES
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry


def list_filters() -> Mapping[str, Sequence[str]]:
    """Return the accepted values of each filter."""
    return {
        "resource": registry.names(),
        "type": export_types.codes(),
        "status": [status.value for status in STATUSES],
        "format": list(formats),
    }
