"""A bound person finds nothing of another organization on any page of the admin.

Pages, filters, relations and addresses come from `admin.site`: new ones are covered by themselves.
A new address of a record must name its parameter `object_id`, or the test of addresses fails.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CharField, EmailField, Model, TextField
from django.forms.models import ModelChoiceField
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from batches.models import Batch, BatchError
from exports.models import Export, ExportFile
from longshore.accounts.admin.base import OBJECT_ID, StaffModelAdmin
from longshore.accounts.models import ApiKey, AuditEntry, Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs.statuses import Status
from tests.exports.conftest import export_of
from tests.factories import DeliveryFactory, EventFactory, SubscriptionFactory
from tests.members import bind
from tests.records import a_record

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files"), pytest.mark.slow]

# Each text of the other organization contains it.
HIDDEN = "Zanzibar"
PAGES: list[Any] = list(admin.site._registry.values())
OWNED = [page for page in PAGES if page.organization_path is not None]
# URL parameters that do not name records of an organization.
OTHER_PARAMETERS = {"app_label", "url", "content_type_id", "id"}


def _export(organization: Organization, text: str) -> Export:
    body = {
        "resource": "contact",
        "csv_field_options": {"columns": {"id": text, "name": "Name"}},
        "metadata": {"text": text},
    }
    export = export_of(
        organization,
        body,
        status=Status.COMPLETED,
        records_count=1,
        completed_at="2026-01-01T00:00:00Z",
    )
    ExportFile.objects.create(
        export=export, name=f"{text}.csv", storage_key=text, rows=1, bytes=1, sha256="0"
    )
    return export


def _batch(organization: Organization, text: str) -> Batch:
    return Batch.objects.create(
        organization=organization,
        resource="contact",
        request={"text": text},
        spec={},
        action="merge",
        mode="async",
        via="file",
        expires_at="2099-01-01T00:00:00Z",
        input_name=f"{text}.csv",
        input_key=text,
    )


MAKERS: dict[type[Model], Callable[[Organization, str], Any]] = {
    ApiKey: lambda organization, text: ApiKey.objects.create_key(
        organization=organization, name=text
    )[0],
    Export: _export,
    Batch: _batch,
    BatchError: lambda organization, text: BatchError.objects.create(
        batch=_batch(organization, text), row=1, column=text, code="x", value=text, message=text
    ),
    AuditEntry: lambda organization, text: AuditEntry.objects.create(
        organization=organization, username="somebody", action="change", subject=text, message=text
    ),
}


def _webhooks(organization: Organization, text: str) -> dict[type[Model], Any]:
    subscription = SubscriptionFactory.create(
        organization=organization, name=text, target=f"https://{text.lower()}.example.com/"
    )
    event = EventFactory.create(organization=organization, data={"id": text, "object": "thing"})
    delivery = DeliveryFactory.create(subscription=subscription, event=event)
    return {type(each): each for each in (subscription, event, delivery)}


def _texts(model: type[Model], text: str) -> dict[str, str]:
    """Return the text for each field of a model that can hold it."""
    return {
        # Several models share the table of transactions, in which numbers are unique.
        field.name: text if field.max_length else f"{text} {model._meta.model_name}"
        for field in model._meta.concrete_fields
        if isinstance(field, CharField | TextField)
        and not isinstance(field, EmailField)
        and not (field.primary_key or field.choices or field.generated or field.validators[1:])
        and (field.max_length or 99) >= len(text)
    }


def records_of(organization: Organization, text: str) -> dict[type[Model], Any]:
    """Create a record of each model that the admin shows."""
    records: dict[type[Model], Any] = {Organization: organization}
    records |= _webhooks(organization, text)
    for page in OWNED:
        model = page.model
        if model in records:
            continue
        make = MAKERS.get(model)
        records[model] = (
            make(organization, text)
            if make
            else a_record(model, organization, **_texts(model, text))
        )
    return records


@pytest.fixture
def own(acme: Organization) -> dict[type[Model], Any]:
    return records_of(acme, "Ours")


@pytest.fixture
def others(own: dict[type[Model], Any]) -> dict[type[Model], Any]:
    organization = Organization.objects.create(name=f"{HIDDEN} Stores", slug=HIDDEN.lower())
    return records_of(organization, HIDDEN)


@pytest.fixture
def bound(acme: Organization) -> Client:
    """A superuser who is bound to acme: permissions alone would hide nothing."""
    user = User.objects.create_superuser("bound")
    bind(user, [acme])
    return signed_in(user)


@pytest.fixture
def unbound(db: None) -> Client:
    return signed_in(User.objects.create_superuser("unbound"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(page: Any, name: str, *args: object) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_{name}", args=args)


def shows_hidden(response: Any) -> bool:
    content: bytes = b"" if response.streaming else response.content
    return HIDDEN.lower() in content.decode().lower()


def test_every_page_of_the_admin_is_restricted() -> None:
    assert [page for page in PAGES if not isinstance(page, StaffModelAdmin)] == []


def test_lists_searches_and_filters_show_only_own_records(
    bound: Client, unbound: Client, others: dict[type[Model], Any]
) -> None:
    for page in PAGES:
        address = url(page, "changelist")
        if page.organization_path is None:
            assert bound.get(address).status_code == 404
            continue
        query = {"batch": others[BatchError].batch_id} if page.model is BatchError else {}
        # The sweep is in vain if the page does not show the record to anybody.
        assert shows_hidden(unbound.get(address, query)), page
        response = bound.get(address, query)
        assert response.status_code == 200
        assert not shows_hidden(response), page
        assert others[page.model] not in response.context["cl"].result_list
        _check_searches(page, bound, others[page.model])
        for spec in response.context["cl"].filter_specs:
            related = getattr(getattr(spec, "field", None), "related_model", None)
            if related in others:
                filtered = bound.get(address, {spec.lookup_kwarg: others[related].pk})
                assert not shows_hidden(filtered), (page, spec)


def _check_searches(page: Any, bound: Client, other: Any) -> None:
    terms = [HIDDEN, str(other.pk), getattr(other, "public_id", HIDDEN)]
    for term in terms if page.search_fields else ():
        found = bound.get(url(page, "changelist"), {"q": term}).context["cl"].result_list
        assert other not in found, (page, term)


def _addresses() -> Iterator[tuple[str, list[str]]]:
    """Yield name and parameters of each address below /admin/."""

    def walk(patterns: list[Any], prefix: str, namespace: str) -> Iterator[tuple[str, list[str]]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                if route.startswith("admin/") or "admin/".startswith(route):
                    inner = namespace + (f"{pattern.namespace}:" if pattern.namespace else "")
                    yield from walk(pattern.url_patterns, route, inner)
            elif isinstance(pattern, URLPattern) and route.startswith("admin/") and pattern.name:
                parameters = list(pattern.pattern.converters or pattern.pattern.regex.groupindex)
                yield namespace + pattern.name, parameters

    return walk(get_resolver().url_patterns, "", "")


ADDRESSES = sorted({(name, tuple(parameters)) for name, parameters in _addresses()})


def _page_of(name: str) -> Any:
    """Return the ModelAdmin of an address; None for one of the site."""
    for page in PAGES:
        if name.startswith(f"admin:{page.opts.app_label}_{page.opts.model_name}_"):
            return page
    return None


def test_no_address_shows_or_changes_a_record_of_another_organization(
    bound: Client, others: dict[type[Model], Any]
) -> None:
    form = {"_form_submitted": "on", "post": "yes"}
    for name, parameters in ADDRESSES:
        assert set(parameters) <= {OBJECT_ID, *OTHER_PARAMETERS}, name
        page = _page_of(name)
        if parameters == (OBJECT_ID,):
            path = reverse(name, args=[others[page.model].pk if page.organization_path else 1])
            statuses = bound.get(path).status_code, bound.post(path, form).status_code
            assert statuses == (404, 404), name
        elif not parameters and name != "admin:logout":
            assert not shows_hidden(bound.get(reverse(name), follow=True)), name


@pytest.mark.parametrize(
    ("address", "lookup"),
    [
        ("longshore_accounts/apikey/", "hashed_key__startswith"),
        ("auth/user/", "password__startswith"),
        ("webhooks/event/", "data__challenge__startswith"),
        ("webhooks/delivery/", "event__data__challenge__startswith"),
        ("webhooks/delivery/", "subscription__secret__startswith"),
        *(
            ("webhooks/subscription/", f"{name}__startswith")
            for name in ("challenge", "secret", "previous_secret", "headers")
        ),
        ("batches/batcherror/", "value__startswith"),
    ],
)
def test_no_address_filters_by_a_value_that_no_page_shows(
    unbound: Client, address: str, lookup: str
) -> None:
    assert unbound.get(f"/admin/{address}", {lookup: "a"}).status_code == 400


def test_the_search_of_the_whole_admin_finds_only_own_records(
    acme: Organization, others: dict[type[Model], Any]
) -> None:
    user = User.objects.create_superuser("mary")
    client = signed_in(user)
    assert shows_hidden(client.get("/admin/search/", {"s": HIDDEN, "extended": ""}))
    bind(user, [acme])
    for parameters in ({}, {"extended": ""}):
        assert not shows_hidden(client.get("/admin/search/", {"s": HIDDEN, **parameters}))


def _relations() -> Iterator[tuple[type[Model], Any]]:
    """Yield model and field of each relation that a form or an inline of the admin may show."""
    models = {page.model for page in PAGES}
    models |= {inline.model for page in PAGES for inline in page.inlines}
    for model in sorted(models, key=lambda each: each._meta.label_lower):
        for field in (*model._meta.fields, *model._meta.many_to_many):
            if field.remote_field is not None:
                yield model, field


def test_autocompletes_offer_only_own_records(
    bound: Client, own: dict[type[Model], Any], others: dict[type[Model], Any]
) -> None:
    offered = 0
    for model, field in _relations():
        parameters = {
            "app_label": model._meta.app_label,
            "model_name": model._meta.model_name,
            "field_name": field.name,
            "term": "",
        }
        response = bound.get("/admin/autocomplete/", parameters)
        if response.status_code in (403, 404):
            continue
        results = json.loads(response.content)["results"]
        offered += len(results)
        assert not [each for each in results if HIDDEN.lower() in each["text"].lower()], field
        other = others.get(field.related_model)
        assert other is None or str(other.pk) not in {each["id"] for each in results}, field
    assert offered


def test_the_autocomplete_of_a_page_without_restriction_is_closed_to_bound_people(
    bound: Client, unbound: Client, others: dict[type[Model], Any], plain_contacts: None
) -> None:
    parameters = {
        "app_label": "longshore_logistics",
        "model_name": "shipment",
        "field_name": "sender_contact",
    }
    address = "/admin/autocomplete/"
    assert shows_hidden(unbound.get(address, parameters))
    assert bound.get(address, parameters).status_code == 404
    assert Client().get(address, parameters).status_code == 302


@pytest.fixture
def plain_contacts() -> Iterator[None]:
    """Show contacts on pages in Django's style, without a base of Longshore."""
    page = admin.site.get_model_admin(Contact)
    plain = type("PlainAdmin", (admin.ModelAdmin,), {"search_fields": ("name",)})
    admin.site.unregister(Contact)
    admin.site.register(Contact, plain)
    yield
    admin.site.unregister(Contact)
    admin.site.register(Contact, type(page))


