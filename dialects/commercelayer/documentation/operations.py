"""Describes the operations of views."""

from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from dialects.commercelayer.documentation.schemas import Schema, ref
from dialects.commercelayer.errors import MEDIA_TYPE
from dialects.commercelayer.queries import PAGES, Kind
from dialects.commercelayer.tokens import SCOPE
from longshore.api.openapi import IDEMPOTENCY_PARAMETERS, extend_schema

Operations = dict[str, Callable[[Any], Any]]

_ERRORS = {
    400: "A parameter or the body is malformed.",
    401: "The token is missing, invalid or expired, or its API key lacks the scope.",
    404: "There is no such object in the organization.",
    405: "The endpoint does not support this method.",
    406: f"The Accept header does not allow {MEDIA_TYPE}.",
    409: "An equal object exists, or the Idempotency-Key was used with another body.",
    413: "The body is too large.",
    415: f"The body is not sent as {MEDIA_TYPE}.",
    422: "An attribute is not valid; `meta.error` names the test that failed.",
    429: "Too many requests, or too many unfinished jobs. Try again after Retry-After.",
    431: "The headers are too large.",
    500: "An unexpected error.",
    503: "The server is overloaded, or the storage is unavailable.",
    504: "The request took too long.",
}
_OF_BODIES = (409, 413, 415, 422)


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Access tokens of `/oauth/token`."""

    target_class = "dialects.commercelayer.authentication.AccessTokenAuthentication"
    name = "AccessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> Schema:
        scopes = {SCOPE: "All data of the organization, within the scopes of the API key."}
        flow = {"tokenUrl": "/oauth/token", "scopes": scopes}
        return {"type": "oauth2", "flows": {"clientCredentials": flow}}


class DocumentSchema(AutoSchema):
    """Describes views whose lists are documents, not arrays."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False


def operation(
    operation_id: str,
    *,
    tag: str,
    summary: str,
    description: str,
    status: int = 200,
    response: str = "",
    request: str = "",
    parameters: Sequence[OpenApiParameter] = (),
) -> Callable[[Any], Any]:
    """Describe a method of a view.

    status, response, request: of a success; names of components, "" for no body.
    """
    body = OpenApiResponse(ref(response), summary) if response else OpenApiResponse(None, summary)
    success: Any = {(status, MEDIA_TYPE): body} if response else {status: body}
    errors = {
        (code, MEDIA_TYPE): OpenApiResponse(ref("errors"), text)
        for code, text in _ERRORS.items()
        if request or code not in _OF_BODIES
    }
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description,
        request={MEDIA_TYPE: ref(request)} if request else None,
        parameters=list(parameters),
        responses={**success, **errors},
    )


def operations(
    kind: Kind[Any], noun: str, *, create: str = "", update: str = "", delete: str = ""
) -> Operations:
    """Describe the actions of the viewset of a kind; arguments of `extend_schema_view`.

    noun: singular name. create, update, delete: descriptions, "" for an action it does not have.
    """
    name, one = kind.name, f"{'an' if noun[0] in 'aeiou' else 'a'} {noun.replace('_', ' ')}"
    plural = name.replace("_", " ")
    shown = _object_parameters(kind)
    found: Operations = {
        "list": operation(
            f"list_{name}",
            tag=name,
            summary=f"List {plural}",
            description=f"Returns a page of the organization's {plural}, the newest first.",
            response=f"{name}List",
            parameters=_list_parameters(kind),
        ),
        "retrieve": operation(
            f"get_{noun}",
            tag=name,
            summary=f"Retrieve {one}",
            description=f"Returns {one} of the organization.",
            response=f"{name}Document",
            parameters=shown,
        ),
    }
    if create:
        found["create"] = operation(
            f"create_{noun}",
            tag=name,
            summary=f"Create {one}",
            description=create,
            status=201,
            response=f"{name}Document",
            request=f"{noun}Create",
            parameters=[*shown, *IDEMPOTENCY_PARAMETERS],
        )
    if update:
        found["partial_update"] = operation(
            f"update_{noun}",
            tag=name,
            summary=f"Update {one}",
            description=update,
            response=f"{name}Document",
            request=f"{noun}Update",
            parameters=shown,
        )
    if delete:
        found["destroy"] = operation(
            f"delete_{noun}", tag=name, summary=f"Delete {one}", description=delete, status=204
        )
    return found


def related_operation(of: str, relation: str, kind: Kind[Any], folder: str) -> Callable[[Any], Any]:
    """Describe the list of the related objects of one object.

    of: the type of the object. folder: the part of the address before the relation.
    """
    name, words = folder.rstrip("/"), relation.replace("_", " ")
    return operation(
        "_".join(filter(None, ["list", of, relation, name])),
        tag=of,
        summary=f"List the {words} of one of the {of}" + (" (relationship)" if folder else ""),
        description=f"Returns a page of the {words}, the newest first.",
        response=f"{kind.name}List",
        parameters=_list_parameters(kind),
    )


def _list_parameters(kind: Kind[Any]) -> list[OpenApiParameter]:
    """Return the parameters of a list of a kind."""
    sizes = {"type": "integer", "minimum": 1, "maximum": PAGES.max_size, "default": 10}
    predicates = {"type": "object", "additionalProperties": {"type": "string"}}
    return [
        OpenApiParameter(
            PAGES.number,
            {"type": "integer", "minimum": 1, "default": 1},
            description="The page, from 1.",
        ),
        OpenApiParameter(PAGES.size, sizes, description="Objects of a page."),
        OpenApiParameter(
            "sort",
            OpenApiTypes.STR,
            description=f"Attributes separated by commas, `-` for descending: {_list(kind)}.",
        ),
        OpenApiParameter(
            "filter[q]",
            predicates,
            style="deepObject",
            explode=True,
            description="`filter[q][<attribute>_<matcher>]`, such as `filter[q][id_in]`, with the "
            f"matchers of docs/filters.md. Attributes: {_list(kind)}.",
        ),
        *_object_parameters(kind),
    ]


def _list(kind: Kind[Any]) -> str:
    return ", ".join(f"`{name}`" for name in kind.sortable)


def _object_parameters(kind: Kind[Any]) -> list[OpenApiParameter]:
    fields = OpenApiParameter(
        f"fields[{kind.name}]",
        OpenApiTypes.STR,
        description="The attributes and relationships to return, separated by commas.",
    )
    if not kind.includable:
        return [fields]
    include = OpenApiParameter(
        "include", OpenApiTypes.STR, enum=[*kind.includable], description="Related objects."
    )
    return [include, fields]
