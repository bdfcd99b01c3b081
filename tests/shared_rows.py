"""Rows that several tests share."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def rolled_back(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Delete the rows that are written in the block at its end, by one transaction.

    For fixtures of a module or class. Each of its tests runs in a savepoint, so it may change the
    rows. The tests must not commit.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
