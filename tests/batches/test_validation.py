"""Validation as a whole: plans, identities, duplicates, constraints, defaults."""

from typing import Any

from django.db import connection
from django.utils import timezone

from batches.models import JournalEntry
from batches.spec import Action, Duplicates, Only
from batches.validation.conversion import CellForm
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Customer, Order, Price, Sku, StockLocation
from longshore.domains.logistics.models import Contact
from tests.batches.staged import ABSENT, stage
from tests.factories import ContactFactory, GroupFactory, LocationFactory
from tests.records import a_record


def test_rows_without_ids_create_contacts(acme: Organization) -> None:
    attempt = stage(
        acme,
        "contact",
        ["name", "email", "alternate_names", "address.city", "is_primary"],
        [
            ["Ann", "a@x.y", 'A, "B, C"', "Oslo", "yes"],
            ["Bo", None, None, None, "maybe"],
            [None, "", "", None, "0"],
        ],
    )
    assert attempt.errors == [
        (
            *(2, "is_primary", "invalid_type"),
            "'maybe' is not a valid value of is_primary. Accepted: true or false.",
        )
    ]
    first, last = attempt.typed()
    assert first == {
        "row": 1,
        "absent": None,
        "name": "Ann",
        "email": "a@x.y",
        "alternate_names": ["A", "B, C"],
        "address": {"city": "Oslo"},
        "is_primary": True,
    }
    assert (last["name"], last["email"], last["alternate_names"]) == ("", "", [])
    assert last["address"] is None
    assert [row["step"] for row in attempt.plan()] == ["c", "c"]
    assert all(row["key"].startswith("ctct_") for row in attempt.plan())


def test_an_id_names_a_record_of_the_organization(acme: Organization, globex: Organization) -> None:
    same = ContactFactory.create(organization=acme, name="Ann")
    changed = ContactFactory.create(organization=acme, name="Bo")
    foreign = ContactFactory.create(organization=globex, name="Cy")
    rows = [[same.pk, "Ann"], [changed.pk, "Bob"], [foreign.pk, "Cy"], ["ctct_0", "D"], [None, "E"]]
    attempt = stage(acme, "contact", ["id", "name"], rows)
    assert [(row["row"], row["step"]) for row in attempt.plan()] == [(1, "n"), (2, "u"), (5, "c")]
    assert [row["key"] for row in attempt.plan()][:2] == [same.pk, changed.pk]
    sentence = "There is no contact with the id '{}'."
    assert attempt.errors == [
        (3, "id", "not_found", sentence.format(foreign.pk)),
        (4, "id", "not_found", sentence.format("ctct_0")),
    ]
    assert "id" not in attempt.typed()[0]


def test_the_key_of_a_resource_names_a_record(acme: Organization, globex: Organization) -> None:
    a_record(Customer, acme, email="a@x.y", first_name="A")
    a_record(Customer, globex, email="b@x.y", first_name="B")
    rows = [["a@x.y", "A"], ["b@x.y", "B"], [None, "C"], ["", "D"]]
    attempt = stage(acme, "customer", ["email", "first_name"], rows)
    assert [(row["row"], row["step"]) for row in attempt.plan()] == [(1, "n"), (2, "c")]
    assert {error[:3] for error in attempt.errors} == {
        (3, "email", "missing_key"),
        (4, "email", "missing_key"),
    }


def test_only_create_and_only_update(acme: Organization) -> None:
    a_record(Customer, acme, email="a@x.y")
    rows = [["a@x.y", "A"], ["b@x.y", "B"]]
    created = stage(acme, "customer", ["email", "first_name"], rows, only=Only.CREATE)
    assert created.errors == [
        (
            *(1, "email", "already_exists"),
            "The customer exists already, and the batch only creates.",
        )
    ]
    assert [(row["row"], row["step"]) for row in created.plan()] == [(2, "c")]
    updated = stage(acme, "customer", ["email", "first_name"], rows, only=Only.UPDATE)
    assert updated.errors == [
        (2, "email", "not_found", "There is no customer with the email 'b@x.y'.")
    ]
    assert [(row["row"], row["step"]) for row in updated.plan()] == [(1, "u")]


