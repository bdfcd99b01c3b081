"""Errors of the web server. Importable before Django's apps are loaded."""

from longshore.api.errors import ApiError, ErrorCode


def body_too_large(maximum: int) -> ApiError:
    """Return the error for a body of more than `maximum` bytes."""
    text = f"The body is larger than {maximum} bytes."
    return ApiError(ErrorCode.REQUEST_TOO_LARGE, text, {"maximum": maximum})


def multipart_too_large(maximum: int) -> ApiError:
    """Return the error for a request with a file, of more than `maximum` bytes."""
    text = (
        f"The body is larger than {maximum:,} bytes. Set upload to true in a request without the "
        "file, and send the file to the link of the response."
    )
    return ApiError(ErrorCode.REQUEST_TOO_LARGE, text, {"maximum": maximum})


def headers_too_large(maximum: int) -> ApiError:
    """Return the error for headers and a request line of more than `maximum` bytes together."""
    text = f"The request line and the headers are larger than {maximum} bytes."
    return ApiError(ErrorCode.HEADERS_TOO_LARGE, text, {"maximum": maximum})


def overloaded() -> ApiError:
    text = "The server is receiving too many request bodies at the same time. Try again."
    return ApiError(ErrorCode.OVERLOADED, text)
