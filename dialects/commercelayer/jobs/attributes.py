"""The attributes that clients give a job, kept in its `metadata`.

Attributes that the native API does not have are stored under one key of the metadata, where the
native API, webhooks and the admin show them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dialects.commercelayer.errors import ATTRIBUTES
from dialects.commercelayer.names import DIALECT
from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems, display_value
from longshore.jobs.request_fields import metadata_field

KEY = DIALECT
FORMATS = ["json", "csv"]
REFERENCES = ("reference", "reference_origin")
CLIENT_ATTRIBUTES = (*REFERENCES, "metadata")
_MAX_CHARACTERS = 255
_METADATA = metadata_field("job")


def read_client_attributes(attributes: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Return the attributes among `CLIENT_ATTRIBUTES`; report those that cannot be stored."""
    given = {name: attributes[name] for name in CLIENT_ATTRIBUTES if name in attributes}
    for name in REFERENCES:
        value = given.get(name)
        if value is not None and not (isinstance(value, str) and len(value) <= _MAX_CHARACTERS):
            accepted = f"a string of at most {_MAX_CHARACTERS} characters"
            text = f"{name} must be {accepted}."
            problems.report(ErrorCode.INVALID_REQUEST, pointer(name), value, text, accepted)
    metadata = given.get("metadata")
    if metadata is not None:
        _METADATA.read(metadata, pointer("metadata"), problems)
    if isinstance(metadata, Mapping) and KEY in metadata:
        text = f"The key {KEY!r} of metadata is reserved."
        problems.report(ErrorCode.INVALID_REQUEST, pointer("metadata"), KEY, text, "another key")
    return given


def read_flag(attributes: Mapping[str, Any], name: str, problems: Problems) -> bool:
    """Return whether a request sets an attribute to true. Report any value but true and false."""
    value = attributes.get(name)
    if not isinstance(value, bool | None):
        text = f"{name} must be true or false."
        problems.report(ErrorCode.INVALID_REQUEST, pointer(name), value, text, [True, False])
    return value is True


def read_format(attributes: Mapping[str, Any], problems: Problems) -> str:
    """Return the format of the file of a job; report one that does not exist."""
    value = attributes.get("format") or FORMATS[0]
    if value not in FORMATS:
        text = f"{display_value(value)} is not a format."
        problems.report(ErrorCode.INVALID_REQUEST, pointer("format"), value, text, FORMATS)
    return str(value)


def merged(
    metadata: Mapping[str, Any], given: Mapping[str, Any], extras: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the metadata to store.

    metadata: as stored before. given: client attributes that replace those in it.
    extras: further attributes of the dialect.
    """
    own = given["metadata"] or {} if "metadata" in given else without_extras(metadata)
    references = {name: given[name] for name in REFERENCES if name in given}
    stored = {**extras_of(metadata), **references, **extras}
    kept = {name: value for name, value in stored.items() if value is not None}
    return {**own, KEY: kept} if kept else dict(own)


def extras_of(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of the dialect in the metadata of a job."""
    extras = metadata.get(KEY)
    return dict(extras) if isinstance(extras, Mapping) else {}


def without_extras(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a job as its client gave them."""
    return {name: value for name, value in metadata.items() if name != KEY}


def pointer(field: str) -> str:
    """Return the pointer to an attribute. field: its name, or a path with dots."""
    return f"{ATTRIBUTES}/{field.replace('.', '/')}"


@contextmanager
def naming_attributes(names: Mapping[str, str]) -> Iterator[None]:
    """Rename the fields of problems in the native body to pointers to attributes.

    names: the attribute of each field of the native body with another name.
    """
    try:
        yield
    except InvalidInput as invalid:
        raise InvalidInput(*(_renamed(each, names) for each in invalid.problems)) from None


def _renamed(problem: Problem, names: Mapping[str, str]) -> Problem:
    head, dot, rest = problem.field.partition(".")
    field = pointer(f"{names.get(head, head)}{dot}{rest}")
    return Problem(problem.code, field, problem.value, problem.message, problem.accepted)
