"""A wrong declaration never discloses secrets or foreign records, and the checks report it."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from django.apps.registry import Apps
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

from exports.execution.preview import preview
from exports.models import Export
from exports.request.parser import parse_export
from longshore.accounts.models import ApiKey, Organization
from longshore.api.errors import InvalidInput
from longshore.domains.logistics.models import (
    Contact,
    Fulfillment,
    Group,
    Location,
)
from longshore.resources.checks import check_resource
from longshore.resources.columns import field_column, secret_fields
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry, Resource, registry
from longshore.resources.relations import Relation
from tests.conftest import KeyClient
from tests.exports.test_compiler import rows
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
)
from tests.samples import APPS, Sample
from webhooks.models import Subscription

CONTACT = Resource("contact", "contacts", Contact)
GROUP = Resource("group", "groups", Group)


def errors(resource: Resource) -> list[tuple[str, str]]:
    return [(str(each.id).rpartition(".")[2], each.msg) for each in check_resource(resource)]


def only(registry: Registry, *resources: Resource) -> None:
    """Make these the only resources."""
    for name in registry.names():
        registry.unregister(name)
    for resource in resources:
        registry.register(resource)


class Person(Contact):
    """A proxy of contacts."""

    class Meta:
        proxy = True
        apps = APPS
        app_label = "tests"


# Records of other organizations


@pytest.mark.django_db
def test_relation_to_a_model_with_a_registered_proxy_shows_own_records_only(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    group = replace(
        GROUP,
        relations=(Relation("contacts", fields=("id", "name"), singular="contact"),),
        includes=("contacts",),
    )
    only(own_registry, group, replace(CONTACT, model=Person))
    crew = GroupFactory(organization=acme, name="Crew")
    ours = ContactFactory.create(organization=acme, name="Ann", groups=[crew])
    ContactFactory(organization=globex, name="Stranger", groups=[crew])
    expected = [{"contacts": [{"id": ours.pk, "name": "Ann"}]}]
    assert rows(acme, "group", "contacts", format="json") == expected
    fields = {"fields": ["contacts.id", "contacts.name"], "output": {"columns": None}}
    assert rows(acme, "group", format="json", **fields) == expected
    assert rows(acme, "group", "id", options={"contacts.name": "Stranger"}) == []
    assert rows(acme, "group", "id", filters={"contacts_name_eq": "Stranger"}) == []
    assert errors(group) == []


@pytest.mark.django_db
def test_unregistered_related_records_are_limited_to_the_organization(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    group = replace(GROUP, relations=(Relation("contacts"), Relation("organization")))
    only(own_registry, group)
    crew = GroupFactory(organization=acme, name="Crew")
    ContactFactory(organization=acme, name="Ann", groups=[crew])
    ContactFactory(organization=globex, name="Stranger", groups=[crew])
    assert rows(acme, "group", "contacts", "organization") == [["Ann", acme.name]]
    assert rows(acme, "group", "id", options={"contacts.name": "Stranger"}) == []
    assert errors(group) == [
        (
            "E019",
            "Resource 'group': relation 'contacts': Contact belongs to an organization but has "
            "no resource.",
        )
    ]


# Rows that a default manager hides


class Living(models.Manager["Deletable"]):
    def get_queryset(self) -> "models.QuerySet[Deletable]":
        return super().get_queryset().filter(datetime=None)


class Deletable(Sample):
    """A sample whose default manager hides deleted rows."""

    objects: ClassVar[Any] = Living()

    class Meta:
        proxy = True
        apps = APPS
        app_label = "tests"


DELETABLE = Resource(
    "record", "records", Deletable, date_field="date", where=Q(datetime=None) | Q(text="a%s {b}")
)


@pytest.mark.django_db
def test_rows_that_fail_the_row_filter_are_never_shown(
    own_registry: Registry, samples: None, alice: KeyClient, acme: Organization
) -> None:
    own_registry.register(DELETABLE)
    make = Sample.objects.create
    make(id="1", organization=acme)
    make(id="2", organization=acme, datetime="2024-01-01T00:00Z")
    make(id="3", organization=acme, datetime="2024-01-01T00:00Z", text="a%s {b}")
    assert sorted(rows(acme, "record", "id")) == [["1"], ["3"]]
    spec = parse_export({"resource": "record"})
    assert preview(spec, acme.pk).records_count == 2
    created = alice.post("/v1/exports", {"resource": "record"}).json()
    assert created["records_count"] == 2


@pytest.mark.django_db
def test_related_rows_that_fail_the_row_filter_are_never_shown(
    own_registry: Registry, acme: Organization
) -> None:
    contacts = replace(CONTACT, where=Q(notes=None), relations=(Relation("groups"),))
    group = replace(GROUP, relations=(Relation("contacts"),), includes=("contacts",))
    only(own_registry, contacts, group)
    crew = GroupFactory(organization=acme, name="Crew")
    ContactFactory(organization=acme, name="Ann", groups=[crew])
    ContactFactory(organization=acme, name="Gone", notes="deleted", groups=[crew])
    assert rows(acme, "group", "contacts") == [["Ann"]]
    [row] = rows(acme, "group", format="json", fields=["contacts.name"], output={"columns": None})
    assert row == {"contacts": [{"name": "Ann"}]}
    output = {"columns": ["contacts.name"], "properties": "repeat"}
    assert rows(acme, "group", output=output) == [["Ann"]]
    output = {"columns": ["contacts.name"], "properties": "flatten"}
    spec = parse_export({"resource": "group", "csv_field_options": output})
    assert preview(spec, acme.pk).header == ["contacts.0.name"]
    assert rows(acme, "group", "id", options={"contacts.name": "Gone"}) == []
    assert rows(acme, "group", "id", filters={"contacts_name_cont": "Gone"}) == []
    page = Listing(contacts, Selection(), ("name",)).page(acme.pk, 10, None)
    assert page.records == ['{"name":"Ann"}']


@pytest.mark.django_db
def test_relation_may_filter_unregistered_records(
    own_registry: Registry, acme: Organization
) -> None:
    fulfillment = FulfillmentFactory(organization=acme)
    for name, comment in (("Bolt", None), ("Nut", "deleted")):
        ArticleFactory(fulfillment=fulfillment, name=name, comment=comment)
    relation = Relation("articles", where=Q(comment=None))
    own_registry.register(Resource("task", "tasks", Fulfillment, relations=(relation,)))
    assert rows(acme, "task", "articles") == [["Bolt"]]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Q(age=3), "Cannot resolve keyword 'age'"),
        (Q(groups__name="x"), "use the model's own columns only"),
        (Q(organization__slug="x"), "use the model's own columns only"),
        (Q(created_at__gte=[]), "where (AND: ('created_at__gte', []))"),
    ],
)
def test_check_reports_an_invalid_row_filter(condition: Q, text: str) -> None:
    [(code, message)] = errors(replace(CONTACT, where=condition))
    assert code == "E017"
    assert text in message


def test_check_requires_a_row_filter_if_the_default_manager_hides_rows() -> None:
    [(code, message)] = errors(replace(DELETABLE, where=None))
    assert code == "E018"
    assert "the default manager of Deletable hides rows" in message
    assert errors(DELETABLE) == errors(replace(DELETABLE, where=Q())) == []


def test_check_requires_a_row_filter_of_a_relation_if_the_manager_hides_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fulfillment = Resource("x", "xs", Location, relations=(Relation("contacts", where=Q(age=1)),))
    assert [code for code, _ in errors(fulfillment)] == ["E017"]
    monkeypatch.setattr(
        "longshore.resources.disclosure.hides_rows", lambda model: model is not Location
    )
    relations = (Relation("contactlocation", label="id", fields=("id",)),)
    resource = Resource("x", "xs", Location, relations=relations)
    assert [code for code, _ in errors(resource)] == ["E019", "E018"]
    relations = (replace(relations[0], where=Q()),)
    shown = replace(resource, relations=relations)
    assert [code for code, _ in errors(shown)] == ["E019"]


# Secrets


@pytest.mark.parametrize(
    ("model", "secrets"),
    [
        (User, {"password"}),
        (ApiKey, {"hashed_key"}),
        (Subscription, {"secret", "previous_secret"}),
        (Contact, set()),
    ],
)
def test_secret_fields_are_detected_by_name(model: type[models.Model], secrets: set[str]) -> None:
    assert secret_fields(model) == secrets


def _model_with(names: str, field: "type[models.Field[Any, Any]]") -> type[models.Model]:
    """A model with a field of each name."""
    meta = type("Meta", (), {"apps": Apps(), "app_label": "tests"})
    fields = {name: field() for name in names.split()}
    return type("Named", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})


SECRETS = """token access_token refresh_token auth_tokens token2 api_key apikey api_key_2 access_key
    signing_key session_key session_keys otp otp_seed pin pin2 recovery_codes backup_code pwd
    passwordhash user_password1 passwd client_secret secrets private_key ssh_private_keys
    hashed_key code_digest accesstoken refreshToken credentials auth_key encryption_key jwt pw_hash
    pass_hash apiKeys"""
PLAIN = "key code name tokenizer pinned spin accesses signing_code keyboard hash hashed_name opt"


def test_every_documented_secret_name_is_detected() -> None:
    found = secret_fields(_model_with(f"{SECRETS} {PLAIN}", models.TextField))
    assert found == set(SECRETS.split())
    assert secret_fields(_model_with(SECRETS, models.IntegerField)) == set()


def test_payment_references_of_gateways_are_exposed() -> None:
    for name, column in (
        ("transaction", "token"),
        ("refund", "token"),
        ("customer_payment_source", "payment_source_token"),
    ):
        resource = registry.get(name)
        assert resource is not None
        assert column in resource.columns_by_name


def api_keys(**changes: Any) -> Resource:
    resource = Resource("api_key", "api_keys", ApiKey, date_field="created", actions=())
    return replace(resource, **changes)


@pytest.mark.django_db
def test_secret_is_hidden_unless_exposed(
    own_registry: Registry, acme: Organization, alice: KeyClient
) -> None:
    named = field_column(ApiKey, "hashed_key", called="digest")
    only(own_registry, api_keys(columns=(named,)))
    [row] = rows(acme, "api_key", output={"columns": None}, format="json")
    assert not {"hashed_key", "digest"} & set(row)
    for body in (
        {"csv_field_options": {"columns": ["hashed_key"]}},
        {"fields": ["digest"]},
        {"options": {"hashed_key": "x"}},
        {"filters": {"hashed_key_start": "x"}},
        {"options": {"order_by": "hashed_key"}},
    ):
        with pytest.raises(InvalidInput):
            parse_export({"resource": "api_key"} | body)
    only(own_registry, api_keys(columns=(named,), exposed=frozenset({"hashed_key"})))
    [row] = rows(acme, "api_key", output={"columns": None}, format="json")
    assert row["hashed_key"] == row["digest"] == alice.api_key.hashed_key


@pytest.mark.django_db
def test_secret_of_a_related_record_is_hidden(
    own_registry: Registry, acme: Organization, alice: KeyClient
) -> None:
    relation = Relation("api_key", label="hashed_key", fields=("id", "name", "hashed_key"))
    export = Resource("job", "jobs", Export, relations=(relation,), includes=("api_key",))
    Export.objects.create(
        organization=acme, request={}, spec={}, api_key=alice.api_key, expires_at=timezone.now()
    )
    for resources in ([export], [export, api_keys()]):
        only(own_registry, *resources)
        [row] = rows(acme, "job", "api_key", format="json")
        assert row["api_key"] == {"id": alice.api_key.pk, "name": "alice"}
        assert rows(acme, "job", "api_key") == [[alice.api_key.pk]]
        for body in (
            {"csv_field_options": {"columns": ["api_key.hashed_key"]}},
            {"options": {"api_key.hashed_key": "x"}},
            {"filters": {"api_key_hashed_key_start": "x"}},
        ):
            with pytest.raises(InvalidInput):
                parse_export({"resource": "job"} | body)
    included = {"fields": ["api_key.*"], "output": {"columns": None}}
    [row] = rows(acme, "job", format="json", **included)
    assert row["api_key"]["name"] == "alice"
    assert "hashed_key" not in row["api_key"]
    messages = [message for code, message in errors(export) if code == "E020"]
    assert messages == [
        "Resource 'job': relation 'api_key': 'hashed_key' of ApiKey holds a secret."
    ]


def test_check_reports_a_column_with_a_secret_unless_exposed() -> None:
    named = api_keys(columns=(field_column(ApiKey, "hashed_key", called="digest"),))
    assert errors(named) == [
        (
            "E020",
            "Resource 'api_key': the column 'digest' shows 'hashed_key', which holds a secret.",
        )
    ]
    assert errors(replace(named, exposed=frozenset({"hashed_key"}))) == []
    [(code, message)] = errors(replace(CONTACT, exposed=frozenset({"notes"})))
    assert code == "E020"
    assert "exposed 'notes' is not a field of Contact that holds a secret" in message


class Credential(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=40, unique=True)
    password = models.CharField(max_length=40, unique=True)

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return self.code


class Login(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    by_code = models.ForeignKey(
        Credential, to_field="code", on_delete=models.CASCADE, related_name="+"
    )
    by_password = models.ForeignKey(
        Credential, to_field="password", on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return str(self.pk)


def test_a_foreign_key_never_holds_a_secret_or_hidden_field(own_registry: Registry) -> None:
    login = Resource("login", "logins", Login, date_field=None)
    credential = Resource("credential", "credentials", Credential, date_field=None)
    only(own_registry, login, replace(credential, hidden=frozenset({"code"})))
    assert [*login.columns_by_name] == ["id", "organization_id"]
    assert errors(login) == [
        (
            "E021",
            "Resource 'login': the foreign key 'by_code' holds 'code' of Credential, a hidden "
            "field of the resource 'credential'.",
        )
    ]
    hiding = replace(login, hidden=frozenset({"by_code"}))
    assert errors(hiding) == []
    only(own_registry, login, credential)
    shown = replace(login, exposed=frozenset({"by_password"}))
    assert [*shown.columns_by_name] == ["id", "organization_id", "by_code_id", "by_password_id"]


# Fields that another resource hides


@pytest.mark.django_db
def test_relation_never_shows_a_field_that_its_resource_hides(
    own_registry: Registry, acme: Organization
) -> None:
    relation = Relation("contacts", label="notes", fields=("id", "notes", "email"))
    group = replace(GROUP, relations=(relation,))
    only(own_registry, group, replace(CONTACT, hidden=frozenset({"notes"})))
    crew = GroupFactory(organization=acme)
    ann = ContactFactory.create(organization=acme, notes="private", email="a@b.c", groups=[crew])
    [row] = rows(acme, "group", "contacts", format="json")
    assert row == {"contacts": [{"id": ann.pk, "email": "a@b.c"}]}
    assert rows(acme, "group", "contacts") == [[ann.pk]]
    for body in (
        {"csv_field_options": {"columns": ["contacts.notes"]}},
        {"options": {"contacts.notes": "private"}},
        {"filters": {"contacts_notes_eq": "private"}},
    ):
        with pytest.raises(InvalidInput):
            parse_export({"resource": "group"} | body)
    assert errors(group) == [
        (
            "E021",
            "Resource 'group': relation 'contacts': 'notes' of Contact is a hidden field of "
            "the resource 'contact'.",
        )
    ]
