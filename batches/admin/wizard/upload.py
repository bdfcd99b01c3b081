"""The first step: chooses the organization and the resource, and receives the file.

The script of the page announces the file, and sends it to an upload link with a progress bar.
Without a script, the form itself has the file, which is then limited to the size of a form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst

from batches.admin.wizard import starting
from batches.admin.wizard.bodies import for_another_file, starting_body
from batches.lifecycle import creation, limits
from batches.lifecycle.upload_links import own_upload_url
from batches.models import Batch
from batches.request.parser import writable_resources
from longshore.accounts import staff
from longshore.accounts.admin.organization_choice import (
    OrganizationChoice,
    find_organization,
    only_organization,
)
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.api.multipart import file_name
from longshore.jobs.admin.presentation import resource_label

_ORGANIZATIONS = "admin:batches_batch_wizard_organizations"
_MAX_NAME_CHARACTERS = 1_000


@dataclass
class _Upload:
    """What the form of the first step has.

    origin: the batch whose request is repeated; None for a new request.
    problems: messages by the names of controls; "" for the whole form.
    """

    organization: Organization | None = None
    resource: str = ""
    origin: Batch | None = None
    problems: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the body of the draft: the repeated request, if it is of the same resource."""
        origin = self.origin
        if origin and origin.resource == self.resource:
            is_same = origin.organization == self.organization
            body = for_another_file(origin.request, is_same_organization=is_same)
            return body | {"resource": self.resource}
        return starting_body({"resource": self.resource})


def upload(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """GET: the form, prefilled by the query. POST: create a draft and open its mapping."""
    given = request.POST if request.method == "POST" else request.GET
    form = _read(request, given)
    if request.method != "POST":
        return _page(request, site, form)
    batch = _create(request, form)
    is_script = "announced" in request.POST
    if batch is None:
        if is_script:
            return JsonResponse({"problems": form.problems}, status=400)
        return _page(request, site, form)
    mapping = reverse("admin:batches_batch_wizard_mapping", args=[batch.pk])
    if is_script:
        discard = reverse("admin:batches_batch_wizard_discard", args=[batch.pk])
        return JsonResponse({"upload": own_upload_url(batch), "next": mapping, "discard": discard})
    return redirect(mapping)


def _read(request: HttpRequest, given: Mapping[str, Any]) -> _Upload:
    form = _Upload(
        find_organization(request.user, given.get("organization", "")), given.get("resource", "")
    )
    if public_id := given.get("from"):
        batches = staff.restrict(Batch.objects.visible(), request.user)
        batch = get_object_or_404(batches.select_related("organization"), public_id=public_id)
        form.origin = batch
        if request.method != "POST":
            form.organization, form.resource = batch.organization, batch.resource
    if form.organization is None and request.method != "POST":
        form.organization = only_organization(request.user)
    return form


def _create(request: HttpRequest, form: _Upload) -> Batch | None:
    """Create the draft; None if the form has problems."""
    file = request.FILES.get("file")
    name = request.POST.get("announced") if file is None else file.name
    if form.organization is None:
        form.problems["organization"] = "Choose the organization whose records the file has."
    if form.resource not in writable_resources():
        form.problems["resource"] = "Choose the resource of the rows."
    if not name:
        form.problems["file"] = "Choose a file."
    if form.organization and (problem := _size_problem(request, form.organization)):
        form.problems["file"] = problem
    if form.organization is None or not name or form.problems:
        return None
    blocks = None if file is None else file.chunks()
    name = file_name(name[-_MAX_NAME_CHARACTERS:])
    try:
        return starting.create_draft(request, form.organization, form.body(), name, blocks)
    except ApiError as error:
        form.problems[""] = error.message
        return None


def _size_problem(request: HttpRequest, organization: Organization) -> str:
    """Return why a file is too large, before it is uploaded; "" if it is not."""
    text, maximum = request.POST.get("size", ""), creation.max_bytes(organization.pk)
    is_whole = text.isascii() and text.isdigit() and len(text) < 20
    is_too_large = is_whole and int(text) > maximum
    return limits.too_many_bytes(maximum).message if is_too_large else ""


def _page(request: HttpRequest, site: AdminSite, form: _Upload) -> HttpResponse:
    request.current_app = site.name
    limit = creation.max_bytes(form.organization.pk) if form.organization else None
    origin = form.origin
    resources = sorted((resource_label(name), name) for name in writable_resources())
    context = {
        **site.each_context(request),
        "title": "Upload a batch",
        "step": "upload",
        "organization_form": OrganizationChoice(request.user, form.organization, _ORGANIZATIONS),
        "resources": [(name, capfirst(label)) for label, name in resources],
        "form": form,
        "origin_has_input": origin is not None and creation.has_input(origin),
        "limit": filesizeformat(limit) if limit else "",
        "problem": form.problems.get("", ""),
    }
    return TemplateResponse(request, "admin/batches/wizard/upload.html", context)