def test_deletion_needs_only_the_key(acme: Organization, globex: Organization) -> None:
    own = a_record(Customer, acme, email="a@x.y")
    other = a_record(Customer, globex, email="b@x.y")
    rows = [["a@x.y", "nonsense"], ["b@x.y", "true"]]
    attempt = stage(acme, "customer", ["email", "is_blocked"], rows, action=Action.DELETE)
    assert [(row["key"], row["step"]) for row in attempt.plan()] == [(own.pk, "d")]
    assert [error[:3] for error in attempt.errors] == [(2, "email", "not_found")]
    assert attempt.validated.warnings == ("A batch that deletes records does not use is_blocked.",)
    third = a_record(Customer, acme, email="c@x.y")
    either = [[own.pk, None], [None, "c@x.y"], [None, ""], [other.pk, "a@x.y"]]
    by_either = stage(acme, "customer", ["id", "email"], either, action=Action.DELETE)
    assert [(row["key"], row["step"]) for row in by_either.plan()] == [
        *((own.pk, "d"), (third.pk, "d")),
    ]
    assert [error[:3] for error in by_either.errors] == [
        *((3, "email", "missing_key"), (4, "id", "not_found")),
    ]
    by_id = stage(acme, "customer", ["id"], [[own.pk], [other.pk]], action=Action.DELETE)
    assert [(row["key"], row["step"]) for row in by_id.plan()] == [(own.pk, "d")]


def test_rows_that_name_one_record_are_duplicates(acme: Organization) -> None:
    customer = a_record(Customer, acme, email="a@x.y", first_name="A")
    rows = [[customer.pk, "a@x.y"], [None, "a@x.y"], [None, "n@x.y"], [None, "n@x.y"], [None, "z"]]
    attempt = stage(acme, "customer", ["id", "email"], rows)
    assert [(error[0], error[2]) for error in attempt.errors] == [
        (row, "duplicate_row") for row in (1, 2, 3, 4)
    ]
    assert attempt.errors[0][3] == "The same record is also named by row 2."
    assert [row["row"] for row in attempt.plan()] == [5]
    first = stage(acme, "customer", ["id", "email"], rows, duplicates=Duplicates.USE_FIRST)
    assert [(row["row"], row["step"]) for row in first.plan()] == [(1, "n"), (3, "c"), (5, "c")]


def test_an_overwrite_knows_the_records_of_refused_rows(acme: Organization) -> None:
    kept, refused = (a_record(Customer, acme, email=f"{name}@x.y") for name in "ab")
    rows = [["a@x.y", "true"], ["b@x.y", "nonsense"], ["n@x.y", "nonsense"], [None, "true"]]
    header = ["email", "is_blocked"]
    attempt = stage(acme, "customer", header, rows, action=Action.OVERWRITE)
    assert [(row["row"], row["key"], row["step"]) for row in attempt.plan()] == [
        *((1, kept.pk, "u"), (2, refused.pk, "x"), (3, None, "x")),
    ]
    assert [row["row"] for row in attempt.typed()] == [1]
    assert {error[0] for error in attempt.errors} == {2, 3, 4}


def test_rows_of_earlier_attempts_are_left_out(acme: Organization) -> None:
    rows = [["a@x.y", "A"], ["b@x.y", "B"], ["a@x.y", "C"]]
    spec: dict[str, Any] = {"duplicates": Duplicates.USE_FIRST, "only": Only.CREATE}
    first = stage(acme, "customer", ["email", "first_name"], rows, **spec)
    assert [row["row"] for row in first.plan()] == [1, 2]
    written = a_record(Customer, acme, email="a@x.y", first_name="A")
    JournalEntry.objects.create(
        batch=first.context.batch,
        number=1,
        transaction=1,
        table=Customer._meta.db_table,
        step="c",
        is_own=True,
        rows=[1],
        keys=[written.pk],
    )
    batch = first.context.batch
    again = stage(acme, "customer", ["email", "first_name"], rows, batch=batch, **spec)
    assert [(row["row"], row["step"]) for row in again.plan()] == [(2, "c")]
    assert {(error[0], error[2]) for error in again.errors} == {
        (3, "duplicate_row"),
        (3, "already_exists"),
    }


def test_check_constraints_test_the_record_as_it_would_be(acme: Organization) -> None:
    a_record(Order, acme, number="1", total_amount_with_taxes_cents=0)
    header = ["number", "total_taxable_amount_cents", "total_amount_with_taxes_cents"]
    rows = [["2", "5", "5"], ["3", "5", "6"], ["4", "0", "0"]]
    attempt = stage(acme, "order", header, rows)
    assert attempt.errors == [
        (2, "", "rule_violated", "The record violates the constraint order_is_taxed_in_full.")
    ]
    partial = stage(acme, "order", header[:2], [["1", "5"]])
    assert [error[2] for error in partial.errors] == ["rule_violated"]


