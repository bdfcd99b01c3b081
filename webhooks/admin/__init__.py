"""Webhooks in the admin: who is told, what happened, and what became of telling it."""

from webhooks.admin import deliveries, events, subscriptions

__all__ = ["deliveries", "events", "subscriptions"]
