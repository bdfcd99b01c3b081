"""Finds the columns that an input lacks, before any of its rows is read."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from batches.errors import BatchErrorCode
from batches.spec import Action, BatchSpec, Only
from batches.targets import Target, Targets
from longshore.api.errors import Problem
from longshore.resources.columns import Column


def find_missing(
    assigned: Sequence[Target | None], spec: BatchSpec, targets: Targets
) -> Iterator[Problem]:
    """Yield a problem for each column that the batch needs and the input does not have.

    assigned: the targets of the input's headers. A property counts as a column of every record.
    """
    given = {each.sets for each in assigned if each and not each.path}
    properties = {each.sets for name in spec.properties if (each := targets.find(name))}
    without_key = list(_missing_key(given | properties, spec, targets))
    yield from without_key
    if spec.action is not Action.DELETE:
        # Each column is reported once.
        reported = {problem.field for problem in without_key}
        yield from _missing_values(given | properties | reported, spec, targets)


def find_missing_in_parts(assigned: Sequence[Target | None], targets: Targets) -> Iterator[Problem]:
    """Yield a problem for each column that every part needs and that none has.

    assigned: the targets of the columns of parts. Parts without a key are errors of their rows.
    """
    given = {each.sets for each in assigned if each and not each.path}
    yield from _missing(targets.resource.required, given, targets)


def missing_id(targets: Targets) -> Problem:
    """Return the problem of an input without the primary key, if each row must give its own."""
    name, noun = targets.primary_key.name, targets.resource.name
    text = f"The input has no column {name}, which every new record of {noun} needs."
    return Problem(BatchErrorCode.MISSING_COLUMN, name, None, text, [name])


def _missing_key(given: Collection[str], spec: BatchSpec, targets: Targets) -> Iterator[Problem]:
    identity, key = targets.primary_key.name, [column.name for column in targets.key]
    if identity in given:
        return
    missing = [name for name in key if name not in given]
    needs_records = spec.action is Action.DELETE or spec.only is Only.UPDATE
    if not key and not needs_records:
        return
    for name in missing or ([] if key else [identity]):
        noun = "identifies" if len(key) < 2 else f"is a part of the key ({', '.join(key)}) of"
        text = f"The input has no column {name}, which {noun} a record of {spec.resource}."
        if name != identity:
            text += f" Alternatively, add a column {identity}."
        yield Problem(BatchErrorCode.MISSING_KEY, name, None, text, [identity, *key])


def _missing_values(given: Collection[str], spec: BatchSpec, targets: Targets) -> Iterator[Problem]:
    required = dict.fromkeys(targets.resource.required)
    identifies = targets.primary_key.name in given or bool(targets.key)
    if spec.only is Only.CREATE or not identifies:
        # Every record is created, so it needs the values that the model requires.
        columns = targets.resource.writable_columns.values()
        required |= dict.fromkeys(each.name for each in columns if _is_required(targets, each))
    yield from _missing(required, given, targets)


def _missing(
    required: Iterable[str], given: Collection[str], targets: Targets
) -> Iterator[Problem]:
    for name in required:
        if name not in given:
            noun = targets.resource.name
            text = f"The input has no column {name}, which every record of {noun} needs."
            yield Problem(BatchErrorCode.MISSING_COLUMN, name, None, text, [name])


def _is_required(targets: Targets, column: Column) -> bool:
    field = targets.field(column)
    return not (field.null or field.blank or field.has_default() or field.has_db_default())
