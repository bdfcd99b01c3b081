"""Error codes of webhooks."""

from longshore.api.errors import BaseErrorCode


class WebhookErrorCode(BaseErrorCode):
    """The codes of subscriptions and deliveries."""

    INVALID_TARGET = "invalid_target", 400, "Webhooks cannot be sent to this target."
    INVALID_EVENT = "invalid_event", 400, "Unknown event."
    INVALID_HEADER = "invalid_header", 400, "Webhooks cannot be sent with this header."
    INVALID_SECRET = "invalid_secret", 400, "Malformed secret."
    DUPLICATE_SUBSCRIPTION = "duplicate_subscription", 409, "An identical subscription exists."
    SUBSCRIPTION_INACTIVE = "subscription_inactive", 409, "The subscription is not active."
    TOO_MANY_SUBSCRIPTIONS = (
        "too_many_subscriptions",
        422,
        "The maximum number of subscriptions is reached.",
    )
