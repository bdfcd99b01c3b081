"""The native filter language on real records: days, JSON, relations and organizations."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from longshore.accounts.models import Organization
from tests.factories import (
    ContactFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ShipmentFactory,
)
from tests.resources.conftest import Select

# In New York the 10th of March 2024 has 23 hours: it ends at 4:00 UTC, not at 5:00.
START = datetime(2024, 3, 10, 5, tzinfo=UTC)
END = datetime(2024, 3, 11, 4, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MOMENTS = {
    "before": START - TICK,
    "first": START,
    "last": END - TICK,
    "after": END,
    "next day": END + timedelta(days=1),
}


@pytest.fixture
def moments(acme: Organization) -> None:
    for name, moment in MOMENTS.items():
        ShipmentFactory(organization=acme, id=name, pickup_at=moment)
    ShipmentFactory(organization=acme, id="null", pickup_at=None)


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        ("2024-03-10", "first, last"),
        ("equals:2024-03-10", "first, last"),
        ("not_equals:2024-03-10", "before, after, next day, null"),
        ("gt:2024-03-10", "after, next day"),
        ("gte:2024-03-10", "first, last, after, next day"),
        ("lt:2024-03-10", "before"),
        ("lte:2024-03-10", "before, first, last"),
        ("bwi:2024-03-10,2024-03-10", "first, last"),
        ("bwi:2024-03-10,2024-03-11", "first, last, after"),
        ("bwe:2024-03-09,2024-03-11", "first, last"),
        ("bwe:2024-03-10,2024-03-11", ""),
        ("in:2024-03-10,2024-03-12", "first, last, next day"),
        ("2024-03-09,2024-03-12", "before, next day"),
        (["2024-03-11", "2024-03-10"], "first, last, after"),
        (["2024-03-10", "2024-03-12", 1710129600], "first, last, after, next day"),
        ("not_in:2024-03-10,2024-03-11", "before, next day, null"),
        ("2024-03-10T00:00:00", "first"),
        ("gte:2024-03-11T00:00:00", "after, next day"),
        ("lt:2024-03-11T04:00:00Z", "before, first, last"),
        ("bwi:2024-03-10,2024-03-10T00:00", "first"),
        ("lte:1710129600", "before, first, last, after"),
        ("bwi:1710046800000,1710129600000", "first, last, after"),
        ("bwe:1710046800,1710129600", "last"),
        (1710046800, "first"),
        ("in:1710046800,2024-03-11", "first, after"),
        ("is_null", "null"),
        (None, "null"),
        ("is_not_null", "before, first, last, after, next day"),
    ],
)
def test_date_selects_the_day_in_the_time_zone_of_the_request(
    raw: object, ids: str, moments: None, select: Select
) -> None:
    found = select("shipment", {"pickup_at": raw}, "America/New_York")
    assert found == {each for each in ids.split(", ") if each}


@pytest.fixture
def goods(acme: Organization) -> None:
    for key, metadata in {
        "deep": {"a": {"b": [{"c": "x"}]}, "number": 10, "flag": True, "it's %": '"'},
        "text": {"a": {"b": [{"c": "y,z"}]}, "number": "10", "flag": "true"},
        "decimal": {"number": 10.0, "a": {"b": None}},
        "large": {"number": 1e22, "a": "x"},
        "half": {"number": 9.5},
        "none": {"number": None},
        "empty": {},
        "dotted": {"a.b": "x", "": "nameless", 'say "hi"': 2},
    }.items():
        ItemFactory(organization=acme, id=key, metadata=metadata)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "raw", "ids"),
    [
        ("metadata.a.b.0.c", "x", "deep"),
        ("metadata.a.b.0.c", "x,y", "deep"),
        ("metadata.a.b.0.c", "equals:y,z", "text"),
        ("metadata.a.b.0.c", ["x", "y,z"], "deep, text"),
        ("metadata.a.b.0.c", "is_not_null", "deep, text"),
        ("metadata.a.b", "is_null", "decimal, large, half, none, empty, dotted"),
        ("metadata.it's %", '"', "deep"),
        ('metadata."a.b"', "x", "dotted"),
        ('metadata."a.b"', "not_equals:x", "deep, text, decimal, large, half, none, empty"),
        ('metadata."a"."b".0.c', "x", "deep"),
        ('metadata.""', "nameless", "dotted"),
        ('metadata."say ""hi"""', "gt:1", "dotted"),
        ("metadata.number", 10, "deep, text, decimal"),
        ("metadata.number", "10", "deep, text, decimal"),
        ("metadata.number", "10.0", "deep, decimal"),
        ("metadata.number", 1e22, "large"),
        ("metadata.number", "007", ""),
        ("metadata.number", "not_equals:10", "large, half, none, empty, dotted"),
        ("metadata.number", "not_in:10,9.5", "large, none, empty, dotted"),
        ("metadata.number", "gt:9.5", "deep, decimal, large"),
        ("metadata.number", "bwi:9.5,10", "deep, decimal, half"),
        ("metadata.number", "bwe:9.5,1e22", "deep, decimal"),
        ("metadata.number", "is_null", "none, empty, dotted"),
        ("metadata.flag", True, "deep, text"),
        ("metadata.flag", "true", "deep, text"),
        ("metadata", {"number": 10}, "deep, decimal"),
        ("metadata", "in:a,b", ""),
        ("metadata", {"a": {"b": [{}]}}, "deep, text"),
        (
            "metadata.missing.deeper",
            "is_null",
            "deep, text, decimal, large, half, none, empty, dotted",
        ),
    ],
)
def test_json_keys_filter_at_any_depth(
    name: str, raw: object, ids: str, goods: None, select: Select
) -> None:
    assert select("item", {name: raw}) == {each for each in ids.split(", ") if each}


