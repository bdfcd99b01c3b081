"""Pages of the errors of a batch, in the order of its rows."""

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from batches.models import Batch, BatchError
from longshore.api.pagination import KeysetPagination
from longshore.database.column_types import MAX_BIGINT


class ErrorPagination(KeysetPagination):
    """Pages by row; errors of records that no row names come last.

    A row has few errors, so one row never fills many pages.
    """

    ordering = ("position", "id")


def errors_of(batch: Batch) -> QuerySet[BatchError]:
    """Return the stored errors of a batch, for an ErrorPagination.

    Their number is bounded, so sorting them for a page is cheap.
    """
    position = Coalesce("row", MAX_BIGINT)  # After all rows.
    return BatchError.objects.filter(batch=batch).annotate(position=position)
