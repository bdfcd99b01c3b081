"""The input of a batch as it would be read with the request of the form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from batches.admin import previewing
from batches.admin.wizard.bodies import DIALECT
from batches.execution.preview import Preview, preview_input
from batches.lifecycle import creation
from batches.models import Batch
from batches.request.parser import parse_batch
from longshore.api.concurrency import admitted
from longshore.api.errors import ApiError, InvalidInput, shortened

# Before the header to which a problem belongs, in the name of its place.
HEADER = "header:"
_DELETED = "The file has been deleted. Upload it again."
# The controls of problems, by the fields of the request that differ from their names.
_PLACES = {f"csv.{name}": name for name in DIALECT}
_MAPPING = "mapping."


@dataclass(frozen=True)
class PlacedProblem:
    """A message and the control that it belongs to; place: "" for the whole form."""

    place: str
    message: str


@dataclass(frozen=True)
class Result:
    """How the input would be read with a request.

    preview: None if the request is not valid, or if the input cannot be read.
    """

    problems: list[PlacedProblem] = field(default_factory=list)
    preview: Preview | None = None

    @cached_property
    def messages(self) -> Mapping[str, str]:
        """The messages of each place."""
        found: dict[str, str] = {}
        for each in self.problems:
            found[each.place] = " ".join(filter(None, (found.get(each.place), each.message)))
        return found


def read(batch: Batch, body: Mapping[str, Any]) -> Result:
    """Preview the input of a batch with a request, within the limits of the API."""
    if not creation.has_input(batch):
        return Result([PlacedProblem("", _DELETED)])
    try:
        spec = parse_batch(body, batch.organization, has_file=True).spec
        with admitted(batch.organization_id, spare=1):
            found = preview_input(batch, spec)
    except ApiError as error:
        return refused(error)
    except FileNotFoundError:
        return Result([PlacedProblem("", _DELETED)])
    return Result(_problems(found), found)


def refused(error: ApiError, read: Result | None = None) -> Result:
    """Return the result of a request that is refused. read: what is known of the input."""
    preview = read.preview if read else None
    if isinstance(error, InvalidInput):
        problems = [PlacedProblem(_place(each.field), each.message) for each in error.problems]
        return Result(problems, preview)
    return Result([PlacedProblem("", error.message)], preview)


def record_preview(request: HttpRequest, batch: Batch, result: Result) -> None:
    """Record that a person has seen rows of the input."""
    if result.preview and previewing.may_preview(request, batch):
        message = f"Previewed {batch.input_name} of {batch} as {batch.resource}."
        previewing.record_preview(request, batch, message)


def _problems(found: Preview) -> list[PlacedProblem]:
    problems = [
        PlacedProblem(_place(str(each["field"])), each["message"]) for each in found.problems
    ]
    headers = {shortened(each["header"]) for each in found.columns}
    placed = [
        PlacedProblem(f"{HEADER}{each.place}", each.message) if each.place in headers else each
        for each in problems
    ]
    for each in found.ambiguities:
        placed.append(PlacedProblem(f"{HEADER}{shortened(each['header'])}", each["message"]))
    return placed


def _place(name: str) -> str:
    if name.startswith(_MAPPING):
        return f"{HEADER}{name.removeprefix(_MAPPING)}"
    return _PLACES.get(name, name)
