"""Admin of webhook subscriptions, events and deliveries."""

from webhooks.admin import deliveries, events, organizations, subscriptions

__all__ = ["deliveries", "events", "organizations", "subscriptions"]
