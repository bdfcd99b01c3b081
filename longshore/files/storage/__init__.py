"""Where files are kept: the one storage of the process, behind the interface `FileStorage`."""

from typing import cast

from django.core.files.storage import default_storage

from longshore.files.storage.base import FileStorage

# A system check verifies that STORAGES["default"] is a FileStorage. Django resolves the setting
# when the storage is first used, and again when a test changes it.
file_storage = cast("FileStorage", default_storage)
