"""Downloads that continue after an interruption and verify checksums."""

import hashlib
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from longshore_client.errors import LongshoreError
from longshore_client.transport import Transport

# Longshore and S3 refuse an expired link with one of these.
EXPIRED_LINK_STATUSES = {400, 403, 404, 410}


def download_files(
    transport: Transport, path: str, files: list[dict[str, Any]], target: Path
) -> Path:
    """Download the files of an export. See `Export.download`. path: of the export in the API."""
    sums = {file["name"]: file["sha256"] for file in files}
    if target.suffix == ".zip":
        link = partial(transport.request, "GET", f"{path}/zip")
        _download(transport, lambda: link()["url"], target, lambda part: _archived(part) == sums)
        return target
    if len(sums) > 1:
        target.mkdir(parents=True, exist_ok=True)
    folder = target if target.is_dir() else None
    for index, (name, sha256) in enumerate(sums.items()):
        # The server chose the name, which must not lead out of the folder.
        target = folder / Path(name).name if folder else target
        if not (target.is_file() and _has_sum(sha256, target)):
            link = partial(_link, transport, path, index)
            _download(transport, link, target, partial(_has_sum, sha256))
    return folder if folder and len(sums) > 1 else target


def _download(
    transport: Transport, link: Callable[[], str], target: Path, is_valid: Callable[[Path], bool]
) -> None:
    """Download to a temporary name, and rename the complete file. link: returns a new link."""
    part, etag = (target.with_name(target.name + end) for end in (".part", ".part.etag"))
    failures, may_renew, size = 0, True, 0
    while (failure := _transfer(transport.http, link(), part, etag)) is not None:
        if etag.exists() and part.exists() and part.stat().st_size > size:
            failures, may_renew, size = 0, True, part.stat().st_size
        if may_renew and getattr(failure, "status_code", 0) in EXPIRED_LINK_STATUSES:
            may_renew = False
            continue
        transport.pause(failures, failure)
        failures += 1
    valid = is_valid(part)
    etag.unlink(missing_ok=True)
    if not valid:
        part.unlink()
        raise LongshoreError("checksum_mismatch", f"{target.name} was damaged in transit.")
    part.replace(target)


def _transfer(
    http: httpx.Client, url: str, part: Path, etag: Path
) -> httpx.Response | httpx.TransportError | None:
    """Append the missing bytes to a partial file; begin again if the server's file is another.

    Returns what has stopped the transfer; None at the end of the file.
    """
    headers = {"Accept-Encoding": "identity"}
    if part.exists() and etag.exists():
        headers |= {"Range": f"bytes={part.stat().st_size}-", "If-Range": etag.read_text()}
    try:
        with http.stream("GET", url, headers=headers) as response:
            if response.status_code == 416:
                # The partial file has all bytes.
                return None
            if not response.is_success:
                response.read()
                return response
            if response.status_code != 206:
                etag.unlink(missing_ok=True)
                part.write_bytes(b"")
                # Only a strong ETag is valid in If-Range.
                if response.headers.get("ETag", "").startswith('"'):
                    etag.write_text(response.headers["ETag"])
            with part.open("ab") as file:
                for block in response.iter_raw():
                    file.write(block)
    except httpx.TransportError as error:
        return error
    return None


def _link(transport: Transport, path: str, index: int) -> str:
    """Return a new link to a file of an export."""
    return str(transport.request("GET", f"{path}/download")["files"][index]["url"])


def _has_sum(sha256: str, path: Path) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def _archived(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in an archive; nothing if it is not a valid archive."""
    sums = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                with archive.open(name) as file:
                    sums[name] = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except zipfile.BadZipFile:
        return {}
    return sums
