"""System check: the configured storage can do what jobs need."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.files.storage import storages

from longshore.files.storage import ALIAS
from longshore.files.storage.base import FileStorage


@register
def check_storage(**_: Any) -> list[CheckMessage]:
    """Refuse storages that cannot read ranges or create download links."""
    if ALIAS not in settings.STORAGES:
        return [
            Error(
                f"STORAGES has no entry {ALIAS!r}, which holds the files of exports and batches.",
                hint="Add your own storages to those of exports_project.settings: "
                'STORAGES |= {"default": …}.',
                id="longshore_files.E002",
            )
        ]
    storage = storages[ALIAS]
    if isinstance(storage, FileStorage):
        return []
    name = f"{type(storage).__module__}.{type(storage).__qualname__}"
    return [
        Error(
            f"STORAGES[{ALIAS!r}] is {name}, which cannot read ranges or create download links.",
            hint="Set BACKEND to longshore.files.storage.local.LocalStorage, to "
            "longshore.files.storage.s3.BucketStorage (its options are those of django-storages' "
            "S3Storage), or to your own subclass of longshore.files.storage.base.FileStorage.",
            id="longshore_files.E001",
        )
    ]
