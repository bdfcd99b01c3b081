"""JSON logs: one object per line, with its context and without secrets."""

import io
import json
import logging
import logging.config
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

import pytest
from celery import current_app
from celery.contrib.testing.worker import start_worker
from django.conf import settings
from django.db import connections
from django.test import Client
from structlog.contextvars import clear_contextvars

from exports.execution import runner, writer
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from exports_project.logs import LineFormatter, logging_config
from tests.conftest import KeyClient
from tests.exports.conftest import finished, wait_for

Lines = Callable[[], list[dict[str, Any]]]
logger = logging.getLogger("tests.logs")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """The log lines of the test, as `LOG_FORMAT=json` writes them."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, before = root.handlers[:], root.level, settings.LOGGING
    clear_contextvars()
    config = logging_config("json", "INFO")
    config["handlers"]["console"]["stream"] = stream
    # A starting worker reconfigures logging.
    monkeypatch.setattr(settings, "LOGGING", config)
    logging.config.dictConfig(config)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(False)
    logging.config.dictConfig(before)
    root.handlers, root.level = handlers, level
    clear_contextvars()


def create(client: KeyClient) -> Export:
    response = client.post("/v1/exports", {"resource": "contact"})
    assert response.status_code == 201, response.content
    return Export.objects.get(public_id=response.json()["id"])


def test_every_line_is_a_json_object(lines: Lines) -> None:
    logger.info("%s rows", 3, extra={"request": "kept out"})
    [line] = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {"message": "3 rows", "level": "info", "logger": "tests.logs"}


def test_a_traceback_is_one_line_without_values_of_variables(lines: Lines) -> None:
    key = "hush"
    try:
        int(key[:0])
    except ValueError:
        logger.exception("It went\nwrong: %r", object)
    [line] = lines()
    assert line["message"].startswith("It went\nwrong")
    assert "Traceback" in line["exception"]
    assert "ValueError" in line["exception"]
    assert "hush" not in json.dumps(line)


def test_control_characters_are_escaped_in_plain_lines() -> None:
    formatter = LineFormatter("{levelname} {message}", style="{")
    try:
        raise ValueError("one\nINFO forged")
    except ValueError:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "a\r\nINFO %s", ("\x1b[31m\x9b\u2028é",), sys.exc_info()
        )
    first, *traceback = formatter.format(record).split("\n")
    assert first == r"ERROR a\r\nINFO \x1b[31m\x9b\u2028é"
    assert all(line.startswith("  ") for line in traceback)
    assert traceback[-1] == "  INFO forged"


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_request_have_its_id_and_organization(alice: KeyClient, lines: Lines) -> None:
    headers = {"X-Request-ID": "from-the-proxy-7"}
    response = alice.get("/v1/exports?cursor=nonsense", headers=headers)
    assert response["X-Request-ID"] == "from-the-proxy-7"
    # gunicorn logs after the response.
    logging.getLogger("gunicorn.access").info("GET /v1/exports 400")
    assert [line["logger"] for line in lines()] == ["django.request", "gunicorn.access"]
    for line in lines():
        assert line["request_id"] == "from-the-proxy-7"
        assert line["organization"] == alice.api_key.organization_id


@pytest.mark.django_db
def test_the_context_of_a_request_is_cleared_for_the_next(
    alice: KeyClient, client: Client, lines: Lines
) -> None:
    first = alice.get("/v1/exports?cursor=nonsense")["X-Request-ID"]
    second = client.get("/nothing")["X-Request-ID"]
    assert len({first, second}) == 2
    of_first, of_second = lines()
    assert (of_first["request_id"], of_second["request_id"]) == (first, second)
    assert "organization" in of_first
    assert "organization" not in of_second


@pytest.mark.parametrize("sent", ["", "a b", 'x","level":"error', "é", "x" * 65])
def test_an_invalid_request_id_is_replaced(client: Client, sent: str) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": sent})
    assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])
    clear_contextvars()


@pytest.mark.django_db(transaction=True)
def test_lines_of_a_request_contain_neither_key_nor_body(alice: KeyClient, lines: Lines) -> None:
    body = {"resource": "contact", "options": {"q": "a-secret-word", "stauts": "a-secret-word"}}
    assert alice.post("/v1/exports", body).status_code == 400
    assert lines()
    for secret in ("a-secret-word", alice.key):
        assert secret not in json.dumps(lines())


@pytest.mark.django_db(transaction=True)
def test_lines_of_an_attempt_have_its_export_and_organization(
    alice: KeyClient, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of both threads of the attempt, and Celery's line about an unexpected error."""
    write_files = writer.write_files

    def log_and_write(*arguments: Any) -> Any:
        logger.info("from the thread that writes")
        return write_files(*arguments)

    def lost(*_: Any) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr(runner, "write_files", log_and_write)
    written, unsure = create(alice), create(alice)
    with start_worker(current_app, perform_ping_check=False, pool="solo", queues="large,quick"):
        wait_for(lambda: finished(written) and finished(unsure))
        monkeypatch.setattr(export_lifecycle, "complete_with_files", lost)
        uncertain = create(alice)
        wait_for(lambda: any(line["logger"] == "celery.app.trace" for line in lines()))
    connections.close_all()
    for export in (written, unsure, uncertain):
        about = [line for line in lines() if line.get("export") == export.public_id]
        assert {line["organization"] for line in about} == {alice.api_key.organization_id}
        names = {line["logger"] for line in about}
        assert names >= {"tests.logs"}
        assert ("celery.app.trace" in names) == (export == uncertain)
        assert ("longshore.jobs.runner" in names) == (export != uncertain)
    of_runs = [
        line for line in lines() if line["logger"] in ("longshore.jobs.runner", "tests.logs")
    ]
    assert all("export" in line for line in of_runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "line"),
        ({"LOG_FORMAT": "json"}, "json"),
        ({"DATABASE_URL": "postgres://db/name"}, "json"),
        ({"DATABASE_URL": "postgres://db/name", "DEBUG": "true"}, "line"),
        ({"DATABASE_URL": "postgres://db/name", "LOG_FORMAT": "line"}, "line"),
        ({"LOG_FORMAT": "xml"}, 'LOG_FORMAT is "xml", but must be json or line.'),
    ],
)
def test_the_default_format_is_json_in_production_and_line_elsewhere(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ({"SECRET_KEY": token_hex(25)} | environment).items():
        monkeypatch.setenv(name, value)
    process = subprocess.run(
        [sys.executable, "-c", "from exports_project.settings import LOG_FORMAT as f; print(f)"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (process.stdout or process.stderr).rstrip().endswith(expected)
