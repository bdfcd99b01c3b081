"""The addresses of the wizard.

They need `add_batch` and `view_batch`. Rows are shown only to people who may preview the batch.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from batches.admin import presentation
from batches.admin.failures import FAILURES
from batches.admin.previewing import may_preview, record_errors, record_preview
from batches.admin.wizard import grid, mapping, previews, starting
from batches.admin.wizard.bodies import body_of, starting_body, with_dialect
from batches.admin.wizard.changes import changes_of
from batches.admin.wizard.upload import upload
from batches.lifecycle import creation
from batches.models import Batch, FileKind
from batches.spec import Action
from longshore.accounts import staff
from longshore.accounts.admin.organization_choice import OrganizationAutocomplete
from longshore.api.errors import ApiError
from longshore.jobs.admin.failures import advice
from longshore.jobs.admin.presentation import resource_label
from longshore.jobs.admin.progress import progress_context
from longshore.jobs.statuses import UNFINISHED, Status

_NEEDED = ("batches.add_batch", "batches.view_batch")
_DOWNLOAD = "batches.download_batch"
_TEMPLATES = "admin/batches/wizard"
_View = Callable[..., HttpResponse]


def wizard_urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses of the wizard, below those of batches in the admin."""
    steps = {"mapping": map_file, "checks": check_rows, "changes": show_changes}
    views: dict[str, tuple[str, _View]] = {
        "": ("", partial(upload, site=site)),
        "organizations/": ("_organizations", OrganizationAutocomplete.as_view()),
        "<int:object_id>/preview/": ("_preview", preview),
        "<int:object_id>/discard/": ("_discard", discard),
        **{
            f"<int:object_id>/{name}/": (f"_{name}", partial(view, site=site))
            for name, view in steps.items()
        },
    }
    return [
        path(
            f"wizard/{address}", site.admin_view(_guarded(view)), name=f"batches_batch_wizard{name}"
        )
        for address, (name, view) in views.items()
    ]


def wizard_url(request: HttpRequest, batch: Batch) -> str | None:
    """Return the step at which the wizard goes on with a batch; None if it does not."""
    if not (batch.dry_run and all(map(request.user.has_perm, _NEEDED))):
        return None
    step = "mapping" if batch.is_draft else "checks"
    return reverse(f"admin:batches_batch_wizard_{step}", args=[batch.pk])


def _guarded(view: _View) -> _View:
    def guarded(request: HttpRequest, **found: Any) -> HttpResponse:
        if not all(map(request.user.has_perm, _NEEDED)):
            raise PermissionDenied
        return view(request, **found)

    return guarded


def map_file(request: HttpRequest, object_id: int, site: AdminSite) -> HttpResponse:
    """GET: the mapping of the file; the query may name another dialect. POST: start the checks."""
    batch = _with_input(request, object_id)
    if not creation.has_input(batch):
        return _page(request, site, batch, "mapping", {"is_missing": True})
    if request.method == "POST":
        body = body_of(request.POST, batch.request)
        try:
            checked = starting.check(request, batch, body)
        except ApiError as error:
            result = previews.refused(error, previews.read(batch, body))
        else:
            return redirect("admin:batches_batch_wizard_checks", object_id=checked.pk)
    else:
        body = with_dialect(starting_body(batch.request), request.GET)
        result = previews.read(batch, body)
    previews.record_preview(request, batch, result)
    context = mapping.form_context(batch, body, result) | mapping.result_context(
        batch, body, result
    )
    return _page(request, site, batch, "mapping", context)


@require_POST
def preview(request: HttpRequest, object_id: int) -> HttpResponse:
    """Return the preview of the posted form, with messages for its controls."""
    batch = _with_input(request, object_id)
    body = body_of(request.POST, batch.request)
    result = previews.read(batch, body)
    previews.record_preview(request, batch, result)
    context = mapping.result_context(batch, body, result) | {
        "is_partial": True,
        "may_preview": may_preview(request, batch),
    }
    return TemplateResponse(request, f"{_TEMPLATES}/result.html", context)


@require_POST
def discard(request: HttpRequest, object_id: int) -> HttpResponse:
    """Cancel a draft: its upload has failed, or was canceled."""
    starting.discard_draft(request, _batch(request, object_id))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def check_rows(request: HttpRequest, object_id: int, site: AdminSite) -> HttpResponse:
    """GET: the checks of a dry run, and its rows with errors. POST: check corrected rows again."""
    batch = _dry_run(request, object_id)
    is_unfinished = batch.status in UNFINISHED
    has_preview = may_preview(request, batch)
    has_grid = not is_unfinished and batch.has_files
    status = HTTPStatus.OK
    if request.method == "POST" and not has_preview:
        raise PermissionDenied
    if request.method == "POST" and not has_grid:
        status = HTTPStatus.CONFLICT
        messages.error(request, "The rows of this dry run cannot be corrected any more, or yet.")
    context: dict[str, Any] = {
        **progress_context(batch, "rows"),
        "text": presentation.progress_text(batch) or progress_context(batch, "rows")["text"],
        "phases": presentation.phases(batch),
        "outcomes": presentation.outcomes(batch),
        "advice": advice(batch, FAILURES),
        "original": batch,
        "corrected": len(batch.request.get("corrections") or ()),
    }
    if has_preview and has_grid:
        page = request.POST.get("page") or request.GET.get("page", "")
        shown = grid.grid_of(batch, page)
        if request.method == "POST":
            found, status = _correct(request, batch, shown)
            if isinstance(found, HttpResponse):
                return found
            shown = found
        if shown.rows:
            record_errors(request, batch)
        context |= {"grid": shown, "failed_file": _failed_file(request, batch)}
    return _page(request, site, batch, "checks", context, status)


