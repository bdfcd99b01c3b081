"""What an export wrote is read back by a batch: the next export is the same file."""

import io
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import pytest

from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Customer, Order
from longshore.domains.logistics.models import Contact, Group, Location
from longshore.resources.registry import Resource, registry
from tests.batches.round_trips import MOMENT, Records, exported, outcome, run_batch
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("storage"),
]
WRITABLE = [each for each in registry if each.writable_columns and each.writable != ()]
EACH_RESOURCE = pytest.mark.parametrize(
    "resource", [pytest.param(each, id=each.name) for each in WRITABLE]
)
_NESTINGS = ("merge", "flatten", "repeat")


def resource_of(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


def cases(resource: Resource, organization: Organization) -> Iterator[dict[str, Any]]:
    """Yield the format and nesting of each export that differs from the others.

    Cells of CSV show the nesting. Resources take turns with the nesting of the other tables.
    """
    yield {"file_format": "json"}
    yield {"file_format": "jsonl"}
    seen: set[bytes] = set()
    for nesting in _NESTINGS:
        content = exported(resource, organization, properties=nesting)
        if content not in seen:
            seen.add(content)
            yield {"file_format": "csv", "properties": nesting}
    turn = WRITABLE.index(resource)
    # Workbooks last: they need other values.
    for number, file_format in enumerate(("parquet", "xlsx"), turn):
        yield {"file_format": file_format, "properties": _NESTINGS[number % len(_NESTINGS)]}


def parts(content: bytes) -> Any:
    """Return a file without the time at which a workbook was written."""
    if not content.startswith(b"PK"):
        return content
    with ZipFile(io.BytesIO(content)) as workbook:
        return {name: workbook.read(name) for name in workbook.namelist() if "docProps" not in name}


def state(resource: Resource, organization: Organization) -> bytes:
    """Return an export of all columns, but for those that every write changes."""
    columns = [name for name in resource.names if name != "updated_at"]
    return exported(resource, organization, "json", columns=columns)


def check(
    resource: Resource, organization: Organization, records: Records, case: dict[str, Any]
) -> None:
    """Read an export back into changed records, and then once more."""
    total = records.all().count()
    content, before = exported(resource, organization, **case), state(resource, organization)
    records.change()
    assert state(resource, organization) != before
    found = outcome(run_batch(resource, organization, content))
    assert found == {"updated": total}, (case, found)
    assert state(resource, organization) == before, case
    check_unchanged(resource, organization, records, content)


def check_unchanged(
    resource: Resource, organization: Organization, records: Records, content: bytes
) -> None:
    """Read an export back that describes the records as they are."""
    total, versions = records.all().count(), records.versions()
    assert outcome(run_batch(resource, organization, content)) == {"unchanged": total}
    assert records.versions() == versions


@EACH_RESOURCE
def test_changes_are_reversed(acme: Organization, resource: Resource) -> None:
    records = Records(resource, acme, is_many=False)
    for case in cases(resource, acme):
        if case["file_format"] == "xlsx":
            whole = case | {"properties": "merge"}
            check_unchanged(resource, acme, records, exported(resource, acme, **whole))
            records.fill()
        check(resource, acme, records, case)
        records.restore()


def without_ids(resource: Resource) -> list[str]:
    """Return the columns that a wiped organization has again."""
    return [
        name
        for name in (*resource.writable_columns, *resource.writable_relations)
        if name in resource.names
    ]


@EACH_RESOURCE
def test_deleted_records_are_created_again(acme: Organization, resource: Resource) -> None:
    records = Records(resource, acme, has_own=False, is_many=False)
    records.fill()
    total = records.all().count()
    columns = without_ids(resource)
    before = sorted_lines(exported(resource, acme, columns=columns))
    for file_format in ("csv", "jsonl", "xlsx", "parquet"):
        content = exported(resource, acme, file_format, dry_data=True, columns=columns)
        records.delete()
        assert outcome(run_batch(resource, acme, content)) == {"created": total}, file_format
        assert sorted_lines(exported(resource, acme, columns=columns)) == before, file_format


def sorted_lines(content: bytes) -> list[bytes]:
    """Return the lines of a file: created records have the same time."""
    return sorted(content.splitlines())


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_dialects_and_compressions_are_read_back(acme: Organization, compression: str) -> None:
    resource = resource_of("location")
    records = Records(resource, acme, is_many=False)
    case = {"delimiter": ";", "bom": True, "quoting": "all", "line_end": "\r\n"}
    check(resource, acme, records, {"file_format": "csv", "compression": compression, **case})


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "xlsx", "parquet"])
@pytest.mark.parametrize(
    "pattern", ["EEE, d MMM yyyy h:mm:ss.SSSSSS a xxx", "MM/dd/yyyy HH:mm", "yyyy-MM-dd"]
)
def test_patterns_and_zones_are_read_back(
    acme: Organization, pattern: str, file_format: str
) -> None:
    resource = resource_of("location")
    location = Location.objects.create(organization=acme, name="A", last_audited_at=MOMENT)
    form = {"timezone": "America/New_York", "datetime_format": pattern}
    columns = ["id", "name", "last_audited_at"]
    content = exported(resource, acme, file_format, columns=columns, **form)
    # What the pattern does not show stays as it is stored.
    if file_format != "jsonl" or "SSSSSS" in pattern:
        assert outcome(run_batch(resource, acme, content, **form)) == {"unchanged": 1}
    Location.objects.update(last_audited_at=None)
    assert outcome(run_batch(resource, acme, content, **form)) == {"updated": 1}
    again = exported(resource, acme, file_format, columns=columns, **form)
    assert parts(again) == parts(content)
    location.refresh_from_db()
    if "SSSSSS" in pattern and file_format != "xlsx":
        assert location.last_audited_at == MOMENT


