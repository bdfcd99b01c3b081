"""Declares the fields of a request and reads them.

The reader (`Body.read`) and the OpenAPI schema (`longshore.api.body.schema`) use one declaration.
`longshore.api.parsers` limits the size and depth of a JSON body before it is read. A reader stops
at the `MAX_PROBLEMS`-th problem.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from dataclasses import field as dataclass_field
from typing import Any

from longshore.api.errors import BaseErrorCode, ErrorCode, Problems, display_value, shortened
from longshore.api.suggestions import did_you_mean

# Takes the value, its path and the problems to add to; returns the value to use.
Hook = Callable[[Any, str, Problems], Any]


@dataclass(frozen=True)
class Field:
    """A field of a request.

    default: the value if the field is absent. None: the field has no default.
    code: the error code of a value that is not accepted.
    is_secret: no error repeats the value, because it may be a secret.
    """

    name: str
    help_text: str = ""
    _: KW_ONLY
    required: bool = False
    default: Any = None
    code: BaseErrorCode = ErrorCode.INVALID_REQUEST
    is_secret: bool = False

    @property
    def accepted(self) -> object:
        """The accepted values for errors: a phrase such as `an object`, or a list of values."""
        raise NotImplementedError

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        """Return the value to use; report a value that is not accepted, and return the default."""
        raise NotImplementedError

    def absent(self) -> Any:
        """Return the value to use if the request does not have the field."""
        return self.default

    def _refuse(self, value: Any, path: str, problems: Problems, text: str) -> Any:
        problems.report(self.code, path, None if self.is_secret else value, text, self.accepted)
        return self.absent()

    def _mismatch(self, value: Any, path: str, problems: Problems, accepted: str = "") -> Any:
        """Refuse a value because of its type or range. accepted: by default `self.accepted`."""
        suffix = "" if self.is_secret else f", not {display_value(value)}"
        text = f"{path} must be {accepted or self.accepted}{suffix}."
        return self._refuse(value, path, problems, text)


@dataclass(frozen=True)
class Text(Field):
    """A string of at most `max_characters`."""

    _: KW_ONLY
    max_characters: int

    @property
    def accepted(self) -> str:
        return f"a string of at most {self.max_characters:,} characters"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, str) and len(value) <= self.max_characters:
            return value
        return self._mismatch(value, path, problems)


@dataclass(frozen=True)
class Boolean(Field):
    """True or false, but no string or number."""

    @property
    def accepted(self) -> list[bool]:
        return [True, False]

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, bool):
            return value
        return self._mismatch(value, path, problems, "true or false")


@dataclass(frozen=True)
class Integer(Field):
    """A whole number from `minimum` to `maximum`, both included."""

    _: KW_ONLY
    minimum: int
    maximum: int

    @property
    def accepted(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if type(value) is int and self.minimum <= value <= self.maximum:
            return value
        return self._mismatch(value, path, problems)


@dataclass(frozen=True)
class Choice(Field):
    """One of a few strings.

    choices: a callable where the choices are known only after the start of Django.
    noun: what an error calls the value; the name of the field by default.
    fixed_wording: the text before the value in errors, for a field whose error is documented word
        for word.
    """

    _: KW_ONLY
    choices: Sequence[str] | Callable[[], Sequence[str]]
    noun: str = ""
    fixed_wording: str = ""

    @property
    def accepted(self) -> list[str]:
        return list(self.choices() if callable(self.choices) else self.choices)

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        accepted = self.accepted
        if isinstance(value, str) and value in accepted:
            return value
        if self.is_secret:
            return self._mismatch(value, path, problems, " or ".join(accepted))
        hint = did_you_mean(value, accepted) if isinstance(value, str) else "."
        text = f"{display_value(value)} is not a valid {self.noun or self.name}{hint}"
        if self.fixed_wording:
            shown = shortened(value) if isinstance(value, str) else display_value(value)
            text = f"{self.fixed_wording}{shown}{hint.removesuffix('.')}"
        return self._refuse(value, path, problems, text)


@dataclass(frozen=True)
class FreeObject(Field):
    """A JSON object with any fields.

    max_characters: of the object as JSON.
    """

    _: KW_ONLY
    max_characters: int | None = None

    @property
    def accepted(self) -> str:
        if self.max_characters is None:
            return "an object"
        return f"an object of at most {self.max_characters:,} characters as JSON"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, Mapping):
            return self._mismatch(value, path, problems)
        if self.max_characters is not None:
            size = len(json.dumps(value, ensure_ascii=False))
            if size > self.max_characters:
                text = f"{path} has {size:,} characters as JSON, more than {self.max_characters:,}."
                return self._refuse(value, path, problems, text)
        return value


@dataclass(frozen=True)
class FreeObjects(Field):
    """A list of at least one JSON object with any fields."""

    @property
    def accepted(self) -> str:
        return "a list of at least one object"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if not isinstance(value, list) or not value:
            return self._mismatch(value, path, problems)
        for position, member in enumerate(value):
            if not isinstance(member, Mapping):
                place = f"{path}.{position}"
                text = f"{place} must be an object, not {display_value(member)}."
                problems.report(self.code, place, member, text, "an object")
        return value


@dataclass(frozen=True)
class Custom(Field):
    """A value with a reader of its own.

    hook: the reader. None: `read` returns the value unchanged, for a later stage to read.
    schema: JSON schema of the value, for the OpenAPI schema.
    accepts: the accepted values, as a phrase, for errors.
    """

    _: KW_ONLY
    schema: Mapping[str, Any]
    accepts: str
    hook: Hook | None = None

    @property
    def accepted(self) -> str:
        return self.accepts

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        return value if self.hook is None else self.hook(value, path, problems)


@dataclass(frozen=True)
class Object(Field):
    """An object whose fields are declared."""

    _: KW_ONLY
    body: "Body"

    @property
    def accepted(self) -> str:
        return "an object"

    def read(self, value: Any, path: str, problems: Problems) -> Any:
        if isinstance(value, Mapping):
            return self.body.read(value, problems, f"{path}.")
        return self._mismatch(value, path, problems)

    def absent(self) -> dict[str, Any]:
        return self.body.defaults()


@dataclass(frozen=True)
class Body:
    """The fields of a request, or of an object inside of it.

    name: of the component in the OpenAPI schema.
    aliases: other accepted names of fields, and the names for which they stand.
    elsewhere: returns the path at which an unknown name is probably meant, given the request and
        the name; None if there is none.
    null_is_absent: null has the effect of leaving the field out.
    hides_unknown_values: no error repeats the value of an unknown field, which may be a secret
        under a wrong name.
    """

    name: str
    help_text: str
    fields: tuple[Field, ...]
    _: KW_ONLY
    aliases: Mapping[str, str] = dataclass_field(default_factory=dict)
    elsewhere: Callable[[Mapping[str, Any], str], str | None] = lambda given, name: None
    null_is_absent: bool = False
    hides_unknown_values: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def canonical(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a request in which no field has an alias, unless it has the field's name, too.

        `read` reports such a field.
        """
        names = {
            alias: name
            for alias, name in self.aliases.items()
            if self._has(given, alias) and not self._has(given, name)
        }
        # Fields that are null, so that an alias of them or their name applies.
        nulls = {alias for alias in self.aliases if not self._has(given, alias)} | {*names.values()}
        return {names.get(name, name): each for name, each in given.items() if name not in nulls}

    def defaults(self) -> dict[str, Any]:
        """Return the values of a request that has none of the fields."""
        absent = ((field.name, field.absent()) for field in self.fields)
        return {name: value for name, value in absent if value is not None}

    def read(self, given: Mapping[str, Any], problems: Problems, path: str = "") -> dict[str, Any]:
        """Return the fields that the request has, and those that have a default.

        path: of the object inside of the request, with a dot at its end.
        Adds every problem to `problems`: missing fields first, then unknown names, then in the
        order of the fields.
        """
        for field in self.fields:
            if field.required and not self._has(given, field.name):
                place = f"{path}{field.name}"
                text = f"{place} is required."
                problems.report(ErrorCode.INVALID_REQUEST, place, None, text, field.accepted)
        for name in given:
            if name not in self.names:
                self._refuse_unknown(name, given, problems, path)
        values = self.defaults()
        for field in self.fields:
            if self._has(given, field.name):
                place = f"{path}{field.name}"
                values[field.name] = field.read(given[field.name], place, problems)
        return values

    def _has(self, given: Mapping[str, Any], name: str) -> bool:
        is_absent = given.get(name) is None and self.null_is_absent
        return name in given and not is_absent

    def _refuse_unknown(
        self, name: str, given: Mapping[str, Any], problems: Problems, path: str
    ) -> None:
        accepted = list(self.names)
        meant = self.elsewhere(given, name)
        hint = f". Did you mean {meant!r}?" if meant else did_you_mean(name, accepted)
        text = f"{display_value(path + name)} is not a field{hint}"
        if other := self.aliases.get(name):
            text = f"{path}{name} is another name of {path}{other}: set one of them."
        value = None if self.hides_unknown_values else given[name]
        problems.report(ErrorCode.INVALID_REQUEST, f"{path}{name}", value, text, accepted)