@pytest.fixture
def people(acme: Organization, globex: Organization) -> None:
    hall = LocationFactory(organization=acme, id="hall", name="Hall", code="H")
    yard = LocationFactory(organization=acme, id="yard", name="Yard", code=None)
    crew, dock = (GroupFactory(organization=acme, id=key, name=key) for key in ("crew", "dock"))
    secret = GroupFactory(organization=globex, id="secret", name="secret")
    ContactFactory(organization=acme, id="both", groups=[crew, dock], locations=[hall])
    ContactFactory(organization=acme, id="one", groups=[crew], locations=[hall, yard])
    ContactFactory(organization=acme, id="none")
    ContactFactory(organization=acme, id="corrupt", groups=[secret])
    ContactFactory(organization=globex, id="foreign", groups=[secret, crew])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "raw", "ids"),
    [
        ("group_id", "crew", "both, one"),
        ("group_id", "dock,nobody", "both"),
        ("group_id", ["crew", "dock"], "both, one"),
        ("groups", "dock", "both"),
        ("group_id", "not_equals:dock", "one, none, corrupt"),
        ("group_id", "not_in:crew,dock", "none, corrupt"),
        ("group_id", None, "none, corrupt"),
        ("groups", "is_not_null", "both, one"),
        ("groups.name", "dock", "both"),
        ("groups.name", "not_equals:crew", "none, corrupt"),
        ("groups.name", "secret", ""),
        ("group_id", "secret", ""),
        ("groups.location_id", "is_null", "both, one, none, corrupt"),
        ("groups.location_id", "is_not_null", ""),
        ("location_id", "yard", "one"),
        ("locations.name", "Hall", "both, one"),
    ],
)
def test_to_many_relation_matches_if_one_record_matches(
    name: str, raw: object, ids: str, people: None, select: Select
) -> None:
    assert select("contact", {name: raw}) == {each for each in ids.split(", ") if each}


def test_to_one_relation_matches_by_key_label_and_null(
    acme: Organization, people: None, select: Select
) -> None:
    ShipmentFactory(organization=acme, id="at hall", location_id="hall")
    ShipmentFactory(organization=acme, id="nowhere")
    assert select("shipment", {"location": "hall"}) == {"at hall"}
    assert select("shipment", {"location_id": "hall"}) == {"at hall"}
    assert select("shipment", {"location.name": "Hall"}) == {"at hall"}
    for absent in ("location", "location_id", "location.name"):
        assert select("shipment", {absent: "is_null"}) == {"nowhere"}
        assert select("shipment", {absent: "is_not_null"}) == {"at hall"}
    assert select("shipment", {"location.name": "not_equals:Hall"}) == {"nowhere"}


