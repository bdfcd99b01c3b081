"""Reads the attributes of a webhook as the fields of a subscription."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from dialects.commercelayer.jobs.attributes import (
    CLIENT_ATTRIBUTES,
    naming_attributes,
    pointer,
    read_client_attributes,
    read_flag,
)
from dialects.commercelayer.names import DIALECT
from dialects.commercelayer.topics import TOPICS
from dialects.commercelayer.webhooks.rendering import DISABLED_AT
from longshore.api.errors import ErrorCode, InvalidInput, Problems, display_value
from longshore.api.suggestions import did_you_mean
from webhooks.models import Subscription
from webhooks.parsing import Values, parse_change

ENABLE, DISABLE, RESET = "_enable", "_disable", "_reset_circuit"
_FIELDS = ("name", "topic", "callback_url", "include_resources")
CREATED = (*_FIELDS, ENABLE, DISABLE, *CLIENT_ATTRIBUTES)
CHANGED = (*CREATED, RESET)
_REQUIRED = ("topic", "callback_url")
_NAMES = {"target": "callback_url", "events": "topic"}


def read_new(attributes: Mapping[str, Any]) -> Values:
    """Return the fields of a new subscription. attributes: some of `CREATED`.

    Raises InvalidInput with every problem.
    """
    problems = Problems()
    for name in _REQUIRED:
        if attributes.get(name) is None:
            text = f"{name} is required."
            problems.report(ErrorCode.INVALID_REQUEST, pointer(name), None, text)
    values, given = _values(attributes, problems)
    if attributes.get(DISABLE):
        values["active"] = False
        given[DISABLED_AT] = _now()
    return {**values, "dialect": DIALECT, "dialect_fields": given}


def read_change(attributes: Mapping[str, Any]) -> Callable[[Subscription], Values]:
    """Return a function that returns the fields to change of a webhook, whose row is locked.

    attributes: some of `CHANGED`. Raises InvalidInput with every problem.
    """
    values, given = _values(attributes, Problems())

    def changes(webhook: Subscription) -> Values:
        found = dict(values)
        stored = {**webhook.dialect_fields, **given}
        if attributes.get(ENABLE) or (attributes.get(RESET) and webhook.disabled_at):
            found["active"] = True
            stored.pop(DISABLED_AT, None)
        elif attributes.get(DISABLE):
            found["active"] = False
            if webhook.active or webhook.disabled_at:
                stored[DISABLED_AT] = _now()
        return {**found, "dialect_fields": stored}

    return changes


def _now() -> str:
    return timezone.now().isoformat()


def _values(attributes: Mapping[str, Any], problems: Problems) -> tuple[Values, dict[str, Any]]:
    """Return the fields of attributes that are given, and those that only this dialect has.

    Raises InvalidInput with every problem.
    """
    given = read_client_attributes(attributes, problems)
    for name in (ENABLE, DISABLE, RESET):
        read_flag(attributes, name, problems)
    if attributes.get(ENABLE) and attributes.get(DISABLE):
        text = f"Set one of {ENABLE} and {DISABLE}."
        problems.report(ErrorCode.INVALID_REQUEST, pointer(DISABLE), True, text, "one trigger")
    if included := attributes.get("include_resources"):
        text = "Exports and imports have no related resources to include."
        field = pointer("include_resources")
        problems.report(ErrorCode.INVALID_REQUEST, field, included, text, "an empty list")
    body: dict[str, Any] = {}
    if attributes.get("name") is not None:
        body["name"] = attributes["name"]
    if attributes.get("callback_url") is not None:
        body["target"] = attributes["callback_url"]
    topic = attributes.get("topic")
    if isinstance(topic, str) and topic in TOPICS:
        body["events"] = [each.value for each in TOPICS[topic]]
    elif topic is not None:
        hint = did_you_mean(topic, [*TOPICS]) if isinstance(topic, str) else "."
        text = f"{display_value(topic)} is not a topic{hint}"
        problems.report(ErrorCode.INVALID_REQUEST, pointer("topic"), topic, text, [*TOPICS])
    values: Values = {}
    try:
        with naming_attributes(_NAMES):
            values = parse_change(body)
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems:
        problems.refuse()
    return values, given
