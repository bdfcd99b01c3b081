"""Organizations, API keys, authentication, throttling and the audit log."""
