"""The types of the attributes of declarations, as their dataclasses annotate them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from reprlib import repr as shortened
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from django.db.models import Q
from django.utils.functional import Promise

_NAMES: Mapping[Any, str] = {
    str: "a text",
    bool: "True or False",
    Callable: "a function",
    Promise: "a lazy translation",
}
_PLURALS: Mapping[Any, str] = {str: "texts", int: "whole numbers"}


@dataclass(frozen=True)
class WrongType:
    """An attribute with a value of a wrong type. text: a clause. hint: a sentence."""

    text: str
    hint: str | None


def convert_lists(declaration: Any) -> None:
    """Replace lists by tuples, and lists, tuples and sets by frozensets, where these are declared.

    Call it in `__post_init__` of a frozen dataclass. `wrong_types` reports what stays wrong.
    """
    for name, collection in _collections(declaration.__class__):
        value = getattr(declaration, name)
        accepted = (list,) if collection is tuple else (list, tuple, set)
        if isinstance(value, accepted):
            try:
                object.__setattr__(declaration, name, collection(value))
            except TypeError:  # An element of a set that has no hash.
                continue


def wrong_types(declaration: Any, prefix: str = "") -> Iterator[WrongType]:
    """Yield the attributes of a dataclass with values of a wrong type, also inside of tuples."""
    for name, annotation in _annotations(declaration.__class__).items():
        value = getattr(declaration, name)
        if not _fits(value, annotation):
            text = f"{prefix}{name} must be {_expected(annotation)}, not {_shown(value)}"
            yield WrongType(text, _hint(name, value, annotation))
        elif isinstance(value, tuple):
            for each in value:
                if is_dataclass(each):
                    yield from wrong_types(each, f"{prefix}{_shown(each)}: ")


@cache
def _annotations(declared: Any) -> Mapping[str, Any]:
    return get_type_hints(declared)


@cache
def _collections(declared: Any) -> list[tuple[str, Any]]:
    """Return the names and types of the attributes that are tuples or frozensets."""
    return [
        (name, get_origin(each))
        for name, annotation in _annotations(declared).items()
        for each in _alternatives(annotation)
        if get_origin(each) in (tuple, frozenset)
    ]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)


def _fits(value: Any, annotation: Any) -> bool:
    return any(_is(value, each) for each in _alternatives(annotation))


def _is(value: Any, annotation: Any) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return True
    if origin is type:
        return isinstance(value, type) and issubclass(value, arguments[0])
    if origin in (tuple, frozenset):
        if not isinstance(value, origin) or not all(_fits(each, arguments[0]) for each in value):
            return False
        return not _has_length(annotation) or len(value) == len(arguments)
    if origin is not None and issubclass(origin, Mapping):
        keys, values = arguments
        return isinstance(value, Mapping) and all(
            _fits(key, keys) and _fits(each, values) for key, each in value.items()
        )
    return callable(value) if origin is Callable else isinstance(value, annotation)


def _has_length(annotation: Any) -> bool:
    """Return whether a tuple has a fixed number of elements, which are then of one type."""
    return get_origin(annotation) is tuple and get_args(annotation)[-1] is not ...


def _expected(annotation: Any) -> str:
    return " or ".join(map(_name, _alternatives(annotation)))


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is NoneType:
        return "None"
    if origin is type:
        return f"a class of {arguments[0].__name__}"
    if origin in (tuple, frozenset):
        number = f"{len(arguments)} " if _has_length(annotation) else ""
        items = _PLURALS.get(arguments[0]) or arguments[0].__name__
        return f"a {origin.__name__} of {number}{items}"
    if origin is not annotation and origin is not Callable:
        return "a dict"
    return _NAMES.get(origin) or f"a {origin.__name__}"


def _hint(name: str, value: Any, annotation: Any) -> str | None:
    """Return the fix of a value that stands in place of a choice, a collection or a class."""
    if value is ...:
        return f"Choose: write {_expected(annotation)} in place of the three dots."
    for each in _alternatives(annotation):
        origin, arguments = get_origin(each), get_args(each)
        if origin is tuple and not _has_length(each) and _fits(value, arguments[0]):
            return f"Write a comma after the only element: {name}=({_shown(value)},)."
        if origin is frozenset and _fits(value, arguments[0]):
            return f"Write {name}=frozenset({{{_shown(value)}}})."
        if origin is type:
            return "Import the class, and give it without quotation marks."
        if each is Q and isinstance(value, Mapping):
            return f"Write {name}=Q(**{_shown(value)})."
        if origin is tuple and isinstance(value, tuple):
            item = arguments[0].__name__
            return f"Write each element as {item}(…)." if is_dataclass(arguments[0]) else None
    return None


def _shown(value: Any) -> str:
    kind = type(value).__name__
    if hasattr(value, "name") and is_dataclass(type(value)):
        return f"{kind}({value.name!r})"
    return shortened(value)
