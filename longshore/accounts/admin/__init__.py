"""Admin of organizations, API keys, users, the audit log and periodic tasks."""

from longshore.accounts.admin import (
    api_keys,
    audit,
    organization_sections,
    organizations,
    schedules,
    users,
)

__all__ = ["api_keys", "audit", "organization_sections", "organizations", "schedules", "users"]
