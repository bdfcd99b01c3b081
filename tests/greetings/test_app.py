"""An app with a kind of job of its own needs no change of settings, addresses or schedules."""

import pytest

from tests.domains.test_removal import database, installed

__all__ = ["database"]


@pytest.mark.slow
def test_an_installed_app_adds_a_kind_of_job(database: str) -> None:
    found = installed(database, "tests.greetings", program="tests.greetings.trial")
    assert found == {
        "created": 201,
        "text": "Dear Ada",
        "events": ["queued", "processing", "completed"],
        "completed": 1,
        "canceled": 409,
        "deleted": 204,
        "tasks": [f"greetings.{name}" for name in ("discard", "expire", "purge", "recover", "run")],
        "scheduled": ["Expire greetings", "Purge greetings", "Recover greetings"],
        "metrics": [
            "longshore_greetings",
            "longshore_greetings_ended",
            "longshore_greeting_rows",
            "longshore_greeting_bytes",
            "longshore_greeting_seconds",
        ],
        "described": True,
    }
