"""A list for each resource; every address with or without a slash at its end."""

from django.urls import re_path

from longshore.resources.api.views import RecordList
from longshore.resources.registry import registry

urlpatterns = [
    re_path(
        rf"^{resource.plural}/?$",
        RecordList.of(resource).as_view(),
        name=f"list-{resource.plural}",
    )
    for resource in registry
]
