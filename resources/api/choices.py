"""Filters of lists that take one of a few values, or several with commas between."""

from collections.abc import Mapping, Sequence

from rest_framework.request import Request

from accounts.errors import ErrorCode, Problems

_OF_EVERY_LIST = ("cursor", "limit")


def chosen(request: Request, accepted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """What the query of a request chooses by the filters that there are.

    accepted: the values of each filter. Raises InvalidInput, which names every problem.
    """
    found: dict[str, list[str]] = {}
    problems = Problems()
    for name, texts in request.query_params.lists():
        if name in _OF_EVERY_LIST:
            continue
        values = str(texts[0]).split(",")
        expected = list(accepted.get(name, [*accepted, *_OF_EVERY_LIST]))
        if name not in accepted:
            message = f"This list has no filter {name!r}"
        elif len(texts) > 1:
            message = f"{name} is given {len(texts)} times: join its values with commas"
        elif unknown := [value for value in values if value not in expected]:
            message = f"Unknown {name}: {unknown[0]}"
        else:
            found[name] = values
            continue
        problems.report(ErrorCode.INVALID_FILTER, name, texts[0], message, expected)
    if problems:
        problems.refuse()
    return found
