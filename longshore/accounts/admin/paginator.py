"""Pages of lists too long to count."""

import json
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

MAX_COUNTED = 10_000


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Counts up to ten thousand rows; of more it believes PostgreSQL's own estimate."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        rows = self.object_list.order_by().values("pk")
        counted = rows[: MAX_COUNTED + 1].count()
        if counted <= MAX_COUNTED:
            return counted
        plan = json.loads(rows.explain(format="json"))
        return max(counted, int(plan[0]["Plan"]["Plan Rows"]))

    def page(self, number: int | str) -> Page[Any]:
        """Skips to a late page in the index alone, without reading the rows before it."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = self.object_list.values_list("pk", flat=True)[start : start + self.per_page]
        return Page(self.object_list.filter(pk__in=list(keys)), number, self)
