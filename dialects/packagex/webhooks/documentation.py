"""The operations on webhooks in the description of the dialect."""

from dialects.packagex import documentation
from dialects.packagex.documentation import BOOLEAN, STRING, TIME, nullable, record
from dialects.packagex.parameters import pages
from longshore.api.body.declaration import Body
from longshore.api.body.schema import serializer_class
from webhooks.errors import WebhookErrorCode
from webhooks.parsing import SUBSCRIPTION_CHANGE, SUBSCRIPTION_REQUEST

TAG = "Webhooks"
PAGE_PARAMETERS = pages(25)
LIST_PARAMETERS = Body("PackageXWebhookList", "The parameters of the list of webhooks.", ())
_STRINGS = {"type": "array", "items": STRING}
# The fields of `/v1/webhooks` that a subscriber needs; the response has its other fields, too.
_WEBHOOK = record(
    {
        "id": STRING,
        "object": STRING,
        "url": {**STRING, "format": "uri"},
        "name": STRING,
        "target": STRING,
        "events": _STRINGS,
        "headers": {**_STRINGS, "description": "The names of the headers."},
        "active": BOOLEAN,
        "disabled_reason": STRING,
        "created_at": TIME,
        "updated_at": TIME,
        "paused_until": nullable(TIME),
    },
    secret={**STRING, "description": "Only in the response to the creation."},
)
_INVALID = {code.status: code.message for code in (WebhookErrorCode.TOO_MANY_SUBSCRIPTIONS,)}
webhooks = {
    "list": documentation.operation(
        "webhooks.list",
        tag=TAG,
        description="List webhooks. The oldest comes first.",
        response=documentation.enveloped(_WEBHOOK, is_list=True),
        parameters=documentation.parameters_of(LIST_PARAMETERS, PAGE_PARAMETERS),
    ),
    "create": documentation.operation(
        "webhooks.create",
        tag=TAG,
        description="Create a webhook. Its messages have the event, named `topic.action`, and the "
        "object in the words of this API. PackageX creates webhooks on its dashboard.",
        request=serializer_class(SUBSCRIPTION_REQUEST),
        response=documentation.enveloped(_WEBHOOK),
        statuses=(200, 201),
        errors=_INVALID,
        is_idempotent=True,
    ),
    "retrieve": documentation.operation(
        "webhooks.retrieve",
        tag=TAG,
        description="Retrieve a webhook. Its secret is not shown again.",
        response=documentation.enveloped(_WEBHOOK),
        errors=documentation.NOT_FOUND,
    ),
    "partial_update": documentation.operation(
        "webhooks.update",
        tag=TAG,
        description="Change a webhook. Fields that the request does not have stay as they are.",
        request=serializer_class(SUBSCRIPTION_CHANGE),
        response=documentation.enveloped(_WEBHOOK),
        errors={**documentation.NOT_FOUND, **_INVALID},
    ),
    "destroy": documentation.operation(
        "webhooks.delete",
        tag=TAG,
        description="Delete a webhook. Its pending messages are not sent.",
        response=documentation.enveloped(record({"id": STRING})),
        errors=documentation.NOT_FOUND,
    ),
}
