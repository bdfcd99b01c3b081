"""The file of a batch, which a request has as a data URL or names by a public URL."""

import base64
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath
from typing import Any, NoReturn

import httpx

from dialects.packagex.batches.parameters import DATA, FILE, FILE_ACCEPTED, KEEP
from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems
from longshore.api.multipart import FilePart, file_name
from webhooks import deadline, network
from webhooks.targets import InvalidTarget, check_target

# A client waits for the response.
_DOWNLOAD_SECONDS = 30
# PackageX documents no name for the file. These are accepted.
_NAMES = (FILE, DATA)


def file_of(body: dict[str, Any]) -> FilePart | None:
    """Remove from a request what only PackageX knows; return its file, None without one.

    Raises InvalidInput for an invalid value, and ApiError if a URL does not return a file.
    """
    problems = Problems()
    for field in KEEP:
        if field.name in body:
            field.read(body.pop(field.name), field.name, problems)
    if problems:
        problems.refuse()
    for name in _NAMES:
        if isinstance(body.get(name), str):
            text = body.pop(name)
            return _decoded(name, text) if text.startswith("data:") else _remote(name, text)
    return None


def _decoded(field: str, text: str) -> FilePart:
    head, comma, content = text.partition(",")
    media_type, *options = head.removeprefix("data:").split(";")
    if not comma or options[-1:] != ["base64"]:
        _refuse(field, text, f"{field} is not a data URL with base64.")
    try:
        decoded = base64.b64decode(content, validate=True)
    except ValueError as error:  # Also of text that is not ASCII.
        _refuse(field, text, f"{field} is not valid base64: {error}.")
    extension = "csv" if media_type in ("", "text/csv", "text/plain") else "xlsx"
    return FilePart(f"upload.{extension}", iter([decoded]))


def _remote(field: str, url: str) -> FilePart:
    try:
        check_target(url)
    except InvalidTarget as error:
        _refuse(field, url, str(error).replace("target", "URL"))
    return FilePart(file_name(PurePosixPath(httpx.URL(url).path).name), _download(field, url))


def _download(field: str, url: str) -> Iterator[bytes]:
    """Yield the blocks of a file. The caller bounds its size.

    The client connects to public addresses only, and follows no redirects.
    """
    try:
        with deadline.within(_DOWNLOAD_SECONDS), _client().stream("GET", url) as response:
            if not response.is_success:
                _refuse(field, url, f"The URL responded with {response.status_code}.")
            yield from response.iter_raw()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        _refuse(field, url, f"The file could not be read: {type(error).__name__}: {error}")


@cache
def _client() -> httpx.Client:
    """Return the client of this process, which reuses connections. Created after the fork."""
    return network.client()


def _refuse(field: str, value: str, text: str) -> NoReturn:
    raise InvalidInput(
        Problem(ErrorCode.INVALID_REQUEST, field, value, text, FILE_ACCEPTED)
    ) from None