def test_renamed_headers_are_read_back_with_a_mapping(acme: Organization) -> None:
    resource = resource_of("location")
    Records(resource, acme)
    names = {"id": "Key", "name": "=Full name", "address": "Home. of", "metadata": "Extra"}
    content = exported(resource, acme, columns=names)
    mapping = {header: name for name, header in names.items()}
    Location.objects.update(name="other", metadata={})
    assert set(outcome(run_batch(resource, acme, content, mapping=mapping))) == {"updated"}
    assert exported(resource, acme, columns=names) == content


def test_a_record_in_several_rows_is_one_record(acme: Organization) -> None:
    groups = [Group.objects.create(organization=acme, name=name) for name in "ab"]
    contact = Contact.objects.create(organization=acme, name="Zoë")
    contact.groups.set(groups)
    content = exported(resource_of("contact"), acme, properties="repeat")
    contact.groups.clear()
    assert outcome(run_batch(resource_of("contact"), acme, content)) == {"updated": 1}
    assert set(contact.groups.all()) == set(groups)


@pytest.fixture
def families(acme: Organization) -> Group:
    """A group with two children, and one without. Returns the first."""
    parent = Group.objects.create(organization=acme, name="Parent")
    for name in ("First child", "Second child"):
        Group.objects.create(organization=acme, name=name, parent=parent)
    return parent


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("mapping", [{}, {"children.id": None, "children.name": None}])
def test_a_record_repeated_by_a_read_only_relation_is_one_record(
    acme: Organization, families: Group, file_format: str, mapping: dict[str, None]
) -> None:
    resource = resource_of("group")
    content = exported(resource, acme, file_format, properties="repeat")
    assert outcome(run_batch(resource, acme, content, mapping=mapping)) == {"unchanged": 3}
    Group.objects.filter(pk=families.pk).update(name="Other")
    found = outcome(run_batch(resource, acme, content, mapping=mapping))
    assert found == {"updated": 1, "unchanged": 2}
    families.refresh_from_db()
    assert families.name == "Parent"


def test_included_records_that_a_batch_cannot_write_repeat_the_record(acme: Organization) -> None:
    customer = Customer.objects.create(organization=acme, email="zoe@example.org")
    for number in ("1001", "1002"):
        Order.objects.create(organization=acme, number=number, customer=customer)
    resource = resource_of("customer")
    content = exported(resource, acme, includes=["orders"])
    assert content.count(b"zoe@example.org") > 1
    assert outcome(run_batch(resource, acme, content)) == {"unchanged": 1}


@pytest.mark.usefixtures("families")
def test_rows_of_one_record_must_be_the_same_beside_ignored_columns(acme: Organization) -> None:
    content = exported(resource_of("group"), acme, columns=["id", "name", "children"])
    repeated = exported(
        resource_of("group"), acme, columns=["id", "name", "children"], properties="repeat"
    )
    assert content != repeated
    changed = repeated.replace(b"Parent", b"Other", 1)
    found = outcome(run_batch(resource_of("group"), acme, changed))
    assert (found["failed"], found["unchanged"]) == (1, 2)
    assert [error[1:3] for error in found["errors"]] == [("name", "invalid_value")]


def test_a_deletion_reads_the_repeated_rows_of_an_export(
    acme: Organization, families: Group
) -> None:
    content = exported(resource_of("group"), acme, columns=["id", "children"], properties="repeat")
    found = run_batch(resource_of("group"), acme, content, action="delete")
    assert (found.deleted_count, found.failed_count) == (3, 0)
    assert not Group.objects.exists()


@pytest.mark.parametrize(
    ("values", "nesting", "code"),
    [
        ({"operating_hours": "a text"}, "merge", "invalid_value"),
        ({"operating_hours": ["a", "b"]}, "merge", "invalid_value"),
    ],
)
def test_cells_that_cannot_be_read_are_refused(
    acme: Organization, values: dict[str, Any], nesting: str, code: str
) -> None:
    resource = resource_of("location")
    Location.objects.create(organization=acme, name="A", **values)
    content = exported(resource, acme, properties=nesting)
    found = outcome(run_batch(resource, acme, content))
    assert [(error[1], error[2]) for error in found["errors"]] == [(next(iter(values)), code)]


def test_labels_that_several_records_have_are_refused(acme: Organization) -> None:
    for _ in range(2):
        group = Group.objects.create(organization=acme, name="Same")
    contact = Contact.objects.create(organization=acme, name="Zoë")
    contact.groups.add(group)
    content = exported(resource_of("contact"), acme)
    found = outcome(run_batch(resource_of("contact"), acme, content))
    assert [error[2] for error in found["errors"]] == ["ambiguous_reference"]
