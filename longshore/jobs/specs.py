"""Versioned specs: the validated requests that are stored with jobs."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self

from longshore.api.errors import ApiError, BaseErrorCode, ErrorCode

# Maximum size of a request, and of its spec, as JSON: both are stored with the job.
MAX_REQUEST_BYTES = 256 << 10


class ObsoleteSpec(Exception):
    """A stored spec that this project does not support any more.

    details: of the error of the API.
    """

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.details = details


class UnsupportedVersion(ObsoleteSpec):
    """A stored spec has a version that this code does not read."""


@dataclass(frozen=True)
class Spec:
    """Base of the specs of one kind of job. `to_json` and `from_json` are exact inverses.

    version: of the JSON that `to_json` writes. Increase it when older code would misread new rows,
        or this code would misread older rows.
    """

    version: ClassVar[int]

    def to_json(self) -> dict[str, Any]:
        return {"version": self.version, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the spec that `to_json` stored. Raises UnsupportedVersion."""
        if (version := data.get("version")) != cls.version:
            text = (
                f"version {version!r} of the stored spec is not supported; "
                f"the supported version is {cls.version}"
            )
            raise UnsupportedVersion(text, {"version": version, "supported": cls.version})
        return cls._from_members(data)

    @classmethod
    def _from_members(cls, data: Mapping[str, Any]) -> Self:
        """Return the spec with the members of an object that `to_json` of this version wrote."""
        raise NotImplementedError


def check_size(request: Any, spec: Spec, advice: str, scope: str = "") -> None:
    """Raise ApiError if a request or its spec is too large to be stored.

    advice: the last sentence of the error.
    scope: what of the request is stored, for the error, such as ` without its records`.
    """
    for name, value in (("request", request), ("request's spec", spec.to_json())):
        used = len(json.dumps(value))
        if used > MAX_REQUEST_BYTES:
            text = (
                f"The {name} has {used:,} bytes as JSON{scope}; the limit is "
                f"{MAX_REQUEST_BYTES:,}. {advice}"
            )
            details = {"maximum": MAX_REQUEST_BYTES, "used": used}
            raise ApiError(ErrorCode.REQUEST_TOO_LARGE, text, details)


@contextmanager
def refusing_obsolete(code: BaseErrorCode, text: str) -> Iterator[None]:
    """Raise ApiError for an ObsoleteSpec that the block raises.

    text: the message, with `{}` for what the spec has that is not supported.
    """
    try:
        yield
    except ObsoleteSpec as error:
        raise ApiError(code, text.format(error), error.details) from None
