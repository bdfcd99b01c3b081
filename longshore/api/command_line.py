"""Parts of management commands that take the place of requests: arguments, errors and signals."""

import signal
import sys
from argparse import Action, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from django.core.management.base import CommandError, CommandParser, DjangoHelpFormatter
from django.db import OperationalError

from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.api.suggestions import did_you_mean

# As argparse exits after invalid arguments.
USAGE = 2
# Slugs that are offered, and compared with a wrong one.
_MAX_SLUGS = 1000


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Keeps the lines of the examples."""


def offer(action: Action, values: Callable[[], Iterable[str]]) -> None:
    """Let the completion of the shell offer values.

    Unlike `choices`, it does not check them: the parser of requests does, with better messages.
    """
    # argcomplete reads this attribute.
    action.completer = lambda **_: values()  # type: ignore[attr-defined]


def add_organization(parser: CommandParser) -> None:
    """Add the argument that `find_organization` reads."""
    offer(parser.add_argument("--organization", required=True, metavar="SLUG"), _slugs)


def _slugs() -> list[str]:
    """Return slugs of organizations; none if the database does not run."""
    with suppress(OperationalError):
        return list(Organization.objects.values_list("slug", flat=True)[:_MAX_SLUGS])
    return []


def find_organization(slug: str) -> Organization:
    """Return the organization of a slug. Raises CommandError."""
    try:
        return Organization.objects.get(slug=slug)
    except Organization.DoesNotExist:
        text = f"{slug!r} is not the slug of an organization{did_you_mean(slug, _slugs())}"
        raise CommandError(text, returncode=USAGE) from None


def invalid_arguments(invalid: InvalidInput) -> CommandError:
    """Return the error of a command whose arguments are an invalid request, a line per problem."""
    lines = []
    for problem in invalid.problems:
        accepted = problem.accepted
        text = ", ".join(accepted) if isinstance(accepted, list) else accepted
        lines.append(f"{problem.field}: {problem.message} (accepted: {text})")
    return CommandError("\n".join(lines), returncode=USAGE)


@contextmanager
def exit_codes_of_signals() -> Iterator[None]:
    """Exit with the code of a shell, without a traceback, when a signal stops the command."""
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    """Run every `finally`, which the default action of the signal would skip."""
    sys.exit(128 + number)
