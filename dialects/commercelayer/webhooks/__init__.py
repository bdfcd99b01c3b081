"""`/api/webhooks`: subscriptions, their events and deliveries, and what deliveries contain."""
