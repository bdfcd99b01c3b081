"""The bytes behind signed links: files in a local folder, and ZIP archives of any storage."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar

from django.http import FileResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header
from rest_framework import status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from longshore.api.errors import ApiError, ErrorCode
from longshore.api.views import ApiView
from longshore.files.ranges import FileRange, RangeNotSatisfiable, parse_range
from longshore.files.read_ahead import ReadAhead, TooManyOpen
from longshore.files.signed_links import InvalidLink
from longshore.files.storage import file_storage
from longshore.files.zip_archive import ZipMember, unique_names, zip_blocks, zip_size
from longshore.jobs.files import FileLinks, zip_name
from longshore.jobs.models import Job, JobFile


class FileNegotiation(BaseContentNegotiation):
    """Ignore the Accept header: a file has one media type."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class SignedView(ApiView):
    """Base of the views that a signature authenticates, not an API key."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = FileNegotiation


class SignedFileView(SignedView):
    """Base of the view of one kind of job.

    A subclass states `links`, and documents `get`, which calls `serve`.
    """

    links: ClassVar[FileLinks[Any]]

    def serve(self, request: Request) -> HttpResponseBase:
        """Return the file, or the range of it that the request names. Raises ApiError."""
        with _refusing_invalid(self.links):
            file, content = self.links.open(request.query_params.get("signature", ""))
        try:
            byte_range = parse_range(_range(request, file), file.bytes)
        except RangeNotSatisfiable:
            content.close()
            error = range_not_satisfiable(file.bytes)
            headers = {"Content-Range": f"bytes */{file.bytes}"}
            return Response(error.as_json(), error.status, headers=headers)
        body = FileRange(content, byte_range) if byte_range else content
        # The web server reads the file itself: a slow reader holds no thread.
        response = FileResponse(body, content_type=file.content_type)
        response["Content-Length"] = str(len(byte_range) if byte_range else file.bytes)
        if byte_range:
            response.status_code = status.HTTP_206_PARTIAL_CONTENT
            response["Content-Range"] = (
                f"bytes {byte_range.start}-{byte_range.stop - 1}/{file.bytes}"
            )
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = _etag(file)
        response["Content-Disposition"] = content_disposition_header(True, file.name)
        return response


class SignedZipView(SignedView):
    """Base of the view of all files of a job of one kind in one ZIP archive.

    A subclass states `links`, and documents `get`, which calls `serve`. It needs
    no range: the size of the archive is known, and the files have links of their own.
    """

    links: ClassVar[FileLinks[Any]]

    def serve(self, request: Request) -> HttpResponseBase:
        """Return the archive. Raises ApiError."""
        with _refusing_invalid(self.links):
            job, files = self.links.files_of_zip(request.query_params.get("signature", ""))
        names = unique_names(file.name for file in files)
        members = [_member(file, name) for file, name in zip(files, names, strict=True)]
        try:
            content = ReadAhead(zip_blocks(members), zip_size(members), job.organization_id)
        except TooManyOpen:
            raise too_many_archives() from None
        response = FileResponse(content, content_type="application/zip")
        response["Content-Disposition"] = content_disposition_header(True, zip_name(job))
        return response


def zip_link(links: FileLinks[Any], job: Job, request: Request) -> dict[str, Any]:
    """Return the response of the action that links to all files of a job."""
    url, expires_at = links.zip_url(job, request)
    return {"name": zip_name(job), "url": url, "expires_at": expires_at}


@contextmanager
def _refusing_invalid(links: FileLinks[Any]) -> Iterator[None]:
    """Raise the error of the API for an InvalidLink."""
    try:
        yield
    except InvalidLink as link:
        raise (links.link_expired() if link.expired else ApiError(ErrorCode.NOT_FOUND)) from None


def _member(file: JobFile, name: str) -> ZipMember:
    read = partial(file_storage.read_range, file.storage_key, 0, file.bytes)
    return ZipMember(name, file.bytes, timezone.now(), read)


def too_many_archives() -> ApiError:
    text = "Too many archives are being downloaded. Try again when one of the downloads has ended."
    return ApiError(ErrorCode.TOO_MANY_REQUESTS, text)


def range_not_satisfiable(size: int) -> ApiError:
    text = f"The file has {size} bytes. The requested range lies outside of it."
    return ApiError(ErrorCode.RANGE_NOT_SATISFIABLE, text, {"bytes": size})


def _etag(file: JobFile) -> str:
    return f'"{file.sha256}"'


def _range(request: Request, file: JobFile) -> str:
    """Return the Range header, or "" if If-Range names another version of the file."""
    condition = request.headers.get("If-Range", _etag(file))
    return request.headers.get("Range", "") if condition == _etag(file) else ""
