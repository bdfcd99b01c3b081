"""Base of the admin of a kind of job: its list with the search, and the page of a job."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from longshore.accounts.admin.sections import tab_of
from longshore.jobs.admin import progress, timeline
from longshore.jobs.admin.buttons import JobButtons
from longshore.jobs.admin.dates import date_links
from longshore.jobs.admin.facts import Fact, address_of, page_link
from longshore.jobs.admin.failures import Advice, Step, advice
from longshore.jobs.admin.filters import is_limited_by_creation
from longshore.jobs.admin.limits import limits_url
from longshore.jobs.admin.presentation import (
    EMPTY,
    Table,
    chips,
    code,
    exact_time,
    json_text,
    link,
    relative_and_exact_time,
)
from longshore.jobs.admin.rows import OpeningRows
from longshore.jobs.admin.search import RESOURCES, CodeSource, TextSource, search
from longshore.jobs.models import JobLimits

_PROGRESS_TEMPLATE = "admin/longshore_jobs/progress.html"
# Lines of the history in the opened row of a job.
_MAX_ROW_STEPS = 5
# The last fieldset of the page of a job.
PROCESSING = (
    "Technical details",
    {"fields": ("queued", "heartbeat", "claim_tokens"), "classes": ("collapse",)},
)


class JobAdmin(JobButtons, OpeningRows):
    """Pages of one kind of job.

    Subclasses set `lifecycle`, `effects`, `list_display`, `failures` (the advice for each code),
    `limits`, `text_sources` (what the search reads) and `empty_hint`, and implement `heading`,
    `request_sentence` and `facts`.
    """

    failures: ClassVar[Mapping[str, Advice]]
    limits: ClassVar[type[JobLimits]]
    text_sources: ClassVar[tuple[TextSource, ...]]
    code_sources: ClassVar[tuple[CodeSource, ...]] = (RESOURCES,)
    # What an empty list says about how jobs come into being, as sentences.
    empty_hint: ClassVar[str]
    # Of the button that opens `new_page`; by default "New" and the name of the model.
    new_title: ClassVar[str] = ""
    # The things that `processed_count` counts.
    progress_unit = "rows"

    fieldsets: Any = (PROCESSING,)
    list_select_related: Sequence[str] = ("organization",)
    # Django shows the field of the search only if this is not empty; `get_search_results` searches.
    search_fields = ("public_id",)
    search_help_text = (
        "Part of an id, organization, API key, resource, named export, file name, metadata or "
        "error; a number; or the user name of its creator (whole name)"
    )
    list_before_template = "admin/longshore_jobs/list_notes.html"
    change_form_before_template = "admin/longshore_jobs/summary.html"
    row_template = "admin/longshore_jobs/row.html"

    class Media:
        js = (
            Script("longshore_jobs/live.js", defer=True),
            Script("longshore_jobs/copy.js", defer=True),
        )

    # --- To implement ------------------------------------------------------------------------

    def heading(self, job: Any) -> str:
        """Return the title of the page of a job."""
        raise NotImplementedError

    def request_sentence(self, job: Any) -> str:
        """Return what the job does, as a sentence."""
        raise NotImplementedError

    def facts(self, request: HttpRequest, job: Any) -> list[Fact]:
        """Return the parts of the request in words."""
        raise NotImplementedError

    def shown_request(self, request: HttpRequest, job: Any) -> Any:
        """Return the request of a job, without the values that the person may not see."""
        return job.request

    def downloads(self, request: HttpRequest, job: Any) -> dict[str, Any]:
        """Return the context of the download buttons; empty if there is nothing to download."""
        return {}

    def tables(self, request: HttpRequest, job: Any) -> list[Table]:
        """Return the tables below the request."""
        return []

    def row_tables(self, request: HttpRequest, job: Any) -> list[Table]:
        """Return the tables in the opened row of a job."""
        return []

    # --- List --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        jobs: Any = super().get_queryset(request)
        # The list shows neither request nor spec, and each may have 256 KiB.
        visible: QuerySet[Any] = jobs.visible().defer("request", "spec")
        return visible

    def get_ordering(self, request: HttpRequest) -> Sequence[str]:
        """Order by the column that a range of days selects, so that its index is used."""
        by_creation = ("-created_at", "-number")
        return by_creation if is_limited_by_creation(request) else ("-number",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        sources = self.text_sources, self.code_sources
        found = search(queryset, search_term, *sources, request.user)
        request.search_note = found.note  # type: ignore[attr-defined]
        return found.jobs, False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "new_page": self.new_page() if self._may(request, "add") else None,
            "new_title": self.new_title,
            "date_links": date_links(request, self.get_queryset(request)),
            **(extra_context or {}),
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def row_context(self, request: HttpRequest, job: Any) -> dict[str, Any]:
        return {
            "sentence": self.request_sentence(job),
            "advice": advice(job, self.failures),
            "tables": self.row_tables(request, job),
            "timeline": timeline.steps(job, timeline.entries_of(job))[:_MAX_ROW_STEPS],
        }

    @display(description="Id", ordering="number", header=True)
    def identifier(self, job: Any) -> tuple[SafeString, str]:
        return code(job.public_id), str(job.organization)

    @display(description="Id", ordering="number")
    def own_id(self, job: Any) -> SafeString:
        """Return the id without the organization, for its page."""
        return code(job.public_id)

    @display(description="Status", label=progress.STATUS_COLORS)
    def state(self, job: Any) -> tuple[str, str]:
        return job.shown_status, str(job.shown_status.label)

    @display(description="Progress")
    def progress_bar(self, job: Any) -> SafeString:
        return render_to_string(_PROGRESS_TEMPLATE, self.progress_of(job))

    @display(description="Created", ordering="number", header=True)
    def created(self, job: Any) -> tuple[str, str]:
        return relative_and_exact_time(job.created_at)

    # --- Page of a job -----------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        job = kwargs["obj"]
        entries = timeline.entries_of(job)
        context |= {
            "heading": self.heading(job),
            "status": job.shown_status.label,
            "status_color": progress.STATUS_COLORS[job.shown_status],
            "times": progress.times(job),
            "sentence": self.request_sentence(job),
            "facts": [*self._owner_facts(request, job), *self.facts(request, job)],
            "request_json": json_text(self.shown_request(request, job)) if job.request else "",
            "tables": [*self.tables(request, job)],
            "timeline": timeline.steps(job, entries),
            "advice": (found := advice(job, self.failures)),
            "steps": self._steps(request, job, found) if found else [],
            **self.progress_of(job),
            **self.downloads(request, job),
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def progress_of(self, job: Any) -> dict[str, Any]:
        """Return the context of the progress bar of a job."""
        return progress.progress_context(job, self.progress_unit)

    @display(description="Last queued")
    def queued(self, job: Any) -> str:
        return exact_time(job.enqueued_at)

    @display(description="Last heartbeat")
    def heartbeat(self, job: Any) -> str:
        return exact_time(job.heartbeat_at)

    @display(description="Claim tokens")
    def claim_tokens(self, job: Any) -> str:
        return chips(job.claims) or EMPTY

    def _owner_facts(self, request: HttpRequest, job: Any) -> list[Fact]:
        organization = page_link(
            request, "longshore_accounts.view_organization", job.organization, str(job.organization)
        )
        found = [
            Fact("Organization", organization),
            Fact("Created by", self._requester(request, job)),
        ]
        if request.user.has_perm("longshore_accounts.view_organization"):
            # They are in the section of these jobs, for everybody who may see the jobs.
            page = reverse(
                "admin:longshore_accounts_organization_change", args=[job.organization_id]
            )
            section = f"{page}#{tab_of(self.model)}"
            found.append(Fact("Limits", link(section, "Limits of the organization")))
        if url := address_of("docs"):
            found.append(Fact("Help", link(url, "Description of the API")))
        return found

    def _requester(self, request: HttpRequest, job: Any) -> SafeString | str:
        if job.api_key:
            key = page_link(
                request, "longshore_accounts.view_apikey", job.api_key, str(job.api_key)
            )
            return SafeString("API key ") + key
        person = timeline.creator(job)
        return f"{person}, in the admin" if person else "A command, or an API key that was deleted"

    def errors_url(self, request: HttpRequest, job: Any) -> str | None:
        """Return the page that lists the errors of rows; None if there is none."""
        return None

    def _steps(self, request: HttpRequest, job: Any, found: Advice) -> list[dict[str, Any]]:
        """Return the buttons of an advice that lead somewhere and that the person may use."""
        key = str(job.pk)
        retry = f"admin:{self.opts.app_label}_{self.opts.model_name}_retry_job"
        buttons = {
            Step.LIMITS: (
                "Change the limits",
                limits_url(request, self.limits, job.organization_id),
            ),
            Step.DUPLICATE: ("Duplicate and change", self.duplicate_url(request, job)),
            Step.RETRY: (
                "Retry",
                reverse(retry, args=[job.pk]) if self.has_retry_permission(request, key) else None,
            ),
            Step.ERRORS: ("Show the errors", self.errors_url(request, job)),
        }
        return [
            {"title": title, "url": url, "is_dialog": step is Step.RETRY}
            for step in found.steps
            for title, url in [buttons[step]]
            if url
        ]
