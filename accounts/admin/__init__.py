"""Access in the admin: organizations, API keys, users; and the schedules of periodic tasks."""

from accounts.admin import api_keys, organizations, schedules, users

__all__ = ["api_keys", "organizations", "schedules", "users"]
