"""Describes the bodies of requests about subscriptions in the OpenAPI schema."""

from longshore.api.body.schema import serializer_class
from webhooks.parsing import (
    RECOVERY_REQUEST,
    SECRET_REQUEST,
    SUBSCRIPTION_CHANGE,
    SUBSCRIPTION_REQUEST,
)

SubscriptionChangeSerializer = serializer_class(SUBSCRIPTION_CHANGE)
SubscriptionRequestSerializer = serializer_class(SUBSCRIPTION_REQUEST)
SecretRequestSerializer = serializer_class(SECRET_REQUEST)
RecoveryRequestSerializer = serializer_class(RECOVERY_REQUEST)
