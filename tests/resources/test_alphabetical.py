"""Alphabetical order of texts: equal in exports, lists and previews."""

import json
from string import punctuation
from typing import Any
from unicodedata import combining, normalize

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.resources.filters import Ordering, Selection
from longshore.resources.folding import sort_key
from longshore.resources.listing import Cursor, Listing
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.factories import ContactFactory, GroupFactory, ShipmentFactory
from tests.records import copies

pytestmark = pytest.mark.django_db
# Texts in alphabetical order; then texts that differ in case and accents only.
ORDERED = [
    "", " a", "#1", "_x", "~x", "1", "10", "9", "a", "A b", "A-b", "a_b", "a1", "aa",
    "Äaron", "Aaronson", "Adam", "Øresund", "Oslo", "Österreich", "oz", "Zebra", "zoo",
    "Анна", "борис", "иван", "йод", "ключ", "山田",
]  # fmt: skip
TIED = ["MULLER", "Muller", "muller", "müller"]
LONG = "x" * 300
# Characters of the alphabets that folding supports, and some others. Not U+0000, which PostgreSQL
# does not store, and U+0001, which separates the two parts of a sort key.
CHARACTERS = (
    st.characters(min_codepoint=2, max_codepoint=0x17F)
    | st.characters(min_codepoint=0x384, max_codepoint=0x3CE)
    | st.characters(min_codepoint=0x400, max_codepoint=0x45F)
    | st.characters(min_codepoint=0x300, max_codepoint=0x344)
    | st.sampled_from("AaÄäИиЙй\u0306ßẞȘșﬁ\uff1b\uff11Å\xad\u200b٣אक山📦" + punctuation)
)
PLAIN = {
    "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "đ": "d", "ħ": "h", "\u0131": "i", "ł": "l",
    "ŋ": "n", "ø": "o", "ŧ": "t",
}  # fmt: skip


def alphabetical(text: str) -> tuple[str, str]:
    """Return the sort key of a text, computed with Python's character tables."""
    beginning = text[:200]
    letters = normalize("NFKD", beginning).casefold().replace("и\u0306", "й")
    folded = "".join(PLAIN.get(letter, letter) for letter in letters if not combining(letter))
    early = "".join("/" if each in punctuation and each > "9" else each for each in folded)
    return early, beginning


@pytest.fixture
def named(acme: Organization) -> list[str]:
    """Contacts whose ids sort like their names, created in another order."""
    names = [*ORDERED, None]
    for number, name in sorted(enumerate(names), key=lambda pair: pair[0] * 31 % 17):
        ContactFactory(organization=acme, id=f"c{number:02}", name="", nickname=name)
    return [f"c{number:02}" for number in range(len(names))]


def ids(page: Any) -> list[str]:
    return [record["id"] for record in page["results"]]


@pytest.mark.slow
def test_list_pages_are_alphabetical_in_both_directions(alice: KeyClient, named: list[str]) -> None:
    for direction, wanted in (("asc", named), ("desc", [*named[-2::-1], named[-1]])):
        url = f"/v1/contacts?order_by=nickname&direction={direction}&limit=4&fields=id"
        found, last = [], {}
        while url:
            last = alice.get(url).json()
            found += ids(last)
            url = last["next"]
        assert found == wanted
        back: list[str] = []
        while url := last["previous"]:
            last = alice.get(url).json()
            back = ids(last) + back
        assert back == wanted[: len(back)]
        assert len(back) >= len(wanted) - 4


@pytest.mark.django_db(transaction=True)
def test_export_and_preview_have_the_same_order(
    alice: KeyClient, acme: Organization, named: list[str]
) -> None:
    body = {
        "resource": "contact",
        "format": "jsonl",
        "options": {"order_by": "nickname", "limit": 20},
        "csv_field_options": {"columns": ["id"]},
    }
    text = b"".join(ExportStream(parse_export(body), acme.pk)).decode()
    assert [json.loads(line)["id"] for line in text.splitlines()] == named[:20]
    preview = alice.post("/v1/exports/preview", body).json()
    assert [row["id"] for row in preview["rows"]] == named[:20]


def test_case_and_accents_break_ties(alice: KeyClient, acme: Organization) -> None:
    for name in reversed(TIED):
        ContactFactory(organization=acme, name=name)
    page = alice.get("/v1/contacts?order_by=name,-created_at&fields=id,name").json()
    assert [record["name"] for record in page["results"]] == TIED


def test_related_records_are_in_alphabetical_order(alice: KeyClient, acme: Organization) -> None:
    names = ["Äpfel", "apple", "Birne", "zoo"]
    groups = [GroupFactory(organization=acme, name=name) for name in reversed(names)]
    ContactFactory(organization=acme, groups=groups)
    [record] = alice.get("/v1/contacts?fields=groups.name").json()["results"]
    assert record["groups.name"] == names


