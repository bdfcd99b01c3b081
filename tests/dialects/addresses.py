"""The addresses of dialects, found through their URL patterns, so that new ones need no list."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from dialects.base.apps import DialectConfig

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Address:
    """template: as API descriptions write it, `/api/exports/{id}`. view: the callable."""

    template: str
    view: Any

    @property
    def has_parameters(self) -> bool:
        return _PARAMETER.search(self.template) is not None

    @property
    def media_type(self) -> str:
        """The media type of the bodies that the view expects first."""
        return str(self.view.cls.parser_classes[0].media_type)

    @property
    def collection(self) -> str:
        """The address of the list of its objects: `/api/exports` of `/api/exports/{id}/events`."""
        return self.template.partition("/{")[0]

    @property
    def needs_key(self) -> bool:
        """Whether an API key authenticates, rather than a signature or the body."""
        return bool(self.view.cls.permission_classes)

    def path(self, value: str) -> str:
        """Return the path with this value of each parameter."""
        return _PARAMETER.sub(value, self.template)


def addresses(dialect: DialectConfig) -> list[Address]:
    """Return all addresses of a dialect."""
    prefixes = tuple(dialect.dialect_urls)
    return [
        address
        for resolver in get_resolver().url_patterns
        if isinstance(resolver, URLResolver) and str(resolver.pattern) in prefixes
        for address in _below(str(resolver.pattern), resolver)
    ]


def _below(prefix: str, resolver: URLResolver) -> Iterator[Address]:
    for each in resolver.url_patterns:
        pattern = f"{prefix}{each.pattern}"
        if isinstance(each, URLResolver):
            yield from _below(pattern, each)
        elif isinstance(each, URLPattern):
            template = simplify_regex(pattern).rstrip("/")
            yield Address(template.replace("<", "{").replace(">", "}"), each.callback)
