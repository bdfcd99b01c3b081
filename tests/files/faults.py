"""Storages that damage what they save, as a failing disk or bucket would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from longshore.files.storage.local import LocalStorage
from longshore.files.storage.s3 import BucketStorage

Damage = Callable[[bytes], bytes]

# Damage that storages and checksums detect themselves.
CHANGES: dict[str, Damage] = {
    "truncated": lambda content: content[:-1],
    "last byte changed": lambda content: content[:-1] + b"!",
    "first byte changed": lambda content: b"!" + content[1:],
}
# The size of the file reveals bytes after its end.
DAMAGES = CHANGES | {"byte appended": lambda content: content + b"!"}


class DamagingDisk(LocalStorage):
    """Damages every window that begins at `first_byte` or later, once it is on disk."""

    def __init__(
        self, damage: Damage, window_bytes: int = 1 << 20, first_byte: int = 0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.window_bytes = window_bytes
        self._damage = damage
        self._first_byte = first_byte

    def flush_to_disk(self, file: int, start: int, end: int) -> None:
        super().flush_to_disk(file, start, end)
        if start >= self._first_byte:
            for path in Path(self.location).rglob("*"):
                if path.is_file():
                    content = path.read_bytes()
                    path.write_bytes(content[:start] + self._damage(content[start:end]))


class DamagingBucket(BucketStorage):
    """Damages every object once it is in the bucket."""

    def __init__(self, damage: Damage, **options: Any) -> None:
        super().__init__(**options)
        self._damage = damage

    def _save(self, name: str, content: Any) -> str:
        saved: str = super()._save(name, content)
        stored = self.bucket.Object(saved)
        stored.put(Body=self._damage(stored.get()["Body"].read()))
        return saved
