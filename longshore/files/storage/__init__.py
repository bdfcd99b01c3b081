"""Where files are kept: the one storage of the process, behind the interface `FileStorage`.

The storage is STORAGES["longshore"]. STORAGES["default"] is free for the files of a project.
"""

from typing import Any, cast

from django.core.files.storage import storages
from django.core.signals import setting_changed
from django.utils.functional import LazyObject, empty

from longshore.files.storage.base import FileStorage

ALIAS = "longshore"


class _ConfiguredStorage(LazyObject):  # type: ignore[type-arg]
    """The storage of the setting, resolved when it is first used."""

    def _setup(self) -> None:
        self._wrapped = storages[ALIAS]


_configured = _ConfiguredStorage()
# A system check verifies that it is a FileStorage.
file_storage = cast("FileStorage", _configured)


def _resolve_again(*, setting: str, **_: Any) -> None:
    """Resolve the setting again after a test has changed it."""
    if setting == "STORAGES":
        _configured._wrapped = empty  # type: ignore[assignment]


setting_changed.connect(_resolve_again, dispatch_uid="longshore.files.storage")
