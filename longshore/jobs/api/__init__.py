"""The REST API that all kinds of job share."""
