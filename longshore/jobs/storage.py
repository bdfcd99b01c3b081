"""The folders of the files of a kind of job, and their deletion.

Every attempt writes into a folder of its own, `<root>/<organization>/<job>/<attempt>/`, so that an
attempt that lost its lease cannot harm the files of its successor.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from math import inf
from typing import Generic, TypeVar

from longshore.files.storage import file_storage
from longshore.jobs.models import Job

J = TypeVar("J", bound=Job)


class JobStorage(Generic[J]):
    """The files of one kind of job.

    root: the folder of all its files; kinds of job have different ones.
    model: of the jobs.
    """

    def __init__(self, root: str, model: type[J]) -> None:
        self.root = root
        self.model = model

    def organization_folder(self, organization_id: str) -> str:
        """Return the folder of all files of an organization."""
        return f"{self.root}/{organization_id}"

    def job_folder(self, organization_id: str, public_id: str) -> str:
        """Return the folder of all files of a job."""
        return f"{self.organization_folder(organization_id)}/{public_id}"

    def attempt_folder(self, job: J, claim: str) -> str:
        """Return the folder of the files of one attempt, given its token."""
        return f"{self._folder_of(job)}/{claim}"

    def file_key(self, job: J, number: int, claim: str | None = None) -> str:
        """Return the key of a file of an attempt.

        number: of the file, from 1.
        claim: the token of the attempt. Default: the current one.

        The key has no extension: some storages serve `.gz` files with `Content-Encoding: gzip`.
        """
        return f"{self.attempt_folder(job, claim or job.claims[-1])}/{number:06}"

    def delete_attempts(self, job: J, claims: Iterable[str], deadline: float = inf) -> bool:
        """Delete the files that attempts of a job wrote.

        claims: the tokens of the attempts.
        deadline: on the monotonic clock; no request is sent to the storage after it.
        Returns whether nothing is left.
        """
        folders = [self.attempt_folder(job, claim) for claim in claims]
        # A folder that cannot be deleted does not keep the others.
        deleted = [file_storage.delete_folder(folder, deadline) for folder in folders]
        if not all(deleted):
            return False
        # The folder is not empty if the job has an input, or if another attempt has begun since the
        # job was read.
        file_storage.remove_empty_folder(self._folder_of(job))
        return True

    def delete_files(self, job: J, deadline: float = inf) -> bool:
        """Delete all files of a job, its input too. Returns whether nothing is left.

        deadline: as for `delete_attempts`.
        """
        return file_storage.delete_folder(self._folder_of(job), deadline)

    def orphans(self, older_than: timedelta) -> Iterator[str]:
        """Yield the keys of files that are in no known folder of a job.

        older_than: minimum age of a file.
        """
        return file_storage.orphans(self.root, self.known_folders, older_than)

    def known_folders(self, organization_id: str) -> set[str]:
        """Return the names of the folders of all attempts of an organization's jobs.

        A kind of job whose jobs have inputs adds the names of their folders.
        """
        jobs = self.model._default_manager.filter(organization_id=organization_id)
        tokens = jobs.exclude(claims=[]).values_list("claims", flat=True)
        return {claim for claims in tokens for claim in claims}

    def _folder_of(self, job: J) -> str:
        return self.job_folder(job.organization_id, job.public_id)
