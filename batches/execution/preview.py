"""Previews: how a file would be read, shown by its beginning.

A preview parses and validates a sample in a transaction that is rolled back. It writes nothing, and
it is the only place that proposes what a request leaves open: a mapping, and the pattern of dates.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import psycopg
from django.db import connection
from django.utils import timezone

from batches.context import Context
from batches.errors import BatchErrorCode
from batches.execution.attempt import cell_forms
from batches.execution.preview_dates import (
    DateColumn,
    ambiguity,
    decided_pattern,
    find_dates,
    open_questions,
)
from batches.execution.preview_rows import read_errors, read_rows, read_texts
from batches.execution.sample import MAX_BYTES, Sample, StoredTable, stored_sample, take_sample
from batches.models import Batch, Via
from batches.parsing.base import Input
from batches.parsing.errors import InputError
from batches.parsing.opening import open_input
from batches.parsing.transactions import atomic
from batches.request.mapping import Assigned, assign
from batches.request.proposals import Proposal, propose
from batches.spec import BatchSpec
from batches.staging import Staging
from batches.targets import Target, Targets
from batches.validation.validation import create_errors, validate
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem
from longshore.database.ids import new_id
from longshore.files.compression import Compression
from longshore.files.storage import file_storage
from longshore.resources.columns import Column, ColumnType
from longshore.resources.reading import reading
from longshore.resources.registry import registry

MAX_ROWS = 20
MAX_ERRORS = 20
_MAX_SAMPLES = 3
# Time limit of each statement: the sample is small.
_MILLISECONDS = 5_000


@dataclass(frozen=True)
class Preview:
    """How a file would be read.

    detected: format, compression, encoding and dialect.
    columns: for each header: `header`, `target`, and, if the target is a proposal, `score`,
        `reason` and `alternatives`.
    mapping: the target of each header, to send as `mapping` in the request for the batch.
    timezone: of datetimes without an offset.
    datetime_format: the pattern of the request, or the pattern that fits all dates of the file.
    dates: for each column of dates: `header`, `pattern`, `with_offset` and `without_offset`.
    rows: the first rows, as `preview_rows.read_rows` returns them.
    samples: the first distinct values of each header.
    errors: the first errors of rows. errors_count: of all rows of the sample.
    problems: why a batch with this mapping would be refused.
    ambiguities: questions that the file does not answer: `header`, `message`, `accepted` and
        `examples`.
    warnings: sentences about parts of the input that would not be used.
    estimated_rows: of the whole file. rows_are_estimate: whether only a part of it was read.
    """

    detected: Mapping[str, Any]
    columns: list[dict[str, Any]]
    mapping: Mapping[str, str | None]
    timezone: str
    datetime_format: str | None
    dates: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    samples: Mapping[str, list[str]]
    errors: list[dict[str, Any]]
    errors_count: int
    problems: list[dict[str, Any]]
    ambiguities: list[dict[str, Any]]
    warnings: list[str]
    estimated_rows: int
    rows_are_estimate: bool


def preview(
    spec: BatchSpec, organization: Organization, content: bytes, name: str, file_size: int | None
) -> Preview:
    """Return how a file would be read.

    content: the file, or its beginning. name: of the file.
    file_size: bytes of the whole file, if the content is only its beginning.
    Raises ApiError if the content is too large or cannot be read.
    """
    if len(content) > MAX_BYTES:
        raise too_large()
    with _input_errors():
        return _build(spec, organization, take_sample(content, file_size, spec.input), name)


def preview_input(batch: Batch, spec: BatchSpec) -> Preview:
    """Return how the stored input of a batch would be read.

    Raises ApiError if the input cannot be read.
    """
    read = partial(file_storage.read_range, batch.input_key or "")
    size = batch.input_bytes or 0
    with _input_errors():
        sample = stored_sample(read, size, spec.input)
        return _build(spec, batch.organization, sample, batch.input_name)


def _build(
    spec: BatchSpec, organization: Organization, sample: Sample | StoredTable, name: str
) -> Preview:
    options = spec.input
    if sample.compression is not Compression.NONE:
        options = replace(options, compression=Compression.NONE)
    opened = open_input(sample.read, sample.size, options, name)
    with (
        reading(spec.input.timezone, _MILLISECONDS, "timezone"),
        connection.connection.cursor() as cursor,
    ):
        return _Preview(spec, organization, opened, cursor, sample.max_rows).build(sample)


@contextmanager
def _input_errors() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise ApiError(error.code, error.message) from error


def too_large() -> ApiError:
    text = f"A preview reads at most {MAX_BYTES:,} bytes. Send only the beginning of the file."
    return ApiError(ErrorCode.REQUEST_TOO_LARGE, text, {"maximum": MAX_BYTES})


class _Preview:
    """Builds one preview. The caller rolls the transaction of `cursor` back."""

    def __init__(
        self,
        spec: BatchSpec,
        organization: Organization,
        opened: Input,
        cursor: psycopg.Cursor,
        max_rows: int | None,
    ) -> None:
        """max_rows: read only the first rows; None: all of the sample."""
        resource = registry.get(spec.resource)
        if resource is None:
            raise LookupError(f"there is no resource {spec.resource!r}")
        self._spec = spec
        self._organization = organization
        self._resource = resource
        self._targets = Targets(resource)
        self._input = opened
        self._cursor = cursor
        self._headers = opened.headers()
        self._max_rows = max_rows

    def build(self, sample: Sample | StoredTable) -> Preview:
        proposals = self._propose()
        assigned = self._assign(proposals)
        staging = self._stage(assigned.targets)
        dates = list(find_dates(self._cursor, staging, self._headers, assigned.targets))
        ambiguities = list(self._unsure(proposals))
        if self._spec.input.datetime_format is None:
            ambiguities += open_questions(dates)
            self._decide_format(dates)
        context = self._context(staging, assigned)
        problems = [problem.as_json() for problem in assigned.problems]
        rows: list[dict[str, Any]] = []
        try:
            rows = self._validated_rows(context, assigned)
        except ApiError as error:
            problems += _problems(error)
            create_errors(self._cursor, context)
        errors, errors_count = read_errors(self._cursor, context, MAX_ERRORS)
        paired = list(zip(self._headers, assigned.targets, strict=True))
        return Preview(
            detected={**self._input.detected.as_json(), "compression": sample.compression.value},
            columns=[
                _column(header, target, proposals.get(position))
                for position, (header, target) in enumerate(paired)
            ],
            mapping={header: target.name if target else None for header, target in paired},
            timezone=self._spec.input.timezone,
            datetime_format=self._spec.input.datetime_format,
            dates=[each.as_json() for each in dates],
            rows=rows,
            samples=self._samples(staging),
            errors=errors,
            errors_count=errors_count,
            problems=problems,
            ambiguities=ambiguities,
            warnings=[*self._input.warnings, *assigned.warnings],
            estimated_rows=round(self._input.rows_read / sample.share),
            rows_are_estimate=sample.is_cut and self._input.rows_read >= (self._max_rows or 0),
        )

    def _samples(self, staging: Staging) -> Mapping[str, list[str]]:
        positions = range(len(self._headers))
        texts = read_texts(self._cursor, staging, positions, self._input.has_json)
        return {
            header: list(dict.fromkeys(filter(None, texts[position])))[:_MAX_SAMPLES]
            for position, header in enumerate(self._headers)
        }

    def _propose(self) -> Mapping[int, Proposal]:
        """Return proposals for the headers without a target, by position."""
        headers = self._headers
        assigned = assign(headers, self._spec, self._targets, are_complete=False)
        if not assigned.unknown:
            return {}
        # Stages any value as it stands.
        has_json = self._input.has_json
        texts = [
            Target(
                header, Column(header, ColumnType.JSON if has_json(number) else ColumnType.TEXT, "")
            )
            for number, header in enumerate(headers)
        ]
        values = read_texts(self._cursor, self._stage(texts), assigned.unknown, has_json)
        unknown = {position: headers[position] for position in assigned.unknown}
        taken = {target.sets for target in assigned.targets if target}
        found = propose(unknown, values, self._targets, taken)
        return {proposal.position: proposal for proposal in found}

    def _assign(self, proposals: Mapping[int, Proposal]) -> Assigned:
        """Assign targets as if the mapping of the request contained the proposals."""
        proposed = {self._headers[each.position]: each.best.target for each in proposals.values()}
        mapping = (*self._spec.mapping, *proposed.items())
        return assign(self._headers, replace(self._spec, mapping=mapping), self._targets)

    def _stage(self, targets: Sequence[Target | None]) -> Staging:
        staging = Staging(new_id("preview"))
        self._input.stage(self._cursor, staging, targets, limit=self._max_rows)
        return staging

    def _decide_format(self, dates: Sequence[DateColumn]) -> None:
        """Use the pattern that the dates decide."""
        options = replace(self._spec.input, datetime_format=decided_pattern(dates))
        self._spec = replace(self._spec, input=options)

    def _unsure(self, proposals: Mapping[int, Proposal]) -> Iterator[dict[str, Any]]:
        """Yield the headers that fit another target as well as the proposed one."""
        for position, proposal in proposals.items():
            if rivals := proposal.rivals:
                names = [proposal.best.target, *(each.target for each in rivals)]
                header = self._headers[position]
                text = f"{header!r} may mean {' or '.join(names)}."
                yield ambiguity(header, text, names)

    def _context(self, staging: Staging, assigned: Assigned) -> Context:
        batch = Batch(
            organization=self._organization,
            resource=self._spec.resource,
            request={},
            spec=self._spec.to_json(),
            action=self._spec.action,
            mode=self._spec.mode,
            via=Via.FILE,
            expires_at=timezone.now(),
        )
        # Rolled back with everything else: nobody sees it.
        batch.save()
        repeated = assigned.ignores_repeated
        return Context(batch, self._spec, self._resource, staging, ignores_repeated=repeated)

    def _validated_rows(self, context: Context, assigned: Assigned) -> list[dict[str, Any]]:
        """Return the first rows; none if columns are missing, or contradict each other.

        Raises ApiError if the batch would fail, and rolls its staging tables back.
        """
        if any(each.code is not BatchErrorCode.UNKNOWN_COLUMN for each in assigned.problems):
            create_errors(self._cursor, context)
            return []
        forms = cell_forms(self._input, len(assigned.targets))
        with atomic(self._cursor):
            validated = validate(self._cursor, context, assigned.targets, forms)
        return read_rows(self._cursor, validated, MAX_ROWS)


def _problems(error: ApiError) -> list[dict[str, Any]]:
    """Return the problems of an error as a preview lists them."""
    found = [Problem(error.code, "", None, error.message, None)]
    if isinstance(error, InvalidInput):
        found = list(error.problems)
    return [problem.as_json() for problem in found]


def _column(header: str, target: Target | None, proposal: Proposal | None) -> dict[str, Any]:
    described: dict[str, Any] = {"header": header, "target": target.name if target else None}
    if proposal:
        alternatives = [
            {"target": each.target, "score": each.score} for each in proposal.alternatives
        ]
        described |= {"score": proposal.best.score, "reason": proposal.best.reason}
        described |= {"alternatives": alternatives}
    return described
