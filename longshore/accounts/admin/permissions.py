"""Permissions of admin pages that only show records."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyPermissions:
    """Mixin of a ModelAdmin or an inline: refuses the forms that add, change or delete records."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
