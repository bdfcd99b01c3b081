"""The files of batches in storage, and their presigned URLs.

The input of a batch is in a folder of its own, beside those of its attempts, and never changes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from batches.errors import BatchErrorCode
from batches.models import Batch, BatchFile
from longshore.database.ids import new_id
from longshore.files.storage import file_storage
from longshore.files.verification import save_verified
from longshore.jobs.files import FileLinks
from longshore.jobs.storage import JobStorage

# The media type of every input: its format is not known when it is stored.
INPUT_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class StoredInput:
    """An input in storage: its key, size in bytes and SHA-256 in hex."""

    key: str
    bytes: int
    sha256: str

    def discard(self) -> None:
        """Delete the file: no batch uses it."""
        file_storage.delete_folder(_folder_of(self.key))


class BatchStorage(JobStorage[Batch]):
    """The files of batches: those of attempts, and inputs."""

    def new_input_key(self, organization_id: str, public_id: str) -> str:
        """Return an unused key for an input of a batch."""
        return f"{self.job_folder(organization_id, public_id)}/{new_id('input')}/data"

    def known_folders(self, organization_id: str) -> set[str]:
        batches = Batch.objects.filter(organization_id=organization_id, has_files=True)
        keys = batches.exclude(input_key=None).values_list("input_key", flat=True)
        inputs = {_folder_of(key).rpartition("/")[2] for key in keys if key}
        return super().known_folders(organization_id) | inputs


BATCH_STORAGE = BatchStorage("batches", Batch)
BATCH_FILES = FileLinks(
    BatchFile, "batch", "batch-file", "batch-zip-file", BatchErrorCode.BATCH_EXPIRED
)


def save_input(key: str, blocks: Iterable[bytes]) -> StoredInput:
    """Store an input. Raises DamagedFile, and what `blocks` raises; then nothing is left."""
    try:
        checksum = save_verified(key, blocks, INPUT_CONTENT_TYPE)
    except BaseException:
        file_storage.delete_folder(_folder_of(key))
        raise
    return StoredInput(key, checksum.size, checksum.hexdigest())


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]
