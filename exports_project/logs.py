"""Logging: one line per event on standard error, as plain text or JSON."""

import logging
import re
from typing import Any

import structlog

# Records of the standard library get the same form. Their `extra` is left out, because it holds
# whole requests and the arguments of tasks.
_JSON = {
    "()": structlog.stdlib.ProcessorFormatter,
    "foreign_pre_chain": [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # As text: a structured traceback would hold the values of variables.
        structlog.processors.format_exc_info,
    ],
    "processors": [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _escape(text: str) -> str:
    """Escape control characters in Python's notation: `\\n`, `\\x1b`."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class LineFormatter(logging.Formatter):
    """Writes a message as one line, and its traceback indented below it.

    Escapes control characters: line breaks in a path or a value would forge log lines, and escape
    sequences would control a terminal.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = _escape(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_escape(line)}" for line in lines)


_LINE = {"()": LineFormatter, "fmt": "{asctime} {levelname} {name} {message}", "style": "{"}


def logging_config(form: str, level: str) -> dict[str, Any]:
    """Return the setting `LOGGING`. form: "json" or "line"."""
    # Python would write warnings as several lines of plain text.
    logging.captureWarnings(form == "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _LINE, "json": _JSON},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"level": level, "handlers": ["console"]},
        "loggers": {
            # Django's own handlers would log every record twice.
            "django": {"handlers": [], "propagate": True},
            # Otherwise every task writes four lines, and beat sends tasks every few seconds.
            "celery.beat": {"level": "WARNING"},
            # httpx logs the URL of every request, and a webhook's URL may contain a secret.
            "httpx": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            # At a start, the tasks that beat sent before and that have expired.
            "celery.worker.request": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
