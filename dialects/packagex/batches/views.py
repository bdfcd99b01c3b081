"""`/packagex/v1/batches`: create, retrieve and list batches."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema_view

from batches.api.views import BatchViewSet, ExactJSONParser
from batches.models import Batch
from dialects.packagex.batches import documentation
from dialects.packagex.batches.files import file_of
from dialects.packagex.batches.parameters import BATCH_PARAMETERS, INCLUDES, PAGE_PARAMETERS
from dialects.packagex.batches.representation import show_batch
from dialects.packagex.jobs import PackageXJobViewSet, in_order, with_shown_status
from dialects.packagex.parameters import read_parameters
from longshore.api.multipart import FilePart
from longshore.jobs.models import JobQuerySet


@extend_schema_view(**documentation.batches)
class PackageXBatchViewSet(PackageXJobViewSet[Batch], BatchViewSet):
    """The batches of the API key's organization."""

    parser_classes = (ExactJSONParser,)
    page_parameters = PAGE_PARAMETERS
    list_parameters = BATCH_PARAMETERS

    def show(self, native: Mapping[str, Any]) -> dict[str, Any]:
        return show_batch(native, self.organization.pk)

    def show_one(self, native: Mapping[str, Any]) -> dict[str, Any]:
        read_parameters(self.request.query_params, INCLUDES)
        return self.show(native)

    def select(self, jobs: JobQuerySet[Batch], parameters: Mapping[str, Any]) -> QuerySet[Batch]:
        filters = dict(parameters)
        if status := filters.pop("status", None):
            jobs = with_shown_status(jobs, [status])
        return in_order(jobs.filter(**filters), F("created_at"), "asc")

    def file_of(self, body: dict[str, Any]) -> FilePart | None:
        return file_of(body)
