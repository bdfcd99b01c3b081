"""The views of the builder. They need `add_export` or `preview_export`.

Previews need `preview_export`. Runs and changes of presets need `add_export`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from exports.admin.builder import drafts, page, presets
from exports.admin.builder.bodies import body_of, state_of
from exports.admin.builder.columns import resource_of
from exports.admin.builder.posted import apply, read_state
from exports.admin.builder.previews import Result, parse, record_preview, run_preview
from exports.admin.builder.problems import PlacedProblem
from exports.admin.builder.related import opened_node
from exports.admin.builder.state import State
from exports.lifecycle import creation
from exports.models import Export, ExportPreset
from exports.spec import ExportSpec
from exports.sql.declared_names import resources_of
from longshore.accounts import audit, staff
from longshore.accounts.admin.organization_choice import (
    OrganizationAutocomplete,
    find_organization,
    only_organization,
)
from longshore.accounts.models import AuditAction, Organization
from longshore.api.concurrency import admitted
from longshore.api.errors import ApiError, InvalidInput
from longshore.jobs.specs import check_size
from longshore.resources.readers import check_person

_ADD, _PREVIEW, _VIEW = (f"exports.{verb}_export" for verb in ("add", "preview", "view"))
_TEMPLATES = "admin/exports/builder"
_NO_ORGANIZATION = "Choose the organization whose records you want to export."
_NO_SOURCE = "Choose what to export."
_View = Callable[[HttpRequest], HttpResponse]


def builder_urls(site: AdminSite) -> list[URLPattern]:
    """Return the addresses of the builder, below those of exports in the admin."""

    def page_of_site(request: HttpRequest) -> HttpResponse:
        return build(request, site)

    def presets_of_site(request: HttpRequest) -> HttpResponse:
        return save_preset(request, site)

    views: dict[str, _View] = {
        "": page_of_site,
        "form/": form,
        "preview/": preview,
        "related/": related,
        "presets/": presets_of_site,
        "organizations/": OrganizationAutocomplete.as_view(),
    }
    return [
        path(
            f"build/{address}",
            site.admin_view(_for_builders(view)),
            name="_".join(filter(None, ("exports_export_build", address.rstrip("/")))),
        )
        for address, view in views.items()
    ]


def build(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """GET: the page, prefilled by the query. POST: create the export and open its page."""
    if request.method == "POST":
        _check_add(request)
        return _run(request, site)
    state, organization, preset = _opened(request)
    return _page(request, site, state, organization, preset=preset)


@require_POST
def form(request: HttpRequest) -> HttpResponse:
    """Return the form after the button `do` was pressed. htmx takes a part of it."""
    state = apply(read_state(request.POST), request.POST.get("do", ""))
    context = page.form_context(request.user, state, _chosen(request))
    return TemplateResponse(request, f"{_TEMPLATES}/form.html", context)


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Return the preview of the posted form, with texts for other parts of the page."""
    state, organization = read_state(request.POST), _chosen(request)
    if _missing(state, organization):
        result = Result()
    elif organization and request.user.has_perm(_PREVIEW):
        result = run_preview(state, organization, request.user)
        if result.preview and result.spec:
            record_preview(request, state, organization, result.spec)
    else:
        result = parse(state, organization)
    context = _result(request, state, organization, result) | {"is_partial": True}
    return TemplateResponse(request, f"{_TEMPLATES}/result.html", context)


@require_GET
def related(request: HttpRequest) -> HttpResponse:
    """Return the fields and relations of a node of the tree of related records."""
    state = State(resource=request.GET.get("resource", ""))
    resource = resource_of(state)
    node = opened_node(resource, request.GET.get("path", "")) if resource else None
    if node is None:
        raise Http404
    context = {"node": node, "resource": resource}
    return TemplateResponse(request, f"{_TEMPLATES}/related_content.html", context)


