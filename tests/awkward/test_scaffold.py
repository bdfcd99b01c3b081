"""A scaffold passes the checks when it is pasted."""

import io
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.urls import re_path
from django.views.generic import RedirectView
from pytest_django import Settings

from longshore.accounts.models import Organization
from longshore.resources.checks import check_resource
from longshore.resources.registry import Registry, Resource
from longshore.resources.scaffold import draft, scaffold
from tests.awkward.models import Bistro, Country, Dish, Place, Seat, Ticket, Typed
from tests.samples import Sample


def pasted(text: str, registry: Registry) -> Resource:
    """Run a scaffold as a module. Returns the resource that it registers."""
    number = len(registry.declared)
    exec(compile(text, "resources.py", "exec"), {})  # noqa: S102
    assert len(registry.declared) == number + 1
    return registry.declared[-1]


@pytest.mark.parametrize("model", [Bistro, Country, Dish, Ticket, Typed])
def test_scaffold_of_an_awkward_model_passes_the_checks(model: Any, own_registry: Registry) -> None:
    text = scaffold(model)
    resource = pasted(text.replace("organization=...", "organization=None"), own_registry)
    serious = [each for each in check_resource(resource) if each.is_serious()]
    # The scaffold tells of every error that it cannot avoid.
    assert all(str(each.id) in text for each in serious)
    assert {each.id for each in serious} <= {"longshore_resources.E018"}
    paths = {Country: "...", Ticket: "'team__longshore__organization'"}
    path = paths.get(model, "'organization'")
    assert f"organization={path}," in text
    if model is Typed:
        assert "# password looks like a secret and is hidden." in text


def test_scaffold_without_a_path_to_an_organization_asks_for_a_choice(
    own_registry: Registry,
) -> None:
    text = scaffold(Country)
    resource = pasted(text, own_registry)
    [error] = check_resource(resource)
    assert error.id == "longshore_resources.E028"
    assert "organization must be a text or None, not Ellipsis" in error.msg
    assert str(error.hint) == "Choose: write a text or None in place of the three dots."
    assert own_registry.get(resource.name) is None  # Until then, nobody can read the records.
    assert "None if every organization may read all records" in text
    assert "'club__organization'" in text


@pytest.mark.parametrize(
    ("verbose_name", "plural", "proposed"),
    [
        ("Ereignis für alle", "Ereignisse", ("sample", "samples")),
        ("event", "exports", ("event", "tests_exports")),
        ("Event (new)", "new / old", ("event_new", "new_old")),
        ("", "2 of them", ("r_", "r_2_of_them")),
    ],
)
def test_scaffold_proposes_names_that_are_valid_and_free(
    verbose_name: str, plural: str, proposed: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sample._meta, "verbose_name", verbose_name)
    monkeypatch.setattr(Sample._meta, "verbose_name_plural", plural)
    resource = draft(Sample)
    assert (resource.name, resource.plural) == proposed


def test_scaffold_numbers_names_that_other_resources_have(own_registry: Registry) -> None:
    own_registry.register(Resource("sample", "samples", Country, organization=None))
    own_registry.register(Resource("tests_sample", "tests_samples", Country, organization=None))
    resource = draft(Sample)
    assert (resource.name, resource.plural) == ("tests_sample_2", "tests_samples_2")


def test_scaffold_finds_a_free_plural_beside_a_view_of_all_paths(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT_URLCONF = tuple(
        re_path(pattern, RedirectView.as_view(url="/")) for pattern in ("^v1/exports$", "")
    )
    assert draft(Sample).plural == "samples"
    monkeypatch.setattr(Sample._meta, "verbose_name_plural", "exports")
    assert draft(Sample).plural == "tests_exports"


def test_scaffold_of_organizations_says_that_they_cannot_be_a_resource() -> None:
    text = scaffold(Organization)
    assert "Organizations themselves cannot be a resource." in text
    assert "choose" not in text.lower()


@pytest.mark.parametrize("model", [Seat, Place])
def test_scaffold_tells_what_the_checks_report(model: Any) -> None:
    code = "longshore_resources.E024" if model is Seat else "longshore_resources.E018"
    assert code in scaffold(model)


@pytest.mark.slow
def test_scaffold_of_every_installed_model(own_registry: Registry) -> None:
    for model in apps.get_models():
        text = scaffold(model)
        compile(text, "resources.py", "exec")


def test_command_prints_a_scaffold(own_registry: Registry) -> None:
    printed = io.StringIO()
    call_command("resource_scaffold", "exports.Export", stdout=printed)
    resource = pasted(printed.getvalue(), own_registry)
    assert (resource.organization, resource.date_field) == ("organization", "created_at")
    left_out = "# api_key is left out: declare a resource for ApiKey first."
    assert left_out in printed.getvalue()


def test_command_refuses_an_unknown_model() -> None:
    with pytest.raises(CommandError, match=r"'exports\.Nothing' is not a model"):
        call_command("resource_scaffold", "exports.Nothing")
