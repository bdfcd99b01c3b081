"""Webhooks: subscriptions, events and their delivery."""
