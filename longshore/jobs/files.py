"""Names and links of the files of jobs, and the files behind links that Longshore itself serves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any, Generic, TypeVar, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from longshore.api.errors import ApiError, BaseErrorCode
from longshore.api.links import absolute
from longshore.files import signed_links
from longshore.files.signed_links import InvalidLink
from longshore.files.storage import file_storage
from longshore.files.storage.base import LinkTarget
from longshore.jobs.models import Job, JobFile

F = TypeVar("F", bound=JobFile)
# Begins the identifiers of links to all files of a job. No public id begins with it.
_ZIP_PREFIX = "zip:"


def zip_name(job: Job) -> str:
    """Return the name of the archive of all files of a job."""
    return f"{job.public_id}.zip"


def name_suffix(job: Job) -> str:
    """Return the part of the names of a job's files that tells jobs apart.

    Such as `20241225T143000Z-z0abcd`: the time of the job's creation, and the end of its id.
    """
    return f"{job.created_at:%Y%m%dT%H%M%SZ}-{job.public_id[-6:]}"


@dataclass(frozen=True)
class FileLinks(Generic[F]):
    """The links of the files of one kind of job. They work for EXPORT_LINK_SECONDS.

    model: of the files.
    job: the name of its foreign key to the job, and of the job in errors.
    view_name: of the view that serves a file; its argument is the file's name.
    zip_view_name: of the view that serves all files of a job; its argument is the archive's name.
    expired: the code of the API's error for files that have been deleted.
    """

    model: type[F]
    job: str
    view_name: str
    zip_view_name: str
    expired: BaseErrorCode

    def url(self, file: F, request: HttpRequest | None = None) -> tuple[str, datetime]:
        """Return the presigned URL of a file, and the time when it expires.

        request: supplies the host of the URL if Longshore serves the file; None for that of
            BASE_URL.
        """
        seconds: int = settings.EXPORT_LINK_SECONDS
        expires_at = timezone.now() + timedelta(seconds=seconds)
        target = LinkTarget(
            key=file.storage_key,
            filename=file.name,
            content_type=file.content_type,
            url=absolute(reverse(self.view_name, args=[file.name]), request),
            identifier=f"{self._job_of(file).public_id}/{file.name}",
        )
        return file_storage.link(target, seconds), expires_at

    def open(self, signature: str) -> tuple[F, IO[bytes]]:
        """Open the file of a link that Longshore serves. Raises InvalidLink."""
        identifier = signed_links.verify(signature, settings.EXPORT_LINK_SECONDS)
        public_id, _, name = identifier.partition("/")
        job = self._visible_job(public_id)
        file = job.files.filter(name=name).first() if job else None
        if file is None:
            raise InvalidLink(expired=False)
        if job.expired:
            raise InvalidLink(expired=True)
        try:
            return file, file_storage.open(file.storage_key)
        except FileNotFoundError:
            raise InvalidLink(expired=True) from None

    def link_expired(self) -> ApiError:
        """Return the error for a link that was valid before."""
        text = (
            f"The link has expired. Request a new link from the {self.job} while its files exist."
        )
        return ApiError(self.expired, text)

    def zip_url(self, job: Job, request: HttpRequest | None = None) -> tuple[str, datetime]:
        """Return the signed URL of all files of a job in one archive, and when it expires.

        request: as for `url`. Longshore serves the archive, whatever the storage.
        """
        expires_at = timezone.now() + timedelta(seconds=settings.EXPORT_LINK_SECONDS)
        path = reverse(self.zip_view_name, args=[zip_name(job)])
        query = urlencode({"signature": signed_links.sign(f"{_ZIP_PREFIX}{job.public_id}")})
        return f"{absolute(path, request)}?{query}", expires_at

    def files_of_zip(self, signature: str) -> tuple[Job, list[F]]:
        """Return the job of a link to its archive, and its files. Raises InvalidLink."""
        identifier = signed_links.verify(signature, settings.EXPORT_LINK_SECONDS)
        if not identifier.startswith(_ZIP_PREFIX):
            raise InvalidLink(expired=False)
        job = self._visible_job(identifier.removeprefix(_ZIP_PREFIX))
        files = list(job.files.order_by("pk")) if job else []
        if not files:
            raise InvalidLink(expired=False)
        if job.expired or not job.has_files:
            raise InvalidLink(expired=True)
        return job, files

    def _visible_job(self, public_id: str) -> Any:
        """Return the job that the links of files need, without request and spec; None if unknown.

        Each of the two may have 256 KiB. The files of the returned job refer to it without a query.
        """
        jobs: Any = self.model._meta.get_field(self.job).related_model
        needed = ("public_id", "organization", "status", "expires_at", "has_files")
        return jobs.objects.visible().filter(public_id=public_id).only(*needed).first()

    def _job_of(self, file: F) -> Job:
        return cast("Job", getattr(file, self.job))
