"""The base of the REST API: views, errors, pagination, idempotency and OpenAPI."""
