"""Search: every word of the phrase is the prefix of a word of the record, in any script."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.resources.search import words_match, words_of
from tests.factories import ContactFactory, ShipmentFactory
from tests.resources.conftest import Select
from tests.samples import SAMPLE, Sample

NAMES = {
    "latin": "Zoë O\u2019Brien-Łukasiewicz",
    "greek": "Ελένη Παπαδοπούλου",
    "cyrillic": "Пётр Чайковский",
    "arabic": "محمد بن راشد",
    "hebrew": "דוד בן-גוריון",
    "hindi": "नरेन्द्र मोदी",
    "thai": "สมชาย ใจดี",
    "chinese": "李小龙",
    "japanese": "山田 太郎",
    "ideographic space": "佐藤\u3000花子",
    "korean": "김 민수",
    "turkish": "İpek Iş\u0131k",
    "marks": 'Smith, "John" & Sons (50%) <a@b.example> #7/8 \\ ~',
    "empty": "",
}


@pytest.fixture
def named(acme: Organization, globex: Organization) -> None:
    for key, name in NAMES.items():
        ContactFactory(organization=acme, id=key, name=name)
        ContactFactory(organization=globex, id=f"their {key}", name=name)


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    ("phrase", "key"),
    [
        *((name, key) for key, name in NAMES.items() if name),
        ("zoë", "latin"),
        ("ZOË o\u2019br", "latin"),
        ("brien", "latin"),
        ("łukas", "latin"),
        ("ΕΛΈΝΗ", "greek"),
        ("чайк пётр", "cyrillic"),
        ("راش", "arabic"),
        ("גוריון", "hebrew"),
        ("नरे", "hindi"),
        ("สมช", "thai"),
        ("李小", "chinese"),
        ("太郎 山田", "japanese"),
        ("花子", "ideographic space"),
        ("민수", "korean"),
        ("Smith, John", "marks"),
        ("50%", "marks"),
        ("sons & smith", "marks"),
        ("zoe", "latin"),
        ("Zoé lukasiewicz", "latin"),
        ("ελενη παπαδ", "greek"),
        ("петр чаик", None),  # й is a letter of its own, not an accented и.
        ("петр чайк", "cyrillic"),
        ("ЧАЙКОВСКИЙ", "cyrillic"),
        ("ipek isi", "turkish"),
        ("gt:smith", None),
        ("smith & nobody", None),
        ("mith", None),
        ("📦📦", None),
        ("!! || <->", None),
        ("zo' | 'smith", None),
        ("in:smith,john", None),
    ],
)
@pytest.mark.slow
def test_phrase_finds_records_with_all_its_words(
    phrase: str, key: str | None, select: Select
) -> None:
    if sum(map(len, words_of(phrase))) < 2:
        phrase += " nothing"
    assert select("contact", {"search": phrase}) == ({key} if key else set())


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("Müller", ["muller", "MULLER", "Müller", "mül", "MÜLL"]),
        ("Muller", ["müller", "mull", "Müller"]),
        ("Großmann", ["grossmann", "GROSSMANN", "groß", "GROẞ"]),
        ("Grossmann", ["großmann"]),
        ("R&D Department", ["R&D", "r&d", "R & D", "r d", "R&D dep"]),
        ("Søren Ægir", ["soren aegir", "SØREN", "ægir"]),
        ("\uff26\uff55\uff4c\uff4c ﬁne", ["full fine", "\uff46in"]),
    ],
)
def test_search_ignores_case_and_accents(
    name: str, phrases: list[str], acme: Organization, select: Select
) -> None:
    ContactFactory(organization=acme, id="match", name=name, email="x@example.org")
    ContactFactory(organization=acme, name="Nobody", email="y@example.org")
    for phrase in phrases:
        assert select("contact", {"search": phrase}) == {"match"}, phrase


storable = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=storable)
@example(text="a\u2019b %c$ 10km 1e5 v1.2 x\u2013y “q” ß İ ǆ ﬁ")
@example(text="\uff07\uff07 \u00b4\u00b4 \uff3c\uff02")  # These fold to separators.
@example(text="it''s \\' :* & | ! <-> ( ) 'x':A")
def test_any_text_is_found_by_its_own_words(
    text: str, acme: Organization, samples: None, select: Select
) -> None:
    Sample.objects.all().delete()
    Sample.objects.create(id="match", organization=acme, text=text)
    for word in words_of(text):
        found = select(SAMPLE, {"search": f"{word} {word}"}) if len(word) > 1 else {"match"}
        # PostgreSQL indexes letters and digits; a word without any matches nothing.
        assert found == {"match"} or not any(character.isalnum() for character in word), word


@pytest.mark.parametrize(
    "phrase",
    ["a'aa", r"\'aa\'", "ab:*", "(ab", "ab &", "!ab", "%s%s", "{ab}", "ab;--", "$$ab$$", "x" * 500],
)
def test_phrase_cannot_inject_query_syntax(
    phrase: str, acme: Organization, samples: None, select: Select
) -> None:
    Sample.objects.create(id="match", organization=acme, text="some words")
    assert select(SAMPLE, {"search": phrase}) == set()


def test_search_text_joins_fields_of_the_record(acme: Organization, select: Select) -> None:
    ShipmentFactory(
        organization=acme,
        id="match",
        tracking_number="1Z999AA10123456784",
        order_number="SO-2024/001",
        recipient={"name": "Renée Zellweger"},
    )
    ShipmentFactory(organization=acme)
    for phrase in ("1z999aa1", "so-2024", "2024/001", "001 zellw", "RENÉE"):
        assert select("shipment", {"search": phrase}) == {"match"}


@pytest.mark.django_db
def test_search_uses_the_index() -> None:
    condition = words_match(sql.SQL("search_text"), "so-2024 50%").as_string(None)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN SELECT id FROM longshore_logistics_shipment WHERE {condition}")  # noqa: S608
        assert "shipment_by_words" in str(cursor.fetchall())
