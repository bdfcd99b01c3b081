"""docs/webhooks.md: its statements are true."""

from tests.test_docs import DOCS, table
from webhooks import models, network, parsing, signing_secrets, subscriptions
from webhooks.events import EventType
from webhooks.lifecycle import pauses, results

PAGE = DOCS / "webhooks.md"


def test_the_table_of_events_is_complete() -> None:
    assert [row[0].strip("`") for row in table("webhooks.md", "Event")] == EventType.values


def test_the_table_of_members_is_complete() -> None:
    named = [row[0].strip("`") for row in table("webhooks.md", "Field")]
    assert set(named) == set(parsing.SUBSCRIPTION_REQUEST.names)


def test_documented_numbers_equal_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text().split())
    delays = [delay.total_seconds() for delay in results.DELAYS]
    words = {"5 seconds": 5, "30 seconds": 30, "3 minutes": 180, "18 minutes": 1080}
    assert all(word in text for word in words)
    assert delays[: len(words)] == list(words.values())
    assert "2 hours, 11 hours and then every 20 hours" in text
    assert [round(delay / 3600) for delay in delays[4:]] == [2, 11, 20, 20, 20]
    assert "attempts over three days" in text
    assert 3 <= sum(delays) / 86_400 < 3.5
    for words_of, number in {
        "up to {} attempts": len(results.DELAYS) + 1,
        "After {} consecutive failures, or five days": pauses.MAX_FAILURES,
        "within {} seconds": int(network.TIMEOUT_SECONDS),
        "newest {} attempts": models.MAX_SHOWN_ATTEMPTS,
        "a name of your own, up to {} characters": models.MAX_NAME_CHARACTERS,
        "up to {} subscriptions": subscriptions.MAX_SUBSCRIPTIONS,
        "up to {} headers to send with every delivery": parsing.MAX_HEADERS,
        "of {} to": signing_secrets.MIN_BYTES,
        "to {} bytes": signing_secrets.MAX_BYTES,
    }.items():
        assert words_of.format(number) in text, words_of
    assert pauses.MAX_FAILURE_AGE.days == 5
    assert subscriptions.OVERLAP.total_seconds() == 24 * 3600