def test_forms_accept_only_own_records(
    bound: Client, own: dict[type[Model], Any], others: dict[type[Model], Any]
) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="bound")
    editable = [page for page in OWNED if page.has_change_permission(request)]
    assert editable
    for page in editable:
        record = own[page.model]
        forms = [page.get_form(request, change=False)]
        for inline in page.get_inline_instances(request, record):
            forms.append(inline.get_formset(request, record).form)
        for name, field in (each for form in forms for each in form.base_fields.items()):
            if isinstance(field, ModelChoiceField):
                choices: Any = field.queryset
                model = choices.model
                accepted = [
                    model in records and choices.filter(pk=records[model].pk).exists()
                    for records in (own, others)
                ]
                assert accepted == [model in own, False], (page, name)


def test_actions_of_lists_reach_only_own_records(
    bound: Client, others: dict[type[Model], Any]
) -> None:
    for page in OWNED:
        other = page.model._default_manager.filter(pk=others[page.model].pk)
        before = other.values().get()
        for action in {"delete_selected", *page.actions}:
            form = {"action": action, "_selected_action": [before[page.opts.pk.attname]]}
            response = bound.post(url(page, "changelist"), form | {"post": "yes"}, follow=True)
            assert not shows_hidden(response), (page, action)
        assert other.values().get() == before, page


def test_pages_of_own_records_open_and_name_no_other_organization(
    bound: Client, own: dict[type[Model], Any], others: dict[type[Model], Any]
) -> None:
    # An error of a batch has no page of its own.
    for page in (page for page in OWNED if page.model is not BatchError):
        for name in ("change", "history"):
            response = bound.get(url(page, name, own[page.model].pk))
            assert response.status_code == 200, (page, name)
            assert not shows_hidden(response), (page, name)
