"""The builder: permissions, organizations, previews, runs, presets, and actions of lists."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from exports.admin.builder.bodies import body_of
from exports.admin.builder.posted import read_state
from exports.models import Export, ExportPreset
from longshore.accounts.models import AuditEntry, Organization
from longshore.domains.logistics.models import Contact, Location
from tests.exports.conftest import export_of
from tests.forms import posted
from tests.members import bind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
PAGE = "/admin/exports/export/build/"
CONTACTS = "/admin/longshore_logistics/contact/"


def signed_in(name: str, *codenames: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db: None) -> Client:
    names = ("add_export", "preview_export", "view_export", "view_contact")
    return signed_in("operator", *names)


@pytest.fixture
def bound(operator: Client, acme: Organization) -> Client:
    """The operator, who may see Acme only."""
    bind(User.objects.get(username="operator"), [acme])
    return operator


@pytest.fixture
def contact(acme: Organization) -> Contact:
    return Contact.objects.create(organization=acme, name="Zoë, <b>", email="zoe@example.com")


def form(organization: Organization, **values: Any) -> dict[str, Any]:
    columns = {"columns": "chosen", "column": ["id", "name"], "header": ["", "Full name"]}
    checked = {"file": "shown", "include_header": "on", "escape_formulas": "on"}
    source = {"organization": organization.pk, "source": "resource:contact", "format": "csv"}
    return {**source, **columns, **checked, **values}


def name_filter(operator: str, value: str) -> dict[str, str]:
    return {
        "filter": "f0",
        "f0.field": "name",
        "f0.operator": f"filters:{operator}",
        "f0.value": value,
    }


def text(response: Any) -> str:
    content: str = response.content.decode()
    return content


@pytest.mark.parametrize("address", ["", "form/", "preview/", "related/", "presets/"])
def test_people_who_may_neither_add_nor_preview_exports_cannot_open_the_builder(
    acme: Organization, address: str
) -> None:
    viewer = signed_in("viewer", "view_export")
    assert viewer.get(PAGE + address).status_code == 403
    assert viewer.post(PAGE + address, form(acme)).status_code == 403


def test_people_who_may_only_preview_see_rows_and_run_and_save_nothing(
    acme: Organization, contact: Contact
) -> None:
    support = signed_in("support", "view_export", "preview_export")
    assert f'href="{PAGE}"' in text(support.get("/admin/exports/export/"))
    page = text(support.get(PAGE, {"resource": "contact"}))
    assert "Preview an export" in page
    assert "Run export" not in page
    assert 'name="preset_name"' not in page
    assert "Zoë" in text(support.post(f"{PAGE}preview/", form(acme)))
    assert support.post(f"{PAGE}form/", form(acme)).status_code == 200
    assert support.post(PAGE, form(acme)).status_code == 403
    saved = support.post(f"{PAGE}presets/", form(acme, do="save", preset_name="Names"))
    assert saved.status_code == 403
    assert not Export.objects.exists()
    assert not ExportPreset.objects.exists()


def test_a_run_creates_the_export_of_the_person_and_opens_its_page(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    response = operator.post(PAGE, form(acme, **name_filter("start", "Z"), limit="5"))
    export = Export.objects.get()
    assert response.url == reverse("admin:exports_export_change", args=[export.pk])  # type: ignore[attr-defined]
    assert export.organization == acme
    assert export.request == {
        "resource": "contact",
        "options": {"limit": 5},
        "filters": {"name_start": "Z"},
        "csv_field_options": {"columns": {"id": True, "name": "Full name"}},
    }
    entry = AuditEntry.objects.get()
    assert (entry.username, entry.action) == ("operator", "add")
    assert (entry.model, entry.object_id) == ("exports.export", str(export.pk))


def test_a_run_with_a_mistake_shows_the_words_of_the_parser_at_the_control(
    operator: Client, acme: Organization
) -> None:
    values = form(acme, timezone="Europe/Berlim", limit="none")
    response = operator.post(PAGE, values)
    assert not Export.objects.exists()
    page = text(response)
    assert '<li data-for="timezone">&#x27;Europe/Berlim&#x27; is not a time zone.' in page
    assert '<li data-for="limit">&#x27;none&#x27; is not a valid limit.</li>' in page
    assert 'value="Europe/Berlim"' in page


@pytest.mark.parametrize("metadata", ["{", "[" * 5_000 + "]" * 5_000, '{"a": 1}, "b": 2', "[1]"])
def test_metadata_that_is_no_object_is_explained(
    operator: Client, acme: Organization, metadata: str
) -> None:
    page = text(operator.post(PAGE, form(acme, metadata=metadata)))
    assert '<li data-for="metadata">metadata must be an object of at most' in page
    assert not Export.objects.exists()


def test_two_filters_with_one_name_are_refused(operator: Client, acme: Organization) -> None:
    second = {
        f"f1.{name[3:]}": each for name, each in name_filter("cont", "b").items() if "." in name
    }
    values = form(acme, **name_filter("cont", "a") | second | {"filter": ["f0", "f1"]})
    page = text(operator.post(PAGE, values))
    assert '<li data-for="filter:f1">Another filter compares the same field' in page
    assert not Export.objects.exists()


def test_the_preview_shows_the_rows_the_figures_and_the_request(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    page = text(operator.post(f"{PAGE}preview/", form(acme)))
    assert '<th scope="col">Full name</th>' in page
    assert f"<td>{contact.pk}</td><td>Zoë, &lt;b&gt;</td>" in page
    assert "<dt>Rows</dt><dd>1</dd>" in page
    assert "PX-API-KEY: YOUR_API_KEY" in page


def test_an_operator_that_options_do_not_have_is_shown_as_it_is(
    operator: Client, acme: Organization
) -> None:
    values = name_filter("", "Zoë") | {"f0.operator": "options:like_any", "limit": "x"}
    assert 'value="options:like_any"' in text(operator.post(PAGE, form(acme, **values)))


def test_previews_are_recorded_with_their_requests_and_not_twice(
    operator: Client, acme: Organization
) -> None:
    values = form(acme, **name_filter("start", "Zoë"))
    for posted_values in (values, values | {"preset_name": "Names"}, form(acme), values):
        operator.post(f"{PAGE}preview/", posted_values)
    entries = AuditEntry.objects.filter(action="preview", organization=acme)
    first, second = entries.order_by("pk").values_list("message", flat=True)
    assert first.startswith('Previewed contact: {"resource": "contact", ')
    assert '"name_start": "Zoë"' in first
    assert "name_start" not in second


def test_a_preview_of_json_shows_the_objects(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    page = text(operator.post(f"{PAGE}preview/", form(acme, format="jsonl")))
    assert "Zoë, &lt;b&gt;&quot;}</td>" in page


def test_without_the_permission_the_preview_shows_problems_and_no_rows(
    acme: Organization, contact: Contact
) -> None:
    builder = signed_in("builder", "add_export")
    page = text(builder.post(f"{PAGE}preview/", form(acme)))
    assert "Zoë" not in page
    assert not AuditEntry.objects.exists()
    page = text(builder.post(f"{PAGE}preview/", form(acme, limit="x")))
    assert 'data-for="limit"' in page


def test_a_bound_person_finds_nothing_of_another_organization(
    bound: Client, acme: Organization, globex: Organization
) -> None:
    Contact.objects.create(organization=globex, name="Secret")
    export = export_of(globex, {"resource": "contact"})
    owner = User.objects.create_user("other")
    preset = ExportPreset.objects.create(
        name="Theirs", organization=globex, owner=owner, is_shared=True, request={}
    )
    assert bound.get(PAGE, {"from": export.public_id}).status_code == 404
    assert bound.get(PAGE, {"preset": preset.pk}).status_code == 404
    assert "Theirs" not in text(bound.get(PAGE))
    found = bound.get(f"{PAGE}organizations/", {"term": ""}).json()["results"]
    assert [each["id"] for each in found] == [acme.pk]
    assert "Secret" not in text(bound.post(f"{PAGE}preview/", form(globex)))
    assert "Secret" not in text(bound.post(PAGE, form(globex)))
    assert Export.objects.count() == 1


def test_an_export_is_duplicated_into_the_form(operator: Client, acme: Organization) -> None:
    body = {
        "resource": "contact",
        "filters": {"name_cont": "Zoë"},
        "csv_field_options": {"columns": {"email": "Mail"}},
    }
    page = text(operator.get(PAGE, {"from": export_of(acme, body).public_id}))
    assert f'<option value="{acme.pk}" selected' in page
    assert 'value="Zoë"' in page
    assert 'value="Mail"' in page


@pytest.mark.parametrize("query", ["preset=x", "preset=99", "from=exp_x", "draft=x"])
def test_an_unknown_prefill_is_not_found(operator: Client, query: str) -> None:
    assert operator.get(f"{PAGE}?{query}").status_code == 404


def test_presets_are_saved_shared_renamed_and_deleted(operator: Client, acme: Organization) -> None:
    address = f"{PAGE}presets/"
    saved = operator.post(address, form(acme, do="save", preset_name="Names"))
    preset = ExportPreset.objects.get()
    assert saved.url == f"{PAGE}?preset={preset.pk}"  # type: ignore[attr-defined]
    assert 'value="Full name"' in text(operator.get(saved.url))  # type: ignore[attr-defined]
    # Private: only its owner sees it.
    colleague = signed_in("colleague", "add_export")
    assert colleague.get(PAGE, {"preset": preset.pk}).status_code == 404
    values = {
        "do": "replace",
        "saved_preset": preset.pk,
        "preset_name": "All",
        "preset_shared": "on",
    }
    operator.post(address, form(acme, **values))
    preset.refresh_from_db()
    assert (preset.name, preset.is_shared) == ("All", True)
    assert colleague.get(PAGE, {"preset": preset.pk}).status_code == 200
    # Others use it, and do not change it.
    assert colleague.post(address, form(acme, **values)).status_code == 403
    deletion = {"do": "delete", "saved_preset": preset.pk}
    assert colleague.post(address, form(acme, **deletion)).status_code == 403
    operator.post(address, form(acme, **deletion))
    assert not ExportPreset.objects.exists()
    assert AuditEntry.objects.count() == 3


def test_shared_presets_outlive_their_owner_and_private_ones_do_not(
    operator: Client, acme: Organization
) -> None:
    owner = User.objects.create_user("leaver")
    for name, is_shared in (("Ours", True), ("Mine", False)):
        ExportPreset.objects.create(
            name=name, organization=acme, owner=owner, is_shared=is_shared, request={}
        )
    owner.delete()
    preset = ExportPreset.objects.get()
    assert (preset.name, preset.owner) == ("Ours", None)
    assert "shared</small>" in text(operator.get(PAGE))
    deletion = form(acme, do="delete", saved_preset=preset.pk)
    assert operator.post(f"{PAGE}presets/", deletion).status_code == 403
    changer = signed_in("changer", "add_export", "change_export")
    replacement = {"do": "replace", "saved_preset": preset.pk, "preset_name": "Renamed"}
    changer.post(f"{PAGE}presets/", form(acme, **replacement))
    preset.refresh_from_db()
    assert (preset.name, preset.owner, preset.is_shared) == ("Renamed", None, True)
    changer.post(f"{PAGE}presets/", deletion)
    assert not ExportPreset.objects.exists()


def test_the_presets_of_a_person_and_organization_are_limited(
    operator: Client, acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ExportPreset, "MAX_PER_OWNER", 1)
    address = f"{PAGE}presets/"
    operator.post(address, form(acme, do="save", preset_name="First"))
    page = text(operator.post(address, form(acme, do="save", preset_name="Second")))
    assert "You already have 1 presets of Acme Freight. Delete one first." in page
    first = ExportPreset.objects.get()
    operator.post(address, form(acme, do="replace", saved_preset=first.pk, preset_name="Renamed"))
    operator.post(address, form(globex, do="save", preset_name="Second"))
    assert sorted(each.name for each in ExportPreset.objects.all()) == ["Renamed", "Second"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", "x" * 101, "Names"])
def test_a_preset_with_a_name_that_cannot_be_used_is_not_saved(
    operator: Client, acme: Organization, name: str
) -> None:
    operator.post(f"{PAGE}presets/", form(acme, do="save", preset_name="Names"))
    response = operator.post(f"{PAGE}presets/", form(acme, do="save", preset_name=name))
    assert response.status_code == 200
    assert ExportPreset.objects.count() == 1


def test_another_source_keeps_the_settings_of_the_file(
    operator: Client, acme: Organization
) -> None:
    values = form(acme, do="source", source="resource:shipment", format="xlsx")
    page = text(operator.post(f"{PAGE}form/", values))
    assert '<option value="xlsx" selected>' in page
    assert 'value="tracking_number"' in page
    assert 'value="Full name"' not in page


def test_the_first_source_has_the_default_settings_of_the_file(
    operator: Client, acme: Organization
) -> None:
    values = {"organization": acme.pk, "source": "resource:contact"}
    page = text(operator.post(f"{PAGE}form/", values | {"do": "source"}))
    assert body_of(read_state(posted(page))) == {"resource": "contact"}


def test_nothing_is_wrong_before_anything_is_chosen(operator: Client) -> None:
    page = text(operator.post(f"{PAGE}preview/", {}))
    assert "Choose the organization and what to export." in page
    assert "data-problems" not in page
    page = text(operator.post(PAGE, {}))
    assert 'data-for="organization"' in page


@pytest.mark.parametrize("path", ["groups", "groups.location"])
def test_the_fields_of_related_records_are_loaded_by_level(operator: Client, path: str) -> None:
    page = text(operator.get(f"{PAGE}related/", {"resource": "contact", "path": path}))
    assert f'name="field" value="{path}.name"' in page


def test_a_relation_that_cannot_be_included_is_not_found(operator: Client) -> None:
    query = {"resource": "contact", "path": "organization"}
    assert operator.get(f"{PAGE}related/", query).status_code == 404


# --- Actions of lists -------------------------------------------------------------------------


def drafted(client: Client, response: Any) -> tuple[str, dict[str, Any]]:
    """Return the organization and the body that an action prepared for the builder."""
    assert client.get(response.url).status_code == 200
    token = response.url.partition("draft=")[2]
    draft = client.session["export_drafts"][token]
    return draft["organization"], draft["body"]


def test_selected_records_become_a_filter_by_id(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    other = Contact.objects.create(organization=acme, name="Other")
    Contact.objects.create(organization=acme, name="Not selected")
    values = {"action": "export_selected", "_selected_action": [contact.pk, other.pk]}
    organization, body = drafted(operator, operator.post(CONTACTS, values))
    assert organization == acme.pk
    assert body == {"resource": "contact", "filters": {"id_in": [contact.pk, other.pk]}}


def test_selected_records_of_two_organizations_are_refused(
    operator: Client, globex: Organization, contact: Contact
) -> None:
    other = Contact.objects.create(organization=globex, name="Other")
    values = {"action": "export_selected", "_selected_action": [contact.pk, other.pk]}
    page = text(operator.post(CONTACTS, values, follow=True))
    assert "belong to several organizations" in page


def test_filters_and_search_of_a_list_become_filters_of_the_export(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    query = f"?organization__id__exact={acme.pk}&is_primary__exact=0&q=zo"
    page = text(operator.get(CONTACTS + query))
    address = f"{CONTACTS}export_all/{query}"
    assert address.replace("&", "&amp;") in page
    organization, body = drafted(operator, operator.get(address))
    assert organization == acme.pk
    assert body == {
        "resource": "contact",
        "options": {"search": "zo"},
        "filters": {"is_primary_eq": "false"},
    }


def test_previews_are_found_in_the_log_by_their_resource(
    operator: Client, admin_client: Client, acme: Organization, contact: Contact
) -> None:
    operator.post(f"{PAGE}preview/", form(acme))
    for term in ("contacts", "Contact"):
        address = f"/admin/longshore_accounts/auditentry/?q={term}"
        assert "Previewed contact: " in text(admin_client.get(address))


def test_a_bound_person_needs_not_choose_the_organization_of_all_that_match(
    bound: Client, acme: Organization, contact: Contact
) -> None:
    response = bound.get(f"{CONTACTS}export_all/?q=zo")
    assert drafted(bound, response)[0] == ""
    page = text(bound.get(response.url))  # type: ignore[attr-defined]
    assert f'<option value="{acme.pk}" selected' in page


def test_a_list_that_no_filter_expresses_becomes_ids(
    operator: Client, acme: Organization, contact: Contact
) -> None:
    address = f"{CONTACTS}export_all/?q={contact.pk}"
    assert drafted(operator, operator.get(address)) == (
        acme.pk,
        {"resource": "contact", "filters": {"id_in": [contact.pk]}},
    )


def test_too_many_records_without_filters_are_refused(
    operator: Client, acme: Organization, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exports.admin.builder.actions.MAX_IDS", 0)
    page = text(operator.get(f"{CONTACTS}export_all/?q={contact.pk}", follow=True))
    assert "An export cannot have the filters of this list" in page


def test_lists_offer_no_export_to_people_who_may_not_add_one() -> None:
    viewer = signed_in("viewer", "view_contact")
    page = text(viewer.get(CONTACTS))
    assert "export_all" not in page
    assert viewer.get(f"{CONTACTS}export_all/").status_code == 403


def test_a_filter_by_a_related_record_becomes_a_filter_by_its_id(acme: Organization) -> None:
    client = signed_in("clerk", "add_export", "view_shipment", "view_location")
    location = Location.objects.create(organization=acme, name="Dock")
    address = "/admin/longshore_logistics/shipment/export_all/"
    query = f"?location__id__exact={location.pk}&status__exact=lost"
    _, body = drafted(client, client.get(address + query))
    assert body["filters"] == {"location_id_eq": location.pk, "status_eq": "lost"}


def test_the_request_is_shown_as_json(operator: Client, acme: Organization) -> None:
    page = text(operator.get(PAGE, {"from": export_of(acme, {"resource": "contact"}).public_id}))
    assert json.dumps({"resource": "contact"}, indent=2).replace('"', "&quot;") in page
