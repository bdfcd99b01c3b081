"""Tags in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin
from longshore.domains.commerce.models import (
    Tag,
)


@admin.register(Tag)
class TagAdmin(CommerceAdmin):
    search_fields = ("name",)
