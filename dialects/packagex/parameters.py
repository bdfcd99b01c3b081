"""Query parameters of lists: declared as the bodies of requests are."""

from typing import Any

from django.http import QueryDict

from dialects.base.pages import PageParameters, PageRequest
from longshore.api.body.declaration import Body, Choice, Custom
from longshore.api.errors import ErrorCode, InvalidInput, Problems, display_value
from longshore.api.pagination import MAX_PAGE_SIZE
from longshore.api.suggestions import did_you_mean
from longshore.resources.api.query import repeated_parameter
from longshore.resources.errors import ResourceErrorCode

PAGE, LIMIT = "page", "limit"
MIN_SEARCH_CHARACTERS = 2
MAX_SEARCH_WORDS = 10
_SEARCH = f"1 to {MAX_SEARCH_WORDS} words of at least {MIN_SEARCH_CHARACTERS} characters"
DIRECTION = Choice(
    "direction",
    "The direction of `order_by`.",
    choices=["asc", "desc"],
    default="asc",
    code=ResourceErrorCode.INVALID_ORDERING,
)


def _read_search(value: Any, path: str, problems: Problems) -> list[str]:
    words = str(value).lower().split()
    is_short = any(len(word) < MIN_SEARCH_CHARACTERS for word in words)
    if is_short or not 0 < len(words) <= MAX_SEARCH_WORDS:
        text = f"{path} must be {_SEARCH}, not {display_value(value)}."
        problems.report(ResourceErrorCode.INVALID_FILTER, path, value, text, _SEARCH)
    return words


SEARCH = Custom(
    "search",
    "Words of the id, the metadata or the error. Each must occur.",
    schema={"type": "string", "minLength": MIN_SEARCH_CHARACTERS},
    accepts=_SEARCH,
    hook=_read_search,
)


def pages(limit: int) -> PageParameters:
    """Return the parameters `page` and `limit`. limit: the default."""
    return PageParameters(PAGE, LIMIT, limit, MAX_PAGE_SIZE)


def any_of(name: str, help_text: str, *choices: str) -> Custom:
    """Return a parameter that takes one or more of the choices, separated by commas."""

    def read(value: Any, path: str, problems: Problems) -> list[str]:
        given = str(value).split(",")
        for each in dict.fromkeys(given):
            if each not in choices:
                hint = did_you_mean(each, choices)
                text = f"{display_value(each)} is not a value of {path}{hint}"
                code = ResourceErrorCode.INVALID_FILTER
                problems.report(code, path, value, text, [*choices])
        return given

    return Custom(
        name,
        f"{help_text} One or more of {', '.join(f'`{each}`' for each in choices)}, separated by "
        "commas.",
        schema={"type": "string"},
        accepts=f"one or more of {', '.join(choices)}, separated by commas",
        hook=read,
    )


def order_by(*choices: str, default: str) -> Choice:
    return Choice(
        "order_by",
        "The field to sort by.",
        choices=[*choices],
        default=default,
        code=ResourceErrorCode.INVALID_ORDERING,
    )


def boolean(name: str, help_text: str) -> Custom:
    """Return a parameter that is `true` or `false`."""

    def read(value: Any, path: str, problems: Problems) -> bool:
        if value not in ("true", "false"):
            text = f"{path} must be true or false, not {display_value(value)}."
            problems.report(ErrorCode.INVALID_REQUEST, path, value, text, ["true", "false"])
        return bool(value == "true")

    schema = {"type": "boolean"}
    return Custom(name, help_text, schema=schema, accepts="true or false", default=False, hook=read)


def read_parameters(query: QueryDict, declared: Body) -> dict[str, Any]:
    """Return the parameters of a request without pages. Raises InvalidInput with every problem."""
    problems = Problems()
    values = declared.read(read_once(query, problems), problems)
    if problems:
        problems.refuse()
    return values


def read_list(
    query: QueryDict, page_parameters: PageParameters, declared: Body
) -> tuple[PageRequest, dict[str, Any]]:
    """Return the page that a request asks for, and its other parameters.

    Raises InvalidInput with every problem.
    """
    problems = Problems()
    values = read_once(query, problems)
    others = {name: text for name, text in values.items() if name not in (PAGE, LIMIT)}
    read = declared.read(others, problems)
    page = read_page(values, page_parameters, problems)
    if problems or page is None:
        problems.refuse()
    return page, read


def read_once(query: QueryDict, problems: Problems) -> dict[str, str]:
    """Return the parameters by name; report those that are set several times."""
    for name, texts in query.lists():
        if len(texts) > 1:
            text = repeated_parameter(name, len(texts))
            problems.report(ErrorCode.INVALID_REQUEST, name, texts, text, "one value")
    return {name: str(text) for name, text in query.dict().items()}


def read_page(
    values: dict[str, str], page_parameters: PageParameters, problems: Problems
) -> PageRequest | None:
    """Return the page; None if its parameters are invalid, after reporting them."""
    try:
        return page_parameters.read(values)
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
        return None
