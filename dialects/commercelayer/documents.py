"""JSON:API documents: renders resource objects, and reads the bodies of requests."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from dialects.commercelayer.errors import ATTRIBUTES
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem, Problems
from longshore.api.links import absolute
from longshore.api.suggestions import did_you_mean

_MODE = {"mode": "live"}
# Attributes that the vendor gives every object.
BASE_ATTRIBUTES = ("created_at", "updated_at", "reference", "reference_origin", "metadata")


@dataclass(frozen=True)
class Shown:
    """An object as a document shows it.

    relationships: names of its relations; each has a list of its own.
    """

    type: str
    id: str
    attributes: Mapping[str, Any]
    relationships: Sequence[str] = ()


@dataclass(frozen=True)
class Selection:
    """What a document shows of its objects.

    fields: attributes and relations by type; a type that is missing shows all.
    included: the objects of relations, by relation and by the id of the object that has it.
    """

    fields: Mapping[str, Collection[str]]
    included: Mapping[str, Mapping[str, Sequence[Shown]]]


EVERYTHING = Selection({}, {})


def document(
    shown: Shown, request: HttpRequest | None = None, selection: Selection = EVERYTHING
) -> dict[str, Any]:
    """Return the document of one object. Links are absolute; without a request for `BASE_URL`."""
    return {"data": _object(shown, request, selection), **_included([shown], request, selection)}


def listing(
    objects: Sequence[Shown],
    request: HttpRequest,
    selection: Selection,
    *,
    total: int,
    pages: int,
    links: Mapping[str, str],
) -> dict[str, Any]:
    """Return the document of a page of objects.

    total, pages: number of objects and pages of the whole list.
    """
    return {
        "data": [_object(shown, request, selection) for shown in objects],
        "meta": {"record_count": total, "page_count": pages},
        "links": dict(links),
        **_included(objects, request, selection),
    }


def address(type: str, id: str, request: HttpRequest | None = None) -> str:
    """Return the URL of an object."""
    return absolute(f"/api/{type}/{id}", request)


def moment(value: datetime | str | None) -> str | None:
    """Return a time in UTC to the millisecond. value: a datetime, or its ISO 8601 text."""
    if value is None:
        return None
    time = datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _object(shown: Shown, request: HttpRequest | None, selection: Selection) -> dict[str, Any]:
    url = address(shown.type, shown.id, request)
    fields = selection.fields.get(shown.type)
    attributes = {
        name: value for name, value in shown.attributes.items() if fields is None or name in fields
    }
    relationships: dict[str, Any] = {}
    for name in shown.relationships:
        if fields is not None and name not in fields:
            continue
        links = {"self": f"{url}/relationships/{name}", "related": f"{url}/{name}"}
        relationships[name] = {"links": links}
        if name in selection.included:
            related = selection.included[name].get(shown.id, ())
            relationships[name]["data"] = [{"type": each.type, "id": each.id} for each in related]
    return {
        "id": shown.id,
        "type": shown.type,
        "links": {"self": url},
        "attributes": attributes,
        "relationships": relationships,
        "meta": _MODE,
    }


def _included(
    objects: Sequence[Shown], request: HttpRequest | None, selection: Selection
) -> dict[str, Any]:
    if not selection.included:
        return {}
    ids = [shown.id for shown in objects]
    related = (
        each for by_id in selection.included.values() for id in ids for each in by_id.get(id, ())
    )
    return {"included": [_object(each, request, selection) for each in related]}


def read_attributes(
    body: Mapping[str, Any], type: str, accepted: Collection[str], id: str | None = None
) -> dict[str, Any]:
    """Return the attributes of the object in the body of a request.

    accepted: names of attributes. id: of the changed object; None for a new one.
    Raises InvalidInput with every problem, ApiError if the id is not that of the address.
    """
    data = body.get("data")
    if not isinstance(data, Mapping):
        text = "The body needs a member data: an object with type and attributes."
        raise InvalidInput(Problem(ErrorCode.INVALID_REQUEST, "/data", None, text, "an object"))
    if id is not None and data.get("id") != id:
        text = "The id in the body is not the id in the address."
        raise ApiError(ErrorCode.INVALID_REQUEST, text, {"id": data.get("id"), "accepted": id})
    problems = Problems(_problems(data, type, accepted))
    if problems:
        problems.refuse()
    return dict(data.get("attributes") or {})


def _problems(data: Mapping[str, Any], type: str, accepted: Collection[str]) -> Iterator[Problem]:
    code = ErrorCode.INVALID_REQUEST
    if data.get("type") != type:
        yield Problem(code, "/data/type", data.get("type"), f"The type must be {type}.", [type])
    attributes = data.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        text = "The attributes must be an object."
        yield Problem(code, ATTRIBUTES, attributes, text, "an object")
        return
    for name, value in attributes.items():
        if name not in accepted:
            text = f"{type} has no attribute {name!r} that a request can set"
            text += did_you_mean(name, [*accepted])
            yield Problem(code, f"{ATTRIBUTES}/{name}", value, text, sorted(accepted))
    if data.get("relationships"):
        text = f"A request cannot set relationships of {type}."
        yield Problem(code, "/data/relationships", data["relationships"], text, "no relationships")
