"""Values that the model refuses today: a row that leaves them as they are has no error."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from batches.spec import Action
from batches.validation.conversion import CellForm
from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from tests.batches.specimens import SPECIMEN, Specimen, specimens
from tests.batches.staged import Attempt, stage

__all__ = ["specimens"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("specimens")]
# Each with a text in a table, and another one that the model refuses too.
REFUSED: Mapping[str, tuple[Any, str, str]] = {
    "code": ("x", "x", "y"),  # MinLengthValidator
    "rank": (9, "9", "8"),  # choices
    "weight": (0.5, "0.50", "0.51"),  # MinValueValidator
    "email": ("nobody", "nobody", "anybody"),  # validators in Python
    "slug": ("ABC", "ABC", "ABCD"),
    "notes": ([1, 2, 3], "[1, 2, 3]", "[1, 2, 4]"),
    "labels": (["c", "a", "b"], "c, a, b", "d, a, b"),  # choices and size of an array
    "scores": ([0, 1], "0, 1", "-1, 1"),  # validators of members
    "emails": (["me"], "me", "you"),
}
# By the code, which may be refused itself.
BY_CODE = Resource("specimen", "specimens", Specimen, date_field="made", key=("code",))


def a_specimen(acme: Organization, **values: Any) -> Specimen:
    stored = {name: value for name, (value, _, _) in REFUSED.items()}
    return Specimen.objects.create(organization=acme, **stored | values)


def staged(acme: Organization, resource: Resource, form: CellForm, **cells: Any) -> Attempt:
    texts = [
        json.dumps(each) if form.is_json and not isinstance(each, str) else each
        for each in cells.values()
    ]
    return stage(acme, resource, [*cells], [texts], form=form)


def same_cells(form: CellForm) -> dict[str, Any]:
    return {name: each[0 if form.is_json else 1] for name, each in REFUSED.items()}


@pytest.mark.parametrize("form", [CellForm.TABLE, CellForm.JSON])
def test_unchanged_values_are_no_errors(acme: Organization, form: CellForm) -> None:
    specimen = a_specimen(acme)
    cells = same_cells(form)
    attempt = staged(acme, SPECIMEN, form, id=str(specimen.pk), **cells)
    assert (attempt.errors, attempt.plan()[0]["step"]) == ([], "n")
    attempt = staged(acme, SPECIMEN, form, id=str(specimen.pk), **cells | {"serial": "7"})
    assert (attempt.errors, attempt.plan()[0]["step"]) == ([], "u")
    [typed] = attempt.typed()
    assert {name: typed[name] for name in REFUSED} == {
        name: value for name, (value, _, _) in REFUSED.items()
    }


def test_changed_values_are_errors(acme: Organization) -> None:
    specimen = a_specimen(acme)
    cells = same_cells(CellForm.TABLE)
    for name, (_, _, other) in REFUSED.items():
        changed = cells | {name: other}
        attempt = staged(acme, SPECIMEN, CellForm.TABLE, id=str(specimen.pk), **changed)
        assert [error[:2] for error in attempt.errors] == [(1, name)], attempt.errors


def test_values_of_other_records_are_errors(acme: Organization, globex: Organization) -> None:
    a_specimen(globex)
    valid = a_specimen(acme, code="abc", rank=1)
    foreign = staged(acme, BY_CODE, CellForm.TABLE, code="x", rank="9")
    assert [error[1] for error in foreign.errors] == ["code", "rank"]
    changed = staged(acme, SPECIMEN, CellForm.TABLE, id=str(valid.pk), rank="9")
    assert [error[1] for error in changed.errors] == ["rank"]


@pytest.mark.parametrize("action", Action)
def test_a_refused_key_names_its_record(acme: Organization, action: Action) -> None:
    a_specimen(acme)
    attempt = stage(acme, BY_CODE, ["code", "rank"], [["x", "9"], ["y", "1"]], action=action)
    [(row, column, *_)] = attempt.errors
    assert (row, column) == (2, "code")
    step = "d" if action is Action.DELETE else "n"
    assert attempt.plan()[0]["step"] == step


@pytest.mark.parametrize(("form", "cell"), [(CellForm.TABLE, "a, "), (CellForm.JSON, ["a", None])])
def test_an_unchanged_list_with_null_is_no_error(
    acme: Organization, form: CellForm, cell: Any
) -> None:
    specimen = a_specimen(acme, labels=["a", None])
    attempt = staged(acme, SPECIMEN, form, id=str(specimen.pk), labels=cell)
    assert (attempt.errors, attempt.plan()[0]["step"]) == ([], "n")


def test_an_unchanged_empty_text_is_no_error(acme: Organization) -> None:
    specimen = a_specimen(acme, code="")
    attempt = staged(acme, SPECIMEN, CellForm.TABLE, id=str(specimen.pk), code="", serial="7")
    assert (attempt.errors, attempt.plan()[0]["step"]) == ([], "u")
    changed = a_specimen(acme, code="abc", email="")
    attempt = staged(acme, SPECIMEN, CellForm.TABLE, id=str(changed.pk), code="")
    assert [error[1:3] for error in attempt.errors] == [("code", "missing_value")]


def test_null_becomes_an_empty_list(acme: Organization) -> None:
    specimen = a_specimen(acme, labels=None)
    attempt = staged(acme, SPECIMEN, CellForm.TABLE, id=str(specimen.pk), labels="")
    assert (attempt.errors, attempt.plan()[0]["step"]) == ([], "u")
    assert attempt.typed()[0]["labels"] == []