def test_related_columns_compare_in_their_own_type(acme: Organization, select: Select) -> None:
    for quantity in (9, 10):
        LevelFactory(
            item=ItemFactory(organization=acme, id=f"{quantity} pieces"), verified_qty=quantity
        )
    assert select("item", {"levels.verified_qty": "gt:9"}) == {"10 pieces"}
    assert select("item", {"levels.verified_qty": "lt:10"}) == {"9 pieces"}


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"status": "delivered"}, "a"),
        ({"status": "delivered,lost"}, "a, b"),
        ({"status": " delivered , lost "}, "a, b"),
        ({"statuses": "delivered,lost"}, "a, b"),
        ({"statuses": ["lost"]}, "b"),
        ({"status": "in:lost"}, "b"),
        ({"status": "not_in:delivered,lost"}, "c"),
        ({"notes": "equals:gt:5"}, "a"),
        ({"notes": "equals:is_null"}, "b"),
        ({"notes": "equals:a,b"}, "c"),
        ({"notes": ["gt:5", "a,b"]}, "a, c"),
        ({"notes": "not_equals:a,b"}, "a, b"),
        ({"notes": "equals:"}, ""),
        ({"amount": "in:1,2.0"}, "a, b"),
        ({"amount": "1E0"}, "a"),
        ({"amount": 1.5}, ""),
        ({"paid": "true"}, "a"),
        ({"paid": False}, "b, c"),
        ({"paid": [True, "false"]}, "a, b, c"),
        ({"tags": "fragile"}, "a, b"),
        ({"tags": "cold,none"}, "b"),
        ({"tags": "not_equals:fragile"}, "c"),
    ],
)
def test_equality_lists_and_escaped_operators(
    options: dict[str, Any], ids: str, acme: Organization, select: Select
) -> None:
    for key, status, notes, amount, tags in [
        ("a", "delivered", "gt:5", 1, ["fragile"]),
        ("b", "lost", "is_null", 2, ["fragile", "cold"]),
        ("c", "created", "a,b", None, []),
    ]:
        ShipmentFactory(
            organization=acme,
            id=key,
            status=status,
            notes=notes,
            amount=amount,
            tags=tags,
            paid=key == "a",
        )
    assert select("shipment", options) == {each for each in ids.split(", ") if each}


@pytest.mark.parametrize("name", ["created_at", "metadata.x", "tags", "provider", "amount"])
@pytest.mark.slow
def test_filter_compares_thousands_of_values(name: str, acme: Organization, select: Select) -> None:
    days = [str(date(2010, 1, 1) + timedelta(days=2 * n)) for n in range(5_000)]
    raw = {"created_at": days, "amount": [*range(5_000)]}.get(name, [f"v{n}" for n in range(5_000)])
    ShipmentFactory(
        organization=acme,
        id="match",
        created_at=datetime(2010, 1, 3, 12, tzinfo=UTC),
        metadata={"x": "v4999"},
        tags=["v4999"],
        provider="v4999",
        amount=4_999,
    )
    ShipmentFactory.create_batch(
        200, organization=acme, created_at=datetime(2010, 1, 2, 12, tzinfo=UTC), amount=5_000
    )
    started = time.monotonic()
    assert select("shipment", {name: raw}) == {"match"}
    # A comparison of each row with each value takes minutes.
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("Großmann, Götz", "whole"),
        ('"Großmann, Götz"', "whole"),
        ('"Großmann, Götz",Müller', "whole, other"),
        ("equals:Großmann, Götz", "whole"),
        (["Großmann, Götz", "Müller"], "whole, other"),
        ("Müller, Ann", "other, first"),
        ('in: "Großmann, Götz" ,Ann', "whole, first"),
        ("in:Großmann, Götz", ""),
        ('not_in:"Großmann, Götz",Ann', "other, quoted"),
        ('"Big" Joe', "quoted"),
        ('"""Big"" Joe",Ann', "quoted, first"),
    ],
)
def test_text_may_contain_a_comma(
    raw: str | list[str], found: str, acme: Organization, select: Select
) -> None:
    names = {
        "whole": "Großmann, Götz",
        "other": "Müller",
        "first": "Ann",
        "quoted": '"Big" Joe',
    }
    for key, name in names.items():
        ContactFactory(organization=acme, id=key, name=name)
    assert select("contact", {"name": raw}) == {each for each in found.split(", ") if each}
