"""Records by primary keys of several types: spelling, range and index."""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import connection, models
from django.http import QueryDict
from django.urls import include, path
from pytest_django import Settings

from longshore.accounts.models import Organization
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.routers import OptionalSlashRouter
from longshore.resources.api.lookup import find_record, parse_record_query
from longshore.resources.api.views import record_viewset
from longshore.resources.registry import Resource
from tests.conftest import KeyClient
from tests.samples import APPS, SAMPLE, Sample

pytestmark = pytest.mark.django_db
KEY = UUID("0f2c1d3e-aaaa-4bbb-8ccc-0123456789ab")


class Keyed(models.Model):
    """Base of models that differ by the type of their primary key."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return str(self.pk)


class ByUuid(Keyed):
    id = models.UUIDField(primary_key=True)
    # The type checker declares the manager of models of installed apps only.
    objects: ClassVar[models.Manager["ByUuid"]] = models.Manager()


class ByNumber(Keyed):
    id = models.BigIntegerField(primary_key=True)
    objects: ClassVar[models.Manager["ByNumber"]] = models.Manager()


class ByAddress(Keyed):
    id = models.GenericIPAddressField(primary_key=True)
    objects: ClassVar[models.Manager["ByAddress"]] = models.Manager()


class ByDecimal(Keyed):
    id = models.DecimalField(primary_key=True, max_digits=8, decimal_places=2)
    objects: ClassVar[models.Manager["ByDecimal"]] = models.Manager()


class ByFloat(Keyed):
    id = models.FloatField(primary_key=True)
    objects: ClassVar[models.Manager["ByFloat"]] = models.Manager()


class ByDate(Keyed):
    id = models.DateField(primary_key=True)
    objects: ClassVar[models.Manager["ByDate"]] = models.Manager()


class ByMoment(Keyed):
    id = models.DateTimeField(primary_key=True)
    objects: ClassVar[models.Manager["ByMoment"]] = models.Manager()


class ByRelated(Keyed):
    id = models.OneToOneField(ByUuid, on_delete=models.CASCADE, primary_key=True, related_name="+")
    objects: ClassVar[models.Manager["ByRelated"]] = models.Manager()


MODELS = (ByUuid, ByNumber, ByAddress, ByDecimal, ByFloat, ByDate, ByMoment, ByRelated)


@pytest.fixture(autouse=True)
def tables(db: None) -> Iterator[None]:
    """Create the tables for the test."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
        editor.deferred_sql.clear()
    yield
    with connection.schema_editor() as editor:
        for model in reversed(MODELS):
            editor.delete_model(model)


def retrieve(model: type[Keyed], organization: Organization, id: str) -> str:
    """Return the fields of a record that identify it, as JSON."""
    resource = Resource("keyed", "keyed", model)
    key = model._meta.pk.attname
    listing = parse_record_query(resource, id, QueryDict(f"fields={key}"), "UTC")
    return find_record(listing, organization.pk)


@pytest.mark.parametrize("spelling", [str(KEY), str(KEY).upper(), KEY.hex])
def test_uuid_is_found_in_any_spelling(acme: Organization, spelling: str) -> None:
    uuid = ByUuid.objects.create(id=KEY, organization=acme)
    ByRelated.objects.create(id=uuid, organization=acme)
    assert retrieve(ByUuid, acme, spelling) == f'{{"id":"{KEY}"}}'
    assert retrieve(ByRelated, acme, spelling) == f'{{"id_id":"{KEY}"}}'


@pytest.mark.parametrize("number", [7, 0, -7, 2**63 - 1, -(2**63)])
def test_every_number_is_found(acme: Organization, number: int) -> None:
    ByNumber.objects.create(id=number, organization=acme)
    assert retrieve(ByNumber, acme, str(number)) == f'{{"id":{number}}}'


def test_an_address_is_found(acme: Organization) -> None:
    ByAddress.objects.create(id="10.0.0.1", organization=acme)
    assert retrieve(ByAddress, acme, "10.0.0.1") == '{"id":"10.0.0.1"}'


@pytest.mark.parametrize(
    ("model", "id", "value"),
    [
        (ByDecimal, "7.50", 7.5),
        (ByFloat, "0.25", 0.25),
        (ByDate, "2024-02-29", "2024-02-29"),
        (ByMoment, "2024-02-29T12:00:00.000000+00:00", "2024-02-29T12:00:00.000000+00:00"),
    ],
)
def test_a_key_of_a_rare_type_is_found(
    acme: Organization, model: Any, id: str, value: object
) -> None:
    model.objects.create(id=id, organization=acme)
    assert json.loads(retrieve(model, acme, id)) == {"id": value}


@pytest.mark.parametrize(
    ("model", "id"),
    [
        *((model, "abc") for model in (ByDecimal, ByFloat, ByDate, ByMoment)),
        *((ByUuid, id) for id in ("x", "7", f"{KEY}0", "\ud800", "\0")),
        *((ByRelated, id) for id in ("x", "7")),
        *((ByNumber, id) for id in ("07", "+7", "7.0", "7e0", " 7", "\u0667", "x", "\0")),
        *((ByNumber, id) for id in (str(2**63), str(-(2**63) - 1), "9" * 5_000)),
        *((ByAddress, id) for id in ("999", "x", "\0")),
    ],
)
def test_another_text_is_not_found(acme: Organization, model: type[Keyed], id: str) -> None:
    ByNumber.objects.create(id=7, organization=acme)
    ByUuid.objects.create(id=KEY, organization=acme)
    with pytest.raises(ApiError) as raised:
        retrieve(model, acme, id)
    assert raised.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(("model", "id"), [(ByUuid, str(KEY)), (ByNumber, "7")])
def test_a_record_is_found_by_the_index_of_the_primary_key(
    acme: Organization, model: type[Keyed], id: str
) -> None:
    resource = Resource("keyed", "keyed", model)
    listing = parse_record_query(resource, id, QueryDict(), "UTC")
    statement = listing.statement(acme.pk, 1, None).as_string(None)
    with connection.cursor() as cursor:
        # PostgreSQL prefers a sequential scan of a small table.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert re.search(rf"{model._meta.db_table}_pkey.*\n +Index Cond: \(id = '?{id}", plan), plan


def test_a_resource_that_hides_its_primary_key_has_a_list_only(
    alice: KeyClient, acme: Organization, samples: None, settings: Settings
) -> None:
    Sample.objects.create(id="a", organization=acme, text="hello")
    hiding = Resource("note", "notes", Sample, date_field="datetime", hidden=frozenset({"id"}))
    router = OptionalSlashRouter()
    for resource in (SAMPLE, hiding):
        router.register(resource.plural, record_viewset(resource), f"record-{resource.name}")
    settings.ROOT_URLCONF = (
        path("v1/", include(router.urls)),
        path("", include("exports_project.urls")),
    )
    assert alice.get("/v1/samples/a?fields=text").json() == {"text": "hello"}
    assert alice.get("/v1/notes?fields=text").json()["results"] == [{"text": "hello"}]
    assert alice.get("/v1/notes/a").status_code == 404
    patterns = {str(each.pattern) for each in router.urls}
    assert "^samples/(?P<id>[^/]+)/?$" in patterns
    assert not [pattern for pattern in patterns if pattern.startswith("^notes/(")]
