"""Pagination of tables that are too large to count."""

import json
from functools import cached_property
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class EstimatingPaginator(Paginator):  # type: ignore[type-arg]
    """Counts rows up to `max_counted`; above, uses the row estimate of PostgreSQL's planner."""

    object_list: QuerySet[Any]
    max_counted = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list.order_by().values("pk")
        counted = rows[: self.max_counted + 1].count()
        if counted <= self.max_counted:
            return counted
        plan = json.loads(rows.explain(format="json"))
        return max(counted, int(plan[0]["Plan"]["Plan Rows"]))

    def page(self, number: int | str) -> Page[Any]:
        """Return a page. Rows of earlier pages are skipped in the index, without reading them."""
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        keys = self.object_list.values_list("pk", flat=True)[start : start + self.per_page]
        return Page(self.object_list.filter(pk__in=list(keys)), number, self)
