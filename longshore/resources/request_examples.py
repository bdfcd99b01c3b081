"""Examples of requests for exports, shown in the API's description.

An installed app declares its examples in a module `request_examples.py`, so that the description
names only resources that exist.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from longshore.resources.registry import registry

# The resource of the example in docs/resources.md, for a project that has none yet.
_UNREGISTERED = ("booking", "bookings")


@dataclass(frozen=True)
class RequestExample:
    """A request for an export.

    title, summary: texts in the API's description; titles are unique.
    body: the valid JSON body of the request.
    """

    title: str
    summary: str
    body: Mapping[str, Any]


class RequestExamples:
    """The declared examples, in the order of their declaration."""

    def __init__(self) -> None:
        self._declared: list[RequestExample] = []

    def register(self, *examples: RequestExample) -> None:
        self._declared.extend(examples)

    def __iter__(self) -> Iterator[RequestExample]:
        """Iterate over the examples; without any, over one of the first registered resource."""
        if self._declared or not registry.names():
            yield from self._declared
        else:
            name, plural = sample_resource()
            yield RequestExample("All records", f"All {plural}", {"resource": name})


request_examples = RequestExamples()


def sample_resource() -> tuple[str, str]:
    """Return the name and the plural of the resource that examples of responses show."""
    resource = next(iter(registry), None)
    return (resource.name, resource.plural) if resource else _UNREGISTERED
