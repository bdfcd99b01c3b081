"""Proposals of a mapping by names and values."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.request.name_likeness import Words, likeness
from batches.request.proposals import MIN_SCORE, Proposal, propose
from batches.targets import Targets
from longshore.database.ids import new_id
from longshore.resources.registry import registry


def targets_of(resource: str) -> Targets:
    declared = registry.get(resource)
    assert declared is not None
    return Targets(declared)


def proposals(
    resource: str,
    columns: Mapping[str, Sequence[str | None]],
    taken: Sequence[str] = (),
) -> dict[str, Proposal]:
    headers = dict(enumerate(columns))
    values = dict(enumerate(columns.values()))
    found = propose(headers, values, targets_of(resource), taken)
    return {headers[each.position]: each for each in found}


def proposed(
    resource: str, columns: Mapping[str, Sequence[str | None]], taken: Sequence[str] = ()
) -> dict[str, str]:
    found = proposals(resource, columns, taken)
    return {header: each.best.target for header, each in found.items()}


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("E-Mail", "email"),
        ("EMAIL ADDRESS", "email"),
        ("Mail", "email"),
        ("Telephone", "phone"),
        ("Mobile number", "phone"),
        ("Full Name", "name"),
        ("Nick-name", "nickname"),
        ("Contact name", "name"),
        ("externalId", "external_id"),
        ("Is primary", "is_primary"),
        ("Alternate phone", "alternate_phones"),
        ("Note", "notes"),
        ("Remarks", "notes"),
        ("Group", "groups"),
        ("Primary location name", "location.name"),
    ],
)
def test_names_are_compared_by_their_words(header: str, target: str) -> None:
    assert proposed("contact", {header: []}) == {header: target}


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("ZIP", "zip_code"),
        ("Postcode", "zip_code"),
        ("Surname", "last_name"),
        ("Given name", "first_name"),
        ("Tel.", "phone"),
    ],
)
def test_synonyms_mean_the_same(header: str, target: str) -> None:
    assert proposed("address", {header: []}) == {header: target}


def test_values_decide_where_names_do_not() -> None:
    ids = [new_id("loc") for _ in range(3)]
    columns: dict[str, Sequence[str | None]] = {
        "Col A": ["ann@example.com", "bob@example.org", None],
        "Col B": ids,
        "Col C": [new_id("ctct") for _ in range(3)],
    }
    found = proposals("contact", columns)
    best = {header: each.best.target for header, each in found.items()}
    assert (best["Col A"], best["Col C"]) == ("email", "id")
    # The ids may be those of the primary location, or of all locations.
    assert {best["Col B"], *(each.target for each in found["Col B"].rivals)} == {
        "location.id",
        "locations.id",
    }
    assert found["Col A"].best.reason == "the values are e-mail addresses"
    assert found["Col C"].best.reason == "the values are ids that begin with ctct_"


def test_choices_suggest_their_column() -> None:
    columns = {"Where is it": ["delivered", "in_transit", "DELIVERED", "lost"]}
    found = proposals("shipment", columns)["Where is it"]
    assert found.best.target == "status"
    assert found.best.reason == "the values are choices of status"


def test_values_that_do_not_fit_lower_the_score() -> None:
    good = proposals("shipment", {"Amount due": ["100", "250"]})
    bad = proposals("shipment", {"Amount due": ["blue", "red"]})
    assert good["Amount due"].best.target == "amount"
    assert "Amount due" not in bad or bad["Amount due"].best.target != "amount"


def test_ids_are_never_proposed_for_labels() -> None:
    columns = {"Location": [new_id("loc"), new_id("loc")]}
    assert proposed("asset", columns) == {"Location": "location_id"}
    assert proposed("asset", {"Location": ["Berlin", "Tokyo"]}) == {"Location": "location"}


def test_each_column_is_proposed_once() -> None:
    columns = {"E-Mail": ["a@example.com"], "Mail": ["b@example.com"]}
    found = proposed("contact", columns)
    assert found["E-Mail"] == "email"
    assert found.get("Mail") != "email"


def test_columns_that_other_headers_set_are_not_proposed() -> None:
    assert "email" not in proposed("contact", {"Mail": []}, taken=["email"]).values()


@pytest.mark.parametrize("header", ["", "   ", "qwertz", "zzz 9", "日本語", "\0", "x" * 10_000])
def test_a_header_without_a_meaning_has_no_proposal(header: str) -> None:
    assert proposed("contact", {header: ["foo", "bar"]}) == {}


def test_likeness_is_the_same_both_ways() -> None:
    words, resource = Words.of("E-Mail"), Words.of("contact")
    assert likeness(words, Words.of("mail"), resource).score > 0.9
    assert likeness(words, Words.of("E mails"), resource).score > 0.9


@given(
    st.dictionaries(
        st.text(max_size=20) | st.sampled_from(["mail", "Phone", "status", "Location id"]),
        st.lists(st.none() | st.text(max_size=20) | st.sampled_from(["1", "true", "a@b.de"])),
        max_size=8,
    )
)
def test_proposals_are_one_to_one_and_bounded(columns: dict[str, list[str | None]]) -> None:
    targets = targets_of("shipment")
    found = proposals("shipment", columns)
    sets = [targets.find(each.best.target) for each in found.values()]
    assert len(sets) == len({each.sets for each in sets if each})
    for each in found.values():
        assert MIN_SCORE <= each.best.score <= 1
        assert all(other.score >= MIN_SCORE for other in each.alternatives)
