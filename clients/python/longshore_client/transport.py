"""Requests to the API: API key, retries, idempotency keys and cursors."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, BinaryIO
from uuid import uuid4

import httpx

from longshore_client.errors import LongshoreError, error_of

RETRIED_STATUSES = {429, 502, 503, 504}
MAX_BACKOFF_SECONDS = 30


class Transport:
    """Sends requests, and again after failures: each must be idempotent or have a key.

    http: does not contain the API key, because links of files may lead to other hosts.
    """

    def __init__(
        self, base_url: str, api_key: str, timeout: float, max_retries: int, max_wait: float
    ) -> None:
        self.http = httpx.Client(timeout=timeout)
        self._base_url, self._api_key = base_url.rstrip("/"), api_key
        self._max_retries, self._max_wait = max_retries, max_wait

    def request(self, method: str, path: str, key: str = "", **content: Any) -> Any:
        """Return the JSON of the response; None without a body. Raises LongshoreError.

        key: the Idempotency-Key.
        content: arguments of httpx, such as `json`.
        """
        headers = {"Authorization": f"Bearer {self._api_key}"}
        if key:
            headers["Idempotency-Key"] = key
        for attempt in count():
            try:
                url = self._base_url + path
                response = self.http.request(method, url, headers=headers, **content)
            except httpx.TransportError as error:
                self.pause(attempt, error)
                continue
            if response.is_success:
                return response.json() if response.content else None
            if method == "DELETE" and attempt and response.status_code == 404:
                # An earlier attempt deleted the object, and its response was lost.
                return None
            self.pause(attempt, response)

    def create(self, path: str, key: str | None = None, **content: Any) -> Any:
        """Send a POST with an Idempotency-Key, by default a random one."""
        return self.request("POST", path, key or str(uuid4()), **content)

    def put(
        self, url: str, headers: dict[str, str], file: BinaryIO
    ) -> httpx.Response | httpx.TransportError | None:
        """Send a file to a link once, without the API key. Returns a failure, or None."""
        try:
            response = self.http.put(url, headers=headers, content=file)
        except httpx.TransportError as error:
            return error
        return None if response.is_success else response

    def pages(self, path: str, params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list, page by page."""
        while True:
            page = self.request("GET", path, params=params)
            yield from page["results"]
            if not page["next"]:
                return
            params = params | {"cursor": httpx.URL(page["next"]).params["cursor"]}

    def pause(self, attempt: int, failure: httpx.Response | httpx.TransportError) -> None:
        """Wait before the next attempt; raise LongshoreError if the failure is final.

        attempt: the number of attempts that failed before this one.
        """
        wait = min(MAX_BACKOFF_SECONDS, 2**attempt / 2) * random.uniform(0.5, 1)  # noqa: S311
        if isinstance(failure, httpx.TransportError):
            if attempt >= self._max_retries or isinstance(failure, httpx.UnsupportedProtocol):
                message = f"{type(failure).__name__}: {failure}"
                raise LongshoreError("connection_error", message) from failure
        else:
            wait = retry_after(failure) or wait
            is_retried = failure.status_code in RETRIED_STATUSES and wait <= self._max_wait
            if attempt >= self._max_retries or not is_retried:
                raise error_of(failure)
        time.sleep(wait)


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds of Retry-After, which is a number or a date; None without the header."""
    text = response.headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
