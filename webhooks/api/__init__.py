"""The REST API of webhook subscriptions and deliveries."""