@require_POST
def save_preset(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Save, replace or delete a preset, and open the page with it."""
    _check_add(request)
    state, organization = read_state(request.POST), _chosen(request)
    chosen = request.POST.get("saved_preset", "")
    preset = _preset(request, chosen) if chosen else None
    if request.POST.get("do") == "delete":
        if preset is None:
            raise Http404
        presets.delete(request, preset)
        return redirect("admin:exports_export_build")
    result = _missing(state, organization) or parse(state, organization)
    if organization is None or result.spec is None:
        messages.error(request, "The preset was not saved. Correct the marked fields first.")
        return _page(request, site, state, organization, result=result, preset=preset)
    try:
        body = body_of(state)
        check_size(body, result.spec, creation.SIZE_ADVICE)
        saved = presets.save(request, person(request), organization, body, preset)
    except (ApiError, ValueError) as error:
        messages.error(request, str(error))
        return _page(request, site, state, organization, result=result, preset=preset)
    return redirect(f"{reverse('admin:exports_export_build')}?preset={saved.pk}")


def person(request: HttpRequest) -> AbstractBaseUser:
    """Return the signed-in user. Raises PermissionDenied without a sign-in."""
    if isinstance(request.user, AnonymousUser):
        raise PermissionDenied
    return request.user


def _for_builders(view: _View) -> _View:
    def guarded(request: HttpRequest) -> HttpResponse:
        if not any(map(request.user.has_perm, (_ADD, _PREVIEW))):
            raise PermissionDenied
        return view(request)

    return guarded


def _check_add(request: HttpRequest) -> None:
    if not request.user.has_perm(_ADD):
        raise PermissionDenied


def _run(request: HttpRequest, site: AdminSite) -> HttpResponse:
    state, organization = read_state(request.POST), _chosen(request)
    result = _missing(state, organization) or parse(state, organization)
    if organization and result.spec:
        try:
            with admitted(organization.pk):
                export, is_new = _create(request, organization, body_of(state), result.spec)
        except InvalidInput as invalid:
            result = Result([PlacedProblem("", each.message) for each in invalid.problems])
        except ApiError as error:
            result = Result([PlacedProblem("", error.message)])
        else:
            return _created(request, export, is_new=is_new)
    return _page(request, site, state, organization, result=result)


def _create(
    request: HttpRequest, organization: Organization, body: Mapping[str, Any], spec: ExportSpec
) -> tuple[Export, bool]:
    """Create the export as the API does. The audit log says who asked for it."""
    with transaction.atomic():
        is_deduped = body.get("dedupe") is True
        check_person(resources_of(spec), request.user)
        export, is_new = creation.create(organization, None, body, spec, dedupe=is_deduped)
        if is_new:
            audit.record(request, AuditAction.ADD, organization.pk, export)
    return export, is_new


def _created(request: HttpRequest, export: Export, *, is_new: bool) -> HttpResponse:
    if is_new:
        messages.success(request, f"The export {export} was created.")
    else:
        messages.info(request, f"The same export is not finished yet: {export}.")
    return redirect("admin:exports_export_change", export.pk)


def _opened(request: HttpRequest) -> tuple[State, Organization | None, ExportPreset | None]:
    """Return the state that the query names. Raises Http404, PermissionDenied."""
    query = request.GET
    if public_id := query.get("from"):
        if not request.user.has_perm(_VIEW):
            raise PermissionDenied
        exports = staff.restrict(Export.objects.visible(), request.user)
        export = get_object_or_404(exports.select_related("organization"), public_id=public_id)
        return state_of(export.request), export.organization, None
    if number := query.get("preset"):
        preset = _preset(request, number)
        return state_of(preset.request), preset.organization, preset
    if token := query.get("draft"):
        draft = drafts.get(request, token)
        if draft is None:
            raise Http404
        body, key = draft.body, draft.organization
    else:
        body = {name: query[name] for name in ("resource", "type") if name in query}
        key = query.get("organization", "")
    organization = find_organization(request.user, key) or only_organization(request.user)
    return state_of(body), organization, None


def _preset(request: HttpRequest, number: str) -> ExportPreset:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    return get_object_or_404(page.presets_of(request.user), pk=int(number))


def _chosen(request: HttpRequest) -> Organization | None:
    return find_organization(request.user, request.POST.get("organization", ""))


def _missing(state: State, organization: Organization | None) -> Result | None:
    """Return the problems of a form on which the first questions are not answered yet."""
    problems = []
    if organization is None:
        problems.append(PlacedProblem("organization", _NO_ORGANIZATION))
    if not (state.resource or state.type):
        problems.append(PlacedProblem("source", _NO_SOURCE))
    return Result(problems) if problems else None


def _result(
    request: HttpRequest, state: State, organization: Organization | None, result: Result
) -> dict[str, Any]:
    api_url = request.build_absolute_uri("/v1/exports")
    context = page.result_context(state, organization, result, api_url)
    may_preview = request.user.has_perm(_PREVIEW)
    return context | {"may_preview": may_preview, "is_missing": bool(_missing(state, organization))}


def _page(
    request: HttpRequest,
    site: AdminSite,
    state: State,
    organization: Organization | None,
    *,
    result: Result | None = None,
    preset: ExportPreset | None = None,
) -> HttpResponse:
    request.current_app = site.name
    may_add = request.user.has_perm(_ADD)
    context = {
        **site.each_context(request),
        "title": "Build an export" if may_add else "Preview an export",
        **page.form_context(request.user, state, organization),
        **_result(request, state, organization, result or Result()),
        "is_refused": result is not None,
        "may_add": may_add,
        "preset": preset,
        "may_change_preset": preset is not None and presets.may_change(request, preset),
        "presets": page.presets_of(request.user)[: page.MAX_PRESETS],
    }
    return TemplateResponse(request, "admin/exports/builder.html", context)
