"""A wrong declaration never prevents the start: `check` imports the URLs, and reports it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from django.conf import settings

# Declarations as a developer may write them, with the error that `check` reports. `Owned` stands
# for a model without a field `organization`, `Scoped` for one whose manager needs a scope.
WRONG = {
    "model=Owned": ("E003", "'organization' is not a foreign key of ContactGroup"),
    "model=Contact, organization='organisation'": ("E003", "'organisation' is not a foreign key"),
    "model=Contact, organization=''": ("E003", "'' is not a foreign key of Contact"),
    "model=Contact, organization='organization__'": ("E003", "'' is not a foreign key of"),
    "model=Contact, organization=5": ("E028", "organization must be a text or None, not 5"),
    "model=Contact, name='Owned 1'": ("E002", "name 'Owned 1' is not a valid name"),
    "model=Contact, plural='Owned 1'": ("E002", "plural 'Owned 1' is not a valid name"),
    "model=Contact, plural=''": ("E002", "plural '' is not a valid name"),
    "model=Contact, plural='.*'": ("E002", "plural '.*' is not a valid name"),
    "model=Contact, name=None": ("E028", "name must be a text, not None"),
    "model='app.Contact'": ("E028", "model must be a class of Model, not 'app.Contact'"),
    "model=Record": ("E024", "Record is abstract"),
    "model=models.Model": ("E024", "Model is abstract"),
    "model=Seat, date_field=None": ("E024", "Seat has a composite primary key"),
    "model=Scoped": ("E018", "the default manager of Scoped hides rows"),
    "model=Contact, date_field='created'": ("E005", "date_field 'created' is not a date"),
    "model=Contact, where=Q(created_at__gt='never')": ("E017", "“never” value has an invalid"),
    "model=Contact, where=Q(created_at__year={})": ("E017", "where"),
    "model=Contact, where=Q(name=Broken())": ("E029", "where: the declaration cannot be checked"),
    "model=Contact, where={'name': 'x'}": ("E028", "where must be a Q or None, not {'name': 'x'}"),
    "model=Contact, relations=(Relation('groups'))": (
        "E028",
        "relations must be a tuple of Relation, not Relation('groups')",
    ),
    "model=Contact, relations=('groups',)": ("E028", "relations must be a tuple of Relation"),
    "model=Contact, relations=(Relation('groups', fields='id'),)": (
        "E028",
        "Relation('groups'): fields must be a tuple of texts, not 'id'",
    ),
    "model=Contact, relations=(Relation('groups', where={}),)": (
        "E028",
        "Relation('groups'): where must be a Q or None, not {}",
    ),
    "model=Contact, relations=(Relation('friends'),)": ("E007", "'friends' is not a relation"),
    "model=Contact, relations=(Relation('groups', label='x'),)": ("E007", "Group has no 'x'"),
    "model=Contact, hidden='name'": ("E028", "hidden must be a frozenset of texts, not 'name'"),
    "model=Contact, hidden=[[]]": ("E028", "hidden must be a frozenset of texts, not [[]]"),
    "model=Contact, includes=('groups')": ("E028", "includes must be a tuple of texts"),
    "model=Contact, includes=('friends',)": ("E013", "'friends' is not a relation"),
    "model=Contact, scopes='read'": ("E028", "scopes must be a frozenset of texts, not 'read'"),
    "model=Contact, key=('code',)": ("E006", "key 'code' is not a field of Contact"),
    "model=Contact, search='words'": ("E006", "search 'words' is not a field of Contact"),
    "model=Contact, columns=(Column('x', 'text', 'y'),)": (
        "E028",
        "Column('x'): kind must be a ColumnType, not 'text'",
    ),
    "model=Contact, columns=(Column('x', ColumnType.TEXT, '{y}'),)": ("E026", "column 'x'"),
    "model=Contact, filters=(NamedFilter('x', '', paths=('y',)),)": ("E022", "filter 'x'"),
    "model=Contact, writable_relations=('friends',)": ("E023", "writable relation 'friends'"),
    "model=Contact, rules=('{row}.x',)": ("E028", "rules must be a tuple of Rule"),
    "model=Contact, after_write='notify'": ("E028", "after_write must be a function or None"),
    "resource='contact', columns=('id',)": ("E015", "columns must be a dict, not ('id',)"),
    "resource='contact', columns={'id': 'Id'}, order_by=None": ("E015", "order_by must be a text"),
    "resource='contact', columns={'id': 'Id'}, options={1: 2}": ("E015", "options must be a dict"),
}
# Names that a project may use, although examples of errors need unknown names.
RIGHT = ("model=Contact, name='nope'", "model=Contact, name='invalid_resource', plural='shipmnt'")
# Runs the checks of each declaration in a copy of this process, which has not imported the URLs.
_SCRIPT = """
import json, os, sys, traceback
import django
django.setup()
from django.core.checks import run_checks
from django.db import models
from django.db.models import Q
from longshore.domains.logistics.models import Contact, ContactGroup as Owned
from longshore.domains.logistics.models.base import Record
from longshore.resources.columns import Column, ColumnType
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Resource, register
from longshore.resources.relations import Relation
from tests.awkward.models import Seat

