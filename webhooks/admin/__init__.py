"""Admin of webhook subscriptions, events and deliveries."""

from webhooks.admin import deliveries, events, subscriptions

__all__ = ["deliveries", "events", "subscriptions"]
