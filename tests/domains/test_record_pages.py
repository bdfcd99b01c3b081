"""All pages of all records in the admin, with demo data."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.plugin import DjangoDbBlocker

from longshore.accounts.admin import base
from longshore.accounts.roles import Role
from longshore.domains.admin.records import RecordAdmin
from longshore.domains.commerce.models.base import Record as CommerceRecord
from longshore.domains.logistics.models import Contact
from longshore.domains.logistics.models.base import Record as LogisticsRecord
from longshore.resources.registry import registry
from tests.conftest import delete_committed
from tests.domains.pages import address, listed, resend, stored

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("demo", "static_files"),
    pytest.mark.slow,
]
PAGES = [page for page in admin.site._registry.values() if isinstance(page, RecordAdmin)]
MODELS = [page.model for page in PAGES]
# One relation to each model.
CHOICES = {
    field.related_model: (page, field.name)
    for page in PAGES
    for field in (*page.opts.fields, *page.opts.many_to_many)
    if field.related_model in MODELS and page.opts.managed
}.values()
# Of a page, for any number of rows.
MAX_LIST_QUERIES, MAX_FORM_QUERIES, MAX_CHOICE_QUERIES = 12, 40, 8


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        call_command("demo_data", organization="acme", rows=200, orders=60, verbosity=0)
        yield
        delete_committed()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in(User.objects.create_superuser("staff"))


@pytest.fixture
def viewer() -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.groups.add(Group.objects.get(name=Role.VIEWER))
    return signed_in(user)


def newest(model: type[Model]) -> Any:
    return model._default_manager.order_by("-pk")[0]


def check_texts(response: Any, page: RecordAdmin) -> None:
    """Check that a page opens, labels its controls, and shows no amount in minor units."""
    assert response.status_code == 200
    html = response.content.decode()
    assert unlabeled(html) == []
    texts = re.findall(r'value="([^"]*)"|>([^<]+)<', html)
    words = {word for pair in texts for text in pair for word in text.split()}
    assert "cents" not in words
    amounts = (getattr(newest(page.model), name) or 0 for name in page.amounts)
    # Smaller numbers may be something else.
    assert not words & {str(abs(minor)) for minor in amounts if abs(minor) > 999}


def unlabeled(html: str) -> list[str]:
    """Return the controls of the record's form that have neither a label nor an own name."""
    labels = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
    controls = re.findall(r'<(?:input|select|textarea)[^>]*name="record-[^>]*>', html)
    named = ("aria-label", "placeholder", 'type="hidden"')
    return [
        control
        for control in controls
        if not any(name in control for name in named)
        and not {*re.findall(r' id="([^"]+)"', control)} & labels
    ]


def test_every_record_has_pages() -> None:
    declared = {*CommerceRecord.__subclasses__(), *LogisticsRecord.__subclasses__()}
    concrete = {
        leaf
        for model in declared
        for leaf in (model.__subclasses__() if model._meta.abstract else [model])
    }
    assert concrete == set(MODELS)
    assert [model for model in MODELS if registry.for_model(model) is None] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_a_list_opens_with_a_constant_number_of_queries(page: RecordAdmin, staff: Client) -> None:
    with CaptureQueriesContext(connection) as queries:
        # The parameter asks for the number of records of each choice of each filter.
        response = staff.get(address(page.model, "changelist"), {"_facets": "True"})
    assert response.context["cl"].result_list
    assert not response.context["cl"].add_facets
    assert len(queries) <= MAX_LIST_QUERIES
    check_texts(response, page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_forms_open_and_saving_them_unchanged_changes_nothing(
    page: RecordAdmin, staff: Client
) -> None:
    record = newest(page.model)
    before = stored(record)
    with CaptureQueriesContext(connection) as queries:
        response = staff.get(address(page.model, "change", record.pk))
    assert len(queries) <= MAX_FORM_QUERIES
    check_texts(response, page)
    request = response.wsgi_request
    new = staff.get(address(page.model, "add"))
    if page.has_add_permission(request):
        title, first = new.context["adminform"].fieldsets[0]
        assert (title, first["fields"][0]) == (None, "organization")
    else:
        assert new.status_code == 403
    saved = resend(staff, response)
    if page.has_change_permission(request):
        assert saved.status_code == 302, saved.context["adminform"].errors
    else:
        assert saved.status_code == 403
    assert stored(record) == before


def test_only_a_few_records_are_deleted_at_once(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MAX_DELETED", 1)
    contacts = [*Contact.objects.values_list("pk", flat=True)[:2]]
    page, count = address(Contact, "changelist"), Contact.objects.count()
    form = {"action": "delete_selected", "post": "yes"}
    for selected in (
        {"_selected_action": contacts},
        {"_selected_action": contacts[:1], "select_across": "1"},
    ):
        response = staff.post(page, form | selected, follow=True)
        assert "Select at most 1 contacts to delete them." in response.content.decode()
    assert Contact.objects.count() == count
    staff.post(page, form | {"_selected_action": contacts[:1]})
    assert Contact.objects.count() == count - 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_people_who_may_only_see_records_read_the_same_texts(
    page: RecordAdmin, viewer: Client
) -> None:
    response = viewer.get(address(page.model, "change", newest(page.model).pk))
    check_texts(response, page)
    assert 'name="record-' not in response.content.decode()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.opts.label)
def test_search_finds_records_by_id_and_text(page: RecordAdmin, staff: Client) -> None:
    record = newest(page.model)
    assert listed(staff, page.model, q=record.pk) == [record]
    value: Any = record
    for step in page.search_fields[0].split("__"):
        value = getattr(value, step)
    assert not value or record in listed(staff, page.model, q=value)


@pytest.mark.parametrize(("page", "name"), CHOICES, ids=str)
def test_choices_of_a_form_are_found_with_a_constant_number_of_queries(
    page: RecordAdmin, name: str, staff: Client
) -> None:
    options = page.opts
    query = {"app_label": options.app_label, "model_name": options.model_name, "field_name": name}
    with CaptureQueriesContext(connection) as queries:
        found = staff.get(reverse("admin:autocomplete"), query).json()["results"]
    assert found
    assert len(queries) <= MAX_CHOICE_QUERIES