def show_changes(request: HttpRequest, object_id: int, site: AdminSite) -> HttpResponse:
    """GET: what a completed dry run would change. POST: run the batch, and open its page."""
    batch = _dry_run(request, object_id)
    if batch.status != Status.COMPLETED:
        return redirect("admin:batches_batch_wizard_checks", object_id=batch.pk)
    run, status, problem = creation.run_of(batch), HTTPStatus.OK, ""
    needs_tick = run is None and _deletes_most(batch)
    is_confirmed = "confirm_deletes" in request.POST
    if request.method == "POST" and needs_tick and not is_confirmed:
        status = HTTPStatus.BAD_REQUEST
        problem = "Confirm the deletion, or change the action or the file."
    elif request.method == "POST":
        try:
            created = starting.run(request, batch, batch.deleted_count if is_confirmed else None)
        except ApiError as error:
            status = HTTPStatus(error.code.status)
            messages.error(request, error.message)
        else:
            return redirect("admin:batches_batch_change", object_id=created.pk)
    context: dict[str, Any] = {
        "run": run,
        "needs_tick": needs_tick,
        "problem": problem,
        "outcomes": presentation.outcomes(batch),
        "writes": batch.created_count + batch.updated_count + batch.deleted_count,
    }
    if may_preview(request, batch):
        context["changes"] = changes_of(batch)
        record_preview(request, batch, f"Previewed the changes of {batch}.")
    return _page(request, site, batch, "changes", context, status)


def _deletes_most(batch: Batch) -> bool:
    """Return whether the run of a dry run needs `confirm_deletes`.

    The dry run says so in a warning, or has confirmed it itself.
    """
    if batch.action != Action.OVERWRITE or not batch.deleted_count:
        return False
    is_confirmed = batch.request.get("confirm_deletes") is not None
    return is_confirmed or any("confirm_deletes" in each for each in batch.warnings)


def _correct(
    request: HttpRequest, batch: Batch, shown: grid.Grid
) -> tuple[HttpResponse | grid.Grid, HTTPStatus]:
    """Start a dry run with the corrections of the posted grid, beside those made before.

    Returns a redirect; or the grid to show, with the status of its page: another page of the rows,
    which carries the corrections along, or the posted one if the form is refused.
    """
    body = starting_body(batch.request)
    try:
        found = grid.corrected(shown, request.POST)
        body["corrections"] = grid.merged(body.get("corrections") or {}, found)
        if "go" in request.POST:
            # The person would lose the other edits with a form that cannot be saved at the end.
            starting.validated(request, batch, body)
            shown = grid.grid_of(batch, request.POST["go"])
            grid.keep_corrections(shown, found)
            return shown, HTTPStatus.OK
        if not found:
            messages.warning(request, "No cell was changed.")
            return redirect(f"{request.path}?page={shown.page.number}"), HTTPStatus.FOUND
        checked = starting.check(request, batch, body)
        address = redirect("admin:batches_batch_wizard_checks", object_id=checked.pk)
        return address, HTTPStatus.FOUND
    except ApiError as error:
        messages.error(request, error.message)
        status = HTTPStatus(error.code.status)
    except ValueError as error:
        messages.error(request, str(error))
        status = HTTPStatus.BAD_REQUEST
    grid.keep_posted(shown, request.POST)
    return shown, status


def _failed_file(request: HttpRequest, batch: Batch) -> Any:
    """Return the file with the rows with errors; None if there is none, or not for the person."""
    if not request.user.has_perm(_DOWNLOAD):
        return None
    return batch.files.filter(kind=FileKind.FAILED).first()


def _batch(request: HttpRequest, object_id: int) -> Batch:
    batches = staff.restrict(Batch.objects.visible(), request.user)
    return get_object_or_404(batches.select_related("organization"), pk=object_id)


def _with_input(request: HttpRequest, object_id: int) -> Batch:
    """Return a batch that had an input of its own, as undos have not. Raises Http404."""
    batch = _batch(request, object_id)
    if batch.input_key is None:
        raise Http404
    return batch


def _dry_run(request: HttpRequest, object_id: int) -> Batch:
    """Return a dry run that is not a draft. Raises Http404."""
    batch = _batch(request, object_id)
    if not batch.dry_run or batch.is_draft:
        raise Http404
    return batch


def _page(
    request: HttpRequest,
    site: AdminSite,
    batch: Batch,
    step: str,
    context: dict[str, Any],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    request.current_app = site.name
    context = {
        **site.each_context(request),
        "title": f"{resource_label(batch.resource)} from {batch.input_name or 'a deleted file'}",
        "step": step,
        "batch": batch,
        "may_preview": may_preview(request, batch),
        "has_changes": batch.dry_run and batch.status == Status.COMPLETED,
        "has_input": creation.has_input(batch),
        **context,
    }
    return TemplateResponse(request, f"{_TEMPLATES}/{step}.html", context, status=status)