class Broken:
    def resolve_expression(self, *args, **kwargs):
        raise RuntimeError("broken")

class NeedsScope(models.Manager):
    def get_queryset(self):
        raise RuntimeError("needs a scope")

class Scoped(Contact):
    objects = NeedsScope()
    class Meta:
        proxy = True
        app_label = "longshore_logistics"

for declaration in json.load(sys.stdin):
    sys.stdout.flush()
    if os.fork():
        os.wait()
        continue
    try:
        given = eval(f"dict({declaration})")
        if "model" in given:
            register(Resource(**{"name": "wrong", "plural": "wrongs"} | given))
        else:
            other = {"code": "wrong", "name": "Wrong", "date": None, "order_by": "id"}
            export_types.register(ExportType(**other | given))
        found = [[each.id, each.msg, each.hint] for each in run_checks()]
    except Exception:
        found = [["crash", traceback.format_exc()[-900:], None]]
    print(json.dumps([declaration, found]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def reported() -> Mapping[str, list[tuple[str, str, str | None]]]:
    """The ids, messages and hints of the checks by declaration."""
    started = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SCRIPT],
        input=json.dumps([*WRONG, *RIGHT]),
        capture_output=True,
        text=True,
        check=False,
        cwd=settings.BASE_DIR,
        env=os.environ | {"DOMAINS": "longshore.domains.logistics", "ENV_FILE": os.devnull},
    )
    assert started.returncode == 0, started.stderr
    return dict(json.loads(line) for line in started.stdout.splitlines())


@pytest.mark.parametrize("declaration", WRONG)
def test_a_wrong_declaration_is_an_error_and_not_an_exception(
    declaration: str, reported: Mapping[str, list[tuple[str, str, str | None]]]
) -> None:
    code, text = WRONG[declaration]
    found = reported[declaration]
    texts = [text for found_code, text, _ in found if found_code == f"longshore_resources.{code}"]
    assert texts, found
    assert text in texts[0]
    assert texts[0].startswith(("Resource ", "Named export 'wrong': "))


@pytest.mark.parametrize("declaration", RIGHT)
def test_a_resource_may_have_a_name_of_examples(
    declaration: str, reported: Mapping[str, list[tuple[str, str, str | None]]]
) -> None:
    assert reported[declaration] == []


@pytest.mark.parametrize(
    ("declaration", "hint"),
    [
        ("relations=(Relation('groups'))", "relations=(Relation('groups'),)."),
        ("relations=('groups',)", "Write each element as Relation(…)."),
        ("scopes='read'", "Write scopes=frozenset({'read'})."),
        ("where={'name': 'x'}", "Write where=Q(**{'name': 'x'})."),
        ("key=('code',)", "Name fields of Contact: id, "),
    ],
)
def test_the_hint_has_the_fix(
    declaration: str, hint: str, reported: Mapping[str, list[tuple[str, str, str | None]]]
) -> None:
    [(_, _, shown)] = reported[f"model=Contact, {declaration}"]
    assert hint in str(shown)