def test_a_constraint_that_overflows_is_an_error_of_its_row(acme: Organization) -> None:
    largest = str(2**63 - 1)
    header = ["number", "total_taxable_amount_cents", "total_tax_amount_cents"]
    rows = [["1", "0", "0"], ["2", largest, largest], ["3", "0", "0"]]
    attempt = stage(acme, "order", header, rows)
    assert [error[:3] for error in attempt.errors] == [(2, "", "out_of_range")]
    assert [row["row"] for row in attempt.plan()] == [1, 3]


def test_a_declared_message_of_a_constraint_is_used(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    attempt = stage(acme, "group", ["id", "parent_id"], [[group.pk, group.pk]])
    assert attempt.errors == [(1, "", "rule_violated", "A group cannot be its own parent.")]


def test_unique_columns_conflict_with_records_and_rows(acme: Organization) -> None:
    price = a_record(Price, acme, sku_code="S1")
    other = a_record(Price, acme, sku_code="S2", price_list=price.price_list)
    header = ["id", "sku_code", "price_list_id", "sku_id"]
    rows = [
        [None, "S9", price.price_list_id, price.sku_id],
        [other.pk, "S1", price.price_list_id, other.sku_id],
        [price.pk, "S1", price.price_list_id, price.sku_id],
    ]
    attempt = stage(acme, "price", header, rows)
    found = {(error[0], error[2], error[3]) for error in attempt.errors}
    assert (1, "not_unique", "Another price has the same sku_id and price_list_id.") in found
    assert (2, "not_unique", "Another price has the same price_list_id and sku_code.") in found
    assert [row["step"] for row in attempt.plan()] in ([], ["n"])


def test_created_records_need_the_columns_without_defaults(acme: Organization) -> None:
    group = stage(acme, "group", ["external_id"], [["x"]])
    assert group.errors == [(1, "name", "missing_value", "name must have a value.")]


def test_defaults_of_created_records(acme: Organization) -> None:
    before = timezone.now()
    attempt = stage(acme, "contact", ["name"], [["A"]])
    created = attempt.validated.created
    assert {"organization_id", "metadata", "created_at", "updated_at"} <= set(created)
    with connection.cursor() as cursor:
        for name, value in created.items():
            cursor.execute(f"SELECT {value.as_string()}")
            (found,) = cursor.fetchone()
            if name in ("created_at", "updated_at"):
                assert before <= found <= timezone.now()
    assert Contact._meta.pk.name not in created


def test_json_records_lack_keys(acme: Organization) -> None:
    contact = ContactFactory.create(organization=acme, name="Ann", email="a@x.y", metadata={"a": 1})
    header = ["id", "name", "email", "metadata", "is_primary"]
    rows = [
        [contact.pk, "Ann", ABSENT, ABSENT, ABSENT],
        [contact.pk, ABSENT, None, '{"a": 1}', ABSENT],
        [ABSENT, ABSENT, ABSENT, ABSENT, ABSENT],
        [ABSENT, "X", ABSENT, None, "true"],
    ]
    spec: dict[str, Any] = {"form": CellForm.JSON, "duplicates": Duplicates.USE_FIRST}
    attempt = stage(acme, "contact", header, rows, **spec)
    assert {(error[0], error[1], error[2]) for error in attempt.errors} == {
        (2, "", "duplicate_row"),
        (4, "metadata", "missing_value"),
    }
    first, third = attempt.typed()
    assert set(first["absent"]) == {"email", "metadata", "is_primary"}
    assert third["metadata"] == {}
    assert third["is_primary"] is False
    assert third["name"] == ""
    assert [row["step"] for row in attempt.plan()] == ["n", "c"]


def test_properties_fill_missing_cells(acme: Organization) -> None:
    properties = {"notes": "imported", "is_primary": True, "metadata": {"source": "x"}}
    attempt = stage(
        acme, "contact", ["name", "notes"], [["A", None], ["B", "own"]], properties=properties
    )
    assert attempt.errors == []
    first, second = attempt.typed()
    assert (first["notes"], second["notes"]) == ("imported", "own")
    assert first["is_primary"] is True
    assert first["metadata"] == {"source": "x"}


def test_validation_stops_after_too_many_errors(acme: Organization) -> None:
    rows = [["A", "maybe"]] * 50
    attempt = stage(acme, "contact", ["name", "is_primary"], rows, max_errors=3)
    assert [error[0] for error in attempt.errors] == [1, 2, 3, 4]
    within = stage(acme, "contact", ["name", "is_primary"], rows, max_errors=50)
    assert len(within.errors) == 50
    assert within.plan() == []


def test_links_are_found_and_compared(acme: Organization, globex: Organization) -> None:
    one, two = (GroupFactory.create(organization=acme, name=name) for name in ("One", "Two, too"))
    foreign = GroupFactory.create(organization=globex, name="Three")
    contact = ContactFactory.create(organization=acme, name="Ann", groups=[one, two])
    rows = [
        [contact.pk, 'One, "Two, too"'],
        [None, "One"],
        [None, "Three"],
        [None, None],
        [None, 'O"ne'],
    ]
    attempt = stage(acme, "contact", ["id", "groups"], rows)
    assert [(row["row"], row["step"]) for row in attempt.plan()] == [(1, "n"), (2, "c"), (4, "c")]
    assert {(row["row"], row["key"]) for row in attempt.links()} == {
        (1, one.pk),
        (1, two.pk),
        (2, one.pk),
    }
    assert [error[:3] for error in attempt.errors] == [
        (3, "groups", "not_found"),
        (5, "groups", "invalid_value"),
    ]
    assert attempt.errors[0][3] == "There is no group 'Three'."
    by_id = stage(acme, "contact", ["groups.0.id", "groups.0.name"], [[foreign.pk, "One"]])
    assert [error[:3] for error in by_id.errors] == [(1, "groups.0.id", "not_found")]
    changed = stage(acme, "contact", ["id", "groups"], [[contact.pk, "One"]])
    assert [row["step"] for row in changed.plan()] == ["u"]
    objects = f'["One", {{"id": "{two.pk}"}}, {{"name": "Two, too"}}]'
    as_json = stage(acme, "contact", ["id", "groups"], [[contact.pk, objects]], form=CellForm.JSON)
    assert [row["step"] for row in as_json.plan()] == ["n"]


def test_the_id_of_a_relation_wins_over_its_label(acme: Organization) -> None:
    first = LocationFactory.create(organization=acme, name="Oslo")
    LocationFactory.create(organization=acme, name="Rome")
    for _ in range(2):
        twice = LocationFactory.create(organization=acme, name="Twice")
    header = ["name", "location_id", "location"]
    rows = [
        ["A", first.pk, "Oslo"],
        ["B", None, "Oslo"],
        ["C", None, "Twice"],
        ["D", None, "Nowhere"],
        ["E", "loc_x", None],
        ["F", None, first.pk],
        ["G", first.pk, "Rome"],
        ["H", first.pk, "Nowhere"],
        ["I", twice.pk, "Twice"],
        ["J", first.pk, "Twice"],
    ]
    attempt = stage(acme, "group", header, rows)
    assert attempt.validated.warnings == ("location is used only in rows without location_id.",)
    assert {row["row"]: row["location_id"] for row in attempt.typed()} == {
        1: first.pk,
        2: first.pk,
        6: first.pk,
        # A location can be renamed after an export.
        8: first.pk,
        9: twice.pk,
    }
    different = "location_id and location do not name the same location"
    assert sorted(attempt.errors) == [
        (
            *(3, "location", "ambiguous_reference"),
            "2 locations match 'Twice'. Give the id of one of them.",
        ),
        (4, "location", "not_found", "There is no location 'Nowhere'."),
        (5, "location_id", "not_found", "There is no location with the id 'loc_x'."),
        *(
            (row, "location_id", "invalid_value", f"{different}: '{first.pk}' and '{name}'.")
            for row, name in ((7, "Rome"), (10, "Twice"))
        ),
    ]


def test_each_json_record_may_name_a_related_record_in_its_own_way(acme: Organization) -> None:
    oslo, _ = (LocationFactory.create(organization=acme, name=name) for name in ("Oslo", "Rome"))
    header = ["name", "location_id", "location", "location.name"]
    rows = [
        ["A", oslo.pk, ABSENT, ABSENT],
        ["B", ABSENT, '"Oslo"', ABSENT],
        ["C", ABSENT, ABSENT, '"Oslo"'],
        ["D", oslo.pk, f'{{"id": "{oslo.pk}", "name": "other"}}', '"Oslo"'],
        ["E", ABSENT, '"Rome"', '"Oslo"'],
        ["F", ABSENT, ABSENT, ABSENT],
        ["G", None, '"Oslo"', ABSENT],
    ]
    attempt = stage(acme, "group", header, rows, form=CellForm.JSON)
    assert [row["location_id"] for row in attempt.typed()] == [oslo.pk] * 4 + [None, oslo.pk]
    assert [row["absent"] for row in attempt.typed()][4] == ["location_id"]
    assert attempt.errors == [
        (
            *(5, "location.name", "invalid_value"),
            "location.name and location do not name the same location: 'Oslo' and 'Rome'.",
        )
    ]


def test_each_row_may_name_its_links_in_its_own_way(acme: Organization) -> None:
    one, two = (GroupFactory.create(organization=acme, name=name) for name in ("One", "Two"))
    twin = GroupFactory.create(organization=acme, name="Two")
    header = ["name", "groups.id", "groups", "groups.0.name"]
    both = f"{one.pk}, {two.pk}"
    rows = [
        ["A", one.pk, None, None],
        ["B", None, "One", None],
        ["C", None, None, "One"],
        ["D", both, "Two, One", "Two"],
        ["E", both, "One", None],
        ["F", one.pk, "One, Two", None],
        ["G", one.pk, None, "Two"],
        ["H", twin.pk, "Two", None],
        ["I", one.pk, "Nobody", None],
        ["J", one.pk, 'O"ne', None],
    ]
    attempt = stage(acme, "contact", header, rows)
    links = [(row["row"], row["key"]) for row in attempt.links()]
    assert sorted(links) == sorted(
        [(row, one.pk) for row in (1, 2, 3, 4, 9)] + [(4, two.pk), (8, twin.pk)]
    )
    other = "groups.id and groups do not name the same groups."
    assert sorted(attempt.errors) == [
        (5, "groups.id", "invalid_value", other),
        (6, "groups.id", "invalid_value", other),
        (
            *(7, "groups.id", "invalid_value"),
            "groups.id and groups.0.name do not name the same groups.",
        ),
        (
            *(10, "groups", "invalid_value"),
            "'O\"ne' is not a valid value of groups. Accepted: names joined by commas; one with a"
            " comma in double quotes.",
        ),
    ]
    empty = stage(
        acme,
        "contact",
        ["name", "groups.id", "groups"],
        [
            ["A", "[]", '["One"]'],
            ["B", f'["{one.pk}"]', "[]"],
            ["C", "[]", "[]"],
            # A record whose label is null.
            ["D", f'["{one.pk}", "{two.pk}"]', '["One", null]'],
        ],
        form=CellForm.JSON,
    )
    assert [error[:3] for error in empty.errors] == [
        (1, "groups.id", "invalid_value"),
        (2, "groups.id", "invalid_value"),
    ]


def test_an_empty_key_is_a_missing_key_unless_the_row_has_an_id(acme: Organization) -> None:
    first, second = (a_record(Sku, acme, code=code) for code in "ab")
    keys = ((None, None), (None, ""), (first.pk, None), (second.pk, ""), (None, "c"), ("x", None))
    attempt = stage(acme, "sku", ["id", "code", "name"], [[*key, "N"] for key in keys])
    unnamed = "The row does not name a record: code must have a value."
    assert sorted(attempt.errors) == [
        (1, "code", "missing_key", unnamed),
        (2, "code", "missing_key", unnamed),
        (3, "code", "missing_value", "code must have a value."),
        (4, "code", "missing_value", "code must have a value."),
        (6, "code", "missing_value", "code must have a value."),
    ]
    location = a_record(StockLocation, acme)
    both = stage(
        acme,
        "stock_item",
        ["sku_id", "stock_location_id", "quantity"],
        [[first.pk, None, "1"], [None, location.pk, "1"], [first.pk, location.pk, "1"]],
    )
    assert [error[:3] for error in both.errors if error[2] == "missing_key"] == [
        (1, "stock_location_id", "missing_key"),
        (2, "sku_id", "missing_key"),
    ]


def test_numbers_are_tested_by_type_and_by_constraint(acme: Organization) -> None:
    rows = [["A", "101"], ["B", "40000"], ["C", "7.0"]]
    attempt = stage(acme, "promotion", ["name", "percentage"], rows)
    assert [(error[0], error[2]) for error in attempt.errors] == [
        (1, "rule_violated"),
        (2, "out_of_range"),
    ]
    assert attempt.typed()[0]["percentage"] == 7


def test_rows_of_an_earlier_attempt_do_not_hide_the_errors_of_others(acme: Organization) -> None:
    batch = stage(acme, "contact", ["name"], [["A"]]).context.batch
    JournalEntry.objects.create(
        batch=batch, number=1, transaction=1, step="c", is_own=True, rows=[1, 2], keys=["a", "b"]
    )
    # What could be read then may be an error now, such as the name of a related record.
    rows = [[f"{number}", "perhaps"] for number in range(4)]
    attempt = stage(acme, "contact", ["name", "is_primary"], rows, batch=batch, max_errors=1)
    assert [row for row, *_ in attempt.errors] == [3, 4]