def test_choices_and_ids_sort_byte_by_byte(alice: KeyClient, acme: Organization) -> None:
    for status in ("out_for_delivery", "in_transit", "created"):
        ShipmentFactory(organization=acme, status=status)
    page = alice.get("/v1/shipments?order_by=status&fields=status").json()
    assert [each["status"] for each in page["results"]] == [
        "created", "in_transit", "out_for_delivery",
    ]  # fmt: skip


def test_pages_of_long_texts_sort_by_the_first_characters(
    alice: KeyClient, acme: Organization
) -> None:
    for number in range(3):
        ContactFactory(
            organization=acme, id=f"l{number}", name="", nickname=LONG * 40 + f"{number}"
        )
    seen, url = [], "/v1/contacts?order_by=nickname&limit=1&fields=id"
    while url:
        page = alice.get(url).json()
        seen += ids(page)
        url = page["next"]
    assert seen == ["l0", "l1", "l2"]


def test_comparisons_use_the_alphabetical_order(alice: KeyClient, acme: Organization) -> None:
    names = ["-", "Äpfel", "apple", "Birne", "birne", "zoo"]
    for name in names:
        ContactFactory(organization=acme, name=name)
    page = alice.get("/v1/contacts?order_by=name&fields=name").json()
    ordered = [record["name"] for record in page["results"]]
    for place, name in enumerate(ordered):
        for matcher, wanted in (
            ("lt", ordered[:place]),
            ("lteq", ordered[: place + 1]),
            ("gt_any", ordered[place + 1 :]),
            ("gteq_all", ordered[place:]),
        ):
            query = {"order_by": "name", "fields": "name", f"filters[name_{matcher}]": name}
            found = alice.get("/v1/contacts", query).json()["results"]
            assert [record["name"] for record in found] == wanted, (matcher, name)


def test_comparisons_of_choices_use_their_bytes(alice: KeyClient, acme: Organization) -> None:
    for status in ("out_for_delivery", "in_transit", "created"):
        ShipmentFactory(organization=acme, status=status)
    query = {"filters[status_gt]": "in_transit", "fields": "status"}
    found = alice.get("/v1/shipments", query).json()["results"]
    assert [record["status"] for record in found] == ["out_for_delivery"]


@pytest.mark.parametrize("collation", ["C", "POSIX", "pg_c_utf8", "ucs_basic"])
def test_order_does_not_depend_on_the_collation(collation: str) -> None:
    texts = sql.SQL("unnest({}::text[])").format(sql.Literal(ORDERED[::-1]))
    value = sql.SQL("(v COLLATE {})").format(sql.Identifier(collation))
    query = sql.SQL("SELECT v FROM {} AS v ORDER BY {}").format(texts, sort_key(value))
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(None))
        assert [text for (text,) in cursor.fetchall()] == ORDERED


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(CHARACTERS, max_size=6), min_size=2, unique=True))
def test_sql_order_of_any_texts_equals_the_python_order(texts: list[str]) -> None:
    query = sql.SQL("SELECT v FROM unnest({}::text[]) AS v ORDER BY {}").format(
        sql.Literal(texts), sort_key(sql.Identifier("v"))
    )
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(None))
        assert [text for (text,) in cursor.fetchall()] == sorted(texts, key=alphabetical)


@pytest.fixture
def many(acme: Organization) -> None:
    ContactFactory(organization=acme, name="Zoë")
    first = Contact.objects.get()
    copies(first, 20_000, name="md5(n::text)", email="md5(n::text)")
    shipment = ShipmentFactory.create(organization=acme)
    copies(shipment, 20_000, status="(ARRAY['created', 'lost', 'delivered'])[n % 3 + 1]")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE longshore_logistics_contact, longshore_logistics_shipment")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("resource", "order", "index"),
    [
        ("contact", "name", "contact_in_order_of_name"),
        ("contact", "email", "contact_in_order_of_email"),
        ("shipment", "status,created_at", "shipment_by_status"),
    ],
)
@pytest.mark.slow
def test_page_uses_the_index(acme: Organization, resource: str, order: str, index: str) -> None:
    declared = registry.get(resource)
    assert declared is not None
    for descending in (False, True):
        ordering = tuple(Ordering(name, descending) for name in order.split(","))
        listing = Listing(declared, Selection(ordering=ordering), ("id",))
        cursor: Cursor | None = None
        for _ in range(2):
            statement = listing.statement(acme.pk, 26, cursor).as_string(None)
            with connection.cursor() as database:
                database.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}")
                plan = "\n".join(line for (line,) in database.fetchall())
            assert index in plan, plan
            assert "Seq Scan" not in plan, plan
            cursor = listing.page(acme.pk, 26, cursor).next
