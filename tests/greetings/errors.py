from longshore.api.errors import BaseErrorCode


class GreetingErrorCode(BaseErrorCode):
    TOO_MANY_GREETINGS = (
        "too_many_greetings",
        429,
        "The organization has too many unfinished greetings.",
    )
