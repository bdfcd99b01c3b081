"""Records, batches and mappings of another organization are not found, and never touched."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, Model

from batches.models import Batch, SavedMapping
from batches.request.parser import writable_resources
from batches.targets import Targets
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Group
from longshore.resources.columns import field_column
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from tests.batches.running import created, downloaded, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.records import a_record

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

UNKNOWN_BATCH = "batch_01jd00000000000000000000aa"
DOMAINS = ("longshore_logistics", "longshore_commerce")
RESOURCES = [pytest.param(name, id=name) for name in writable_resources()]


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


def all_rows(organization: Organization | None = None) -> dict[str, list[str]]:
    """Return all stored values of the tables of the domains, of one or of all organizations."""
    found = {}
    for model in apps.get_models():
        if model._meta.app_label in DOMAINS and model._meta.managed:
            rows = model._default_manager.all()
            if organization is not None:
                if not hasattr(model, "organization"):
                    continue
                rows = rows.filter(organization=organization)
            found[model._meta.db_table] = sorted(map(repr, rows.values()))
    return found


def unknown(value: Any) -> Any:
    """Return a value of the same form that no record has."""
    text = str(value)
    return f"{text[:-1]}{'9' * 9 if text.isdecimal() else '_'}"


def references(found: Resource) -> Iterator[tuple[str, Relation, str]]:
    """Yield the name of each target that names a related record, with the field that it holds.

    Labels that are one of a few choices name no record.
    """
    targets = Targets(found)
    for name in found.writable_columns:
        field = found.model._meta.get_field(name)
        if isinstance(field, ForeignKey):
            relation = Relation.undeclared(found.model, field.name)
            yield name, found.relations_by_name.get(field.name, relation), relation.key
    for name, relation in targets.relations.items():
        for by in dict.fromkeys([relation.label, *targets.identifying_fields(relation)]):
            if not field_column(relation.target, by).choices:
                is_whole = relation.many or by == relation.label
                yield (name if is_whole else f"{name}.{by}"), relation, by


def with_value(record: Model, name: str) -> Any:
    """Return the value of a field of a record, which gets one if it has none."""
    if getattr(record, name) is None:
        setattr(record, name, f"{name} of {record.pk}")
        record.save()
    return getattr(record, name)


def named(relation: Relation, by: str, value: Any) -> Any:
    """Return the value of a JSON record that names a related record."""
    if not relation.many:
        return value
    return [{by: value}] if by != relation.label else [value]


def errors_of(batch: Batch) -> dict[int, list[tuple[str, str, str]]]:
    """Return column, code and message of the errors of each row."""
    found: dict[int, list[tuple[str, str, str]]] = {}
    for each in batch.row_errors.order_by("row", "column", "message"):
        assert each.row is not None
        found.setdefault(each.row, []).append((each.column, each.code, each.message))
    return found


def assert_same_errors(batch: Batch, values: list[tuple[Any, Any]]) -> None:
    """Assert that rows with foreign values fail as those with unknown values do.

    values: of each pair of rows, the foreign and the unknown one.
    """
    errors = errors_of(batch)
    for number, (foreign, missing) in enumerate(values):
        first, second = errors.get(2 * number + 1), errors.get(2 * number + 2)
        assert first is not None, f"{foreign!r} is accepted: {batch.detected} {batch.warnings}"
        assert second is not None, f"{missing!r} is accepted"
        assert "not_found" in [code for _, code, _ in first], first
        assert json.dumps(first).replace(str(foreign), "…") == json.dumps(second).replace(
            str(missing), "…"
        )


def sent(client: KeyClient, name: str, rows: list[Any], **request: Any) -> Batch:
    body = {"resource": name, "data": rows, "mode": "sync", **request}
    return created(client.post("/v1/batches", body))


@pytest.mark.parametrize("name", RESOURCES)
def test_references_to_foreign_records_are_not_found(
    alice: KeyClient, acme: Organization, globex: Organization, name: str
) -> None:
    found = resource(name)
    targets = Targets(found)
    # A batch uses one of several targets that set the same, so each of them has its turn.
    turns: dict[int, list[tuple[str, Relation, str]]] = {}
    ways = Counter[str]()
    for target, relation, by in references(found):
        value_set = targets.find(target)
        assert value_set is not None
        turns.setdefault(ways[value_set.sets], []).append((target, relation, by))
        ways[value_set.sets] += 1
    requests = []
    for turn in turns.values():
        rows, values = [], []
        for target, relation, by in turn:
            foreign = with_value(a_record(relation.target, globex), by)
            missing = unknown(foreign)
            for value in (foreign, missing):
                own = a_record(found.model, acme)
                required = {each: getattr(own, each) for each in found.required}
                rows.append({"id": own.pk, **required, target: named(relation, by, value)})
            values.append((foreign, missing))
        requests.append((rows, values))
    before = all_rows()
    for rows, values in requests:
        batch = sent(alice, name, rows)
        assert batch.status == "completed", batch.error
        assert_same_errors(batch, values)
        assert batch.failed_count == len(rows)
    assert all_rows() == before


@pytest.mark.parametrize("name", RESOURCES)
def test_foreign_records_are_not_found_by_id(
    alice: KeyClient, acme: Organization, globex: Organization, name: str
) -> None:
    found = resource(name)
    foreign = a_record(found.model, globex)
    a_record(found.model, acme)
    before = all_rows()
    missing = unknown(foreign.pk)
    for action in found.actions:
        required = dict.fromkeys(found.required, "1")
        rows = [{"id": key, **required} for key in (foreign.pk, missing)]
        batch = sent(alice, name, rows, action=action)
        assert batch.status == "completed", batch.error
        assert_same_errors(batch, [(foreign.pk, missing)])
        assert (batch.deleted_count, batch.failed_count) == (0, 2)
    assert all_rows() == before


KEYED = [
    pytest.param(name, id=name) for name in writable_resources() if Targets(resource(name)).key
]


@pytest.mark.parametrize("name", KEYED)
def test_foreign_records_are_not_found_by_key(
    alice: KeyClient, acme: Organization, globex: Organization, name: str
) -> None:
    found = resource(name)
    foreign = a_record(found.model, globex)
    key = [column.name for column in Targets(found).key]
    given = {each: with_value(foreign, each) for each in key}
    missing = {each: unknown(value) for each, value in given.items()}
    before = all_rows(globex)
    for request in ({"only": "update"}, {"action": "delete"}):
        batch = sent(alice, name, [given, missing], **request)
        assert batch.status == "completed", batch.error
        first, second = errors_of(batch)[1], errors_of(batch)[2]
        assert "not_found" in [code for _, code, _ in first], first
        texts = [json.dumps(each) for each in (first, second)]
        for number, values in enumerate((given, missing)):
            for value in values.values():
                texts[number] = texts[number].replace(str(value), "…")
        assert texts[0] == texts[1]
    assert all_rows(globex) == before


@pytest.mark.parametrize("name", KEYED)
def test_the_same_key_may_exist_in_two_organizations(
    alice: KeyClient, charlie: KeyClient, acme: Organization, globex: Organization, name: str
) -> None:
    found = resource(name)
    key = [column.name for column in Targets(found).key]
    own, foreign = a_record(found.model, acme), a_record(found.model, globex)
    if any(isinstance(found.model._meta.get_field(each), ForeignKey) for each in key):
        return
    values = {each: getattr(own, each) for each in key}
    found.model._default_manager.filter(pk=foreign.pk).update(**values)
    before = all_rows(globex)
    deletion = sent(alice, name, [values], action="delete")
    assert deletion.deleted_count == 1, errors_of(deletion)
    assert not found.model._default_manager.filter(pk=own.pk).exists()
    assert all_rows(globex) == before
    created(alice.post(f"/v1/batches/{deletion.public_id}/undo"))
    assert run(Batch.objects.get(reverses=deletion)).failed_count == 0
    assert found.model._default_manager.filter(pk=own.pk).exists()
    assert all_rows(globex) == before


@pytest.mark.parametrize("name", ["contact", "sku", "customer", "tag"])
def test_an_overwrite_deletes_own_records_only(
    alice: KeyClient, acme: Organization, globex: Organization, name: str
) -> None:
    found = resource(name)
    for organization in (acme, acme, acme, globex, globex, globex):
        a_record(found.model, organization)
    before = all_rows(globex)
    kept = found.model._default_manager.filter(organization=acme).order_by("pk")[:1].get()
    refused = sent(alice, name, [{"id": kept.pk}], action="overwrite")
    # Half of its own records, not of all records.
    assert refused.error is not None
    assert "2 of 3 records" in refused.error["message"]
    batch = sent(alice, name, [{"id": kept.pk}], action="overwrite", confirm_deletes=2)
    assert (batch.status, batch.deleted_count) == ("completed", 2)
    assert all_rows(globex) == before


def test_an_undo_keeps_records_that_left_the_organization(
    alice: KeyClient, acme: Organization, globex: Organization
) -> None:
    first, second = (Contact.objects.create(organization=acme, name=name) for name in "ab")
    batch = sent(alice, "contact", [{"id": each.pk, "notes": "New"} for each in (first, second)])
    # Without a trace of the change in the row's transaction.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE longshore_logistics_contact DISABLE TRIGGER USER")
        Contact.objects.filter(pk=first.pk).update(organization=globex)
        cursor.execute("ALTER TABLE longshore_logistics_contact ENABLE TRIGGER USER")
    before = all_rows(globex)
    undo = run(created(alice.post(f"/v1/batches/{batch.public_id}/undo")))
    assert [error[1] for error in errors_of(undo)[1]] == ["changed_since"]
    assert all_rows(globex) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("delete", ""),
        ("post", "/cancel"),
        ("post", "/retry"),
        ("post", "/undo"),
        ("get", "/errors"),
        ("get", "/files"),
        ("get", "/events"),
        ("get", "?include_result_json=true"),
    ],
)
def test_foreign_batches_are_not_found(
    alice: KeyClient, charlie: KeyClient, method: str, path: str
) -> None:
    batch = sent(alice, "contact", [{"name": "A"}, {"name": "B", "is_primary": "perhaps"}])
    foreign = getattr(charlie, method)(f"/v1/batches/{batch.public_id}{path}")
    missing = getattr(charlie, method)(f"/v1/batches/{UNKNOWN_BATCH}{path}")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json() == missing.json()
    unchanged = Batch.objects.get()
    assert (unchanged.status, unchanged.deleted_at) == ("completed", None)
    assert charlie.get("/v1/batches").json()["results"] == []


def test_the_files_of_a_batch_need_its_own_signature(alice: KeyClient, charlie: KeyClient) -> None:
    batch = sent(alice, "contact", [{"name": "A"}])
    other = sent(charlie, "contact", [{"name": "B"}])
    [link, *_] = alice.get(f"/v1/batches/{batch.public_id}/files").json()["results"]
    [foreign, *_] = charlie.get(f"/v1/batches/{other.public_id}/files").json()["results"]
    path, signature = link["url"].partition("?")[::2]
    for forged in (path, f"{path}?signature=x", f"{path}?{signature}x"):
        assert charlie.get(forged).status_code == 404
    # A signature names its file, whichever address it is sent to.
    foreign_signature = foreign["url"].partition("?")[2]
    assert b'"A"' not in downloaded(f"{path}?{foreign_signature}")


def test_upload_links_of_two_organizations(alice: KeyClient, charlie: KeyClient) -> None:
    body = {"resource": "contact", "upload": True}
    own, foreign = (client.post("/v1/batches", body).json() for client in (alice, charlie))
    assert own["id"] not in json.dumps(foreign)
    # The link names its batch; an API key neither helps nor hinders.
    link = foreign["upload"]
    alice.generic("PUT", link["url"], "name\nC\n", content_type="application/octet-stream")
    statuses = dict(Batch.objects.values_list("public_id", "status"))
    assert statuses == {own["id"]: "requested", foreign["id"]: "queued"}
    run(Batch.objects.get(public_id=foreign["id"]))
    assert Contact.objects.get().organization == charlie.api_key.organization


def test_mappings_of_others_are_not_found(alice: KeyClient, charlie: KeyClient) -> None:
    body = {"resource": "contact", "name": "people", "mapping": {"Who": "name"}}
    assert alice.post("/v1/batches/mappings", body).status_code == 201
    mapping = SavedMapping.objects.get()
    assert charlie.get("/v1/batches/mappings").json()["results"] == []
    foreign = charlie.delete(f"/v1/batches/mappings/{mapping.public_id}")
    missing = charlie.delete(f"/v1/batches/mappings/{unknown(mapping.public_id)}")
    assert (foreign.status_code, foreign.json()) == (404, missing.json())
    messages = []
    for name in ("people", "peoplf", "other"):
        refused = post_file(charlie, "Who\nA\n", mapping_name=name)
        assert refused.status_code == 400
        messages.append(refused.json()["message"].replace(name, "…"))
    assert len(set(messages)) == 1
    assert SavedMapping.objects.count() == 1
    assert charlie.post("/v1/batches/mappings", body).status_code == 201
    assert SavedMapping.objects.count() == 2


def test_a_preview_does_not_find_foreign_records(alice: KeyClient, globex: Organization) -> None:
    group = Group.objects.create(organization=globex, name="Secret")
    contact = Contact.objects.create(organization=globex, name="Secret")
    errors = []
    for key, name in ((contact.pk, "Secret"), (unknown(contact.pk), "Nobody")):
        content = f"id,name,groups\n{key},A,{name}\n,B,{name}\n"
        parts = post_preview(alice, content)
        assert parts.status_code == 200, parts.content
        text = json.dumps(parts.json()).replace(key, "…").replace(name, "…")
        errors.append(json.loads(text))
        assert group.pk not in text
    for shown in errors:
        shown.pop("file_size", None)
    assert errors[0]["errors"] == errors[1]["errors"] != []


def post_preview(client: KeyClient, content: str) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    parts = {
        "request": json.dumps({"resource": "contact"}),
        "file": SimpleUploadedFile("people.csv", content.encode()),
    }
    return client.post("/v1/batches/preview", parts, format="multipart")


def test_dedupe_and_idempotency_keys_are_of_one_organization(
    alice: KeyClient, charlie: KeyClient
) -> None:
    first = post_file(alice, "name\nA\n", mode="async", dedupe=True)
    second = post_file(charlie, "name\nA\n", mode="async", dedupe=True)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] != second.json()["id"]
    headers = {"Idempotency-Key": "k1"}
    body = {"resource": "contact", "data": [{"name": "A"}], "mode": "async"}
    ids = {
        client.post("/v1/batches", body, headers=headers).json()["id"]
        for client in (alice, charlie)
    }
    assert len(ids) == 2
