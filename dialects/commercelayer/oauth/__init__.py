"""`/oauth/token`: access tokens for API keys."""
