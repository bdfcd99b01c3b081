"""Errors of an input as a whole. Errors of single rows are in the table `Staging.malformed`."""

from batches.errors import BatchErrorCode
from longshore.api.errors import BaseErrorCode


class InputError(Exception):
    """The input cannot be read.

    code: INVALID_INPUT_FILE, AMBIGUOUS_INPUT, EMPTY_INPUT, or INVALID_REQUEST if the request does
        not fit the input.
    message: one or two sentences.
    """

    def __init__(
        self, message: str, code: BaseErrorCode = BatchErrorCode.INVALID_INPUT_FILE
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def empty_input(message: str = "The file has no rows.") -> InputError:
    return InputError(message, BatchErrorCode.EMPTY_INPUT)
