"""Parses the body of a request into a `BatchSpec`, and reports all of its problems at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from batches.errors import BatchErrorCode
from batches.request.body import BATCH_BODY, PREVIEW_BODY
from batches.request.saved_mappings import find_mapping, saved_names
from batches.request.target_names import check_mapping, check_properties
from batches.spec import (
    MAX_SYNC_RECORDS,
    Action,
    BatchSpec,
    Duplicates,
    InputFormat,
    InputOptions,
    Mode,
    OnError,
    Only,
)
from batches.targets import Targets, refusal_of
from longshore.accounts.models import Organization
from longshore.api.body.declaration import Body
from longshore.api.errors import ErrorCode, Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.files.compression import Compression
from longshore.files.datetime_patterns import InvalidPattern
from longshore.files.datetime_reading import check_readable
from longshore.jobs.errors import JobErrorCode
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import Resource, registry

# Fields that describe a file; `data` is JSON already.
_OF_FILES = ("format", "compression", "csv")
_COMPRESSED_INSIDE = (InputFormat.XLSX, InputFormat.PARQUET)
_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True)
class BatchRequest:
    """A parsed request for a batch.

    data: the records in the body; None if they are in a file.
    dedupe: whether a batch with the same file and spec answers the request.
    """

    spec: BatchSpec
    data: Sequence[Mapping[str, Any]] | None
    dedupe: bool


def parse_batch(
    body: Mapping[str, Any], organization: Organization, *, has_file: bool = False
) -> BatchRequest:
    """Parse the body of a request for a batch.

    has_file: whether the request has a file beside the body.
    Raises InvalidInput with every problem of the body.
    """
    problems = Problems()
    parser = _Parser(BATCH_BODY, body, organization, problems)
    parser.check_source(has_file)
    spec = parser.parse()
    if problems:
        problems.refuse()
    values = parser.values
    return BatchRequest(spec, values.get("data"), values["dedupe"])


def parse_preview(
    body: Mapping[str, Any], organization: Organization
) -> tuple[BatchSpec, int | None]:
    """Parse the body of a request for a preview.

    Returns the spec, and the bytes of the whole file if the request has only its beginning.
    Raises InvalidInput with every problem of the body.
    """
    problems = Problems()
    parser = _Parser(PREVIEW_BODY, body, organization, problems)
    spec = parser.parse()
    if problems:
        problems.refuse()
    return spec, parser.values.get("file_size")


def writable_resources() -> list[str]:
    """Return the names of the resources whose records a batch may write."""
    return [
        name
        for name in registry.names()
        if (each := registry.get(name)) and refusal_of(each) is None
    ]


class _Parser:
    """Parses one request.

    body: the declaration. given: the body of the request.
    """

    def __init__(
        self,
        body: Body,
        given: Mapping[str, Any],
        organization: Organization,
        problems: Problems,
    ) -> None:
        self.values = body.read(given, problems)
        # An invalid value counts as given: only its own problem is reported.
        self._given = {name for name, value in given.items() if value is not None}
        self._organization = organization
        self._problems = problems

    def parse(self) -> BatchSpec:
        values = self.values
        action, only = Action(values["action"]), self._choice(Only, "only")
        self._check_action(action, only)
        resource = self._resource(action)
        on_error = values.get("on_error", OnError.SKIP.value)
        max_errors = on_error["max_errors"] if isinstance(on_error, Mapping) else None
        return BatchSpec(
            resource=resource.name if resource else "",
            action=action,
            only=only,
            mode=self._choice(Mode, "mode") or Mode.ASYNC,
            on_error=OnError.SKIP if max_errors is not None else OnError(on_error),
            max_errors=max_errors,
            duplicates=Duplicates(values["duplicate_handling"]),
            dry_run=values.get("dry_run", False),
            mapping=tuple(self._mapping(resource).items()),
            properties=self._properties(resource),
            input=self._input(),
            confirm_deletes=values.get("confirm_deletes"),
            corrections=values.get("corrections") or {},
        )

    def check_source(self, has_file: bool) -> None:
        """Report records that are missing, given twice, or given in a way that the mode refuses."""
        data, mode = self.values.get("data"), self.values["mode"]
        sources = {"data": "data" in self._given, "upload": self.values["upload"], "file": has_file}
        given = [name for name, is_given in sources.items() if is_given]
        if not given:
            text = "Send the records in data or as a file, or set upload to true."
            self._refuse("data", None, text, "data, a file, or upload")
        elif len(given) > 1:
            text = f"Send either {' or '.join(given)}, not {'both' if len(given) == 2 else 'all'}."
            self._refuse(given[-1], None, text, "one of data, a file, and upload")
        if mode == Mode.SYNC and self.values["upload"]:
            text = "sync responds when the batch has ended, which needs the records in the request."
            self._refuse("mode", mode, text, [Mode.MIXED, Mode.ASYNC])
        if self.values["dedupe"] and self.values["upload"]:
            text = "dedupe compares the file with earlier ones, and it is not uploaded yet."
            self._refuse("dedupe", True, text, "a file in the request; or omit dedupe")
        if mode == Mode.SYNC and isinstance(data, list) and len(data) > MAX_SYNC_RECORDS:
            text = (
                f"data has {len(data):,} records; sync accepts {MAX_SYNC_RECORDS:,}. Use the mode "
                "mixed or async."
            )
            self._refuse("mode", mode, text, [Mode.MIXED, Mode.ASYNC])
        if "data" in self._given:
            for name in (name for name in _OF_FILES if name in self._given):
                text = f"{name} describes a file, and the records are in data."
                self._refuse(name, self.values.get(name), text, f"send a file, or omit {name}")

    def _check_action(self, action: Action, only: Only | None) -> None:
        if only and action is not Action.MERGE:
            text = f"only applies to merge, not to {action}."
            self._refuse("only", only, text, f"omit only, or set action to {Action.MERGE}")
        confirmed = self.values.get("confirm_deletes")
        if confirmed is not None and action is not Action.OVERWRITE:
            text = f"confirm_deletes applies to overwrite, not to {action}."
            accepted = f"omit confirm_deletes, or set action to {Action.OVERWRITE}"
            self._refuse("confirm_deletes", confirmed, text, accepted)

    def _resource(self, action: Action) -> Resource | None:
        """Return the resource, after reporting one that cannot be written in this way."""
        name = self.values.get("resource")
        resource = registry.get(name) if name else None
        if resource is None:
            return None
        if refusal := refusal_of(resource):
            text = f"A batch cannot write {resource.plural}: {refusal}."
            code = ResourceErrorCode.INVALID_RESOURCE
            self._problems.report(code, "resource", name, text, writable_resources())
            return None
        if action not in resource.actions:
            text = (
                f"{resource.name} does not support {action}, only {' and '.join(resource.actions)}."
            )
            accepted = list(resource.actions)
            unsupported = BatchErrorCode.INVALID_ACTION
            self._problems.report(unsupported, "action", action, text, accepted)
        return resource

    def _mapping(self, resource: Resource | None) -> Mapping[str, str | None]:
        """Return the saved mapping with the entries of the request in place of its own."""
        given = self.values.get("mapping") or {}
        name = self.values.get("mapping_name")
        if resource is None:
            return given
        targets = Targets(resource)
        self._problems.extend(check_mapping(given, targets, "mapping"))
        if name is None:
            return given
        saved = find_mapping(self._organization, resource.name, name)
        if saved is None:
            known = saved_names(self._organization, resource.name)
            hint = did_you_mean(name, known)
            text = f"{display_value(name)} is not a saved mapping of {resource.name}{hint}"
            code = BatchErrorCode.INVALID_MAPPING
            self._problems.report(code, "mapping_name", name, text, known)
            return given
        kept = {header: target for header, target in saved.items() if header not in given}
        self._problems.extend(check_mapping(kept, targets, "mapping_name"))
        return {**kept, **given}

    def _properties(self, resource: Resource | None) -> Mapping[str, Any]:
        properties = self.values.get("properties") or {}
        if resource is not None:
            self._problems.extend(check_properties(properties, Targets(resource)))
        return dict(properties)

    def _input(self) -> InputOptions:
        values, csv = self.values, self.values["csv"]
        file_format = self._choice(InputFormat, "format")
        compression = self._choice(Compression, "compression")
        if values.get("data"):
            file_format, compression = InputFormat.JSON, Compression.NONE
        is_compressed = compression not in (None, Compression.NONE)
        if file_format in _COMPRESSED_INSIDE and is_compressed:
            text = f"{file_format} files have built-in compression. Set compression to none."
            code = JobErrorCode.INVALID_COMPRESSION
            self._problems.report(code, "compression", compression, text, [Compression.NONE])
        if file_format and file_format is not InputFormat.CSV:
            for name in ("delimiter", "quote", "encoding"):
                if name in csv and "data" not in self._given:
                    text = f"{file_format} files have no {name}; only CSV files have one."
                    accepted = f"omit {name}, or set format to csv"
                    self._refuse(f"csv.{name}", csv[name], text, accepted)
        pattern = values.get("datetime_format")
        if pattern is not None:
            self._check_pattern(pattern)
        return InputOptions(
            format=file_format,
            compression=compression,
            delimiter=csv.get("delimiter"),
            quote=csv.get("quote"),
            encoding=csv.get("encoding"),
            timezone=values.get("timezone") or self._organization.timezone or "UTC",
            datetime_format=pattern,
            decimal_separator=values["decimal_separator"],
            unescape_formulas=csv["unescape_formulas"],
        )

    def _check_pattern(self, pattern: str) -> None:
        try:
            check_readable(pattern)
        except InvalidPattern as error:
            text = f"Datetimes of the pattern {display_value(pattern)} cannot be read: {error}."
            code = JobErrorCode.INVALID_DATETIME_FORMAT
            accepted = "a pattern with year, month and day, such as dd/MM/yyyy HH:mm"
            self._problems.report(code, "datetime_format", pattern, text, accepted)

    def _choice(self, choices: type[_Choice], name: str) -> _Choice | None:
        value = self.values.get(name)
        return None if value is None else choices(value)

    def _refuse(self, field: str, value: Any, text: str, accepted: object) -> None:
        self._problems.report(ErrorCode.INVALID_REQUEST, field, value, text, accepted)
