"""Logging: one line per event on standard error, for people or as JSON for machines."""

import logging
import re
from typing import Any

import structlog

# What others log through the standard library becomes the same; nothing of `extra` does, which
# holds whole requests and the arguments of tasks.
_JSON = {
    "()": structlog.stdlib.ProcessorFormatter,
    "foreign_pre_chain": [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # As text: the other form holds the values of variables.
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
    """Show control characters as Python does, `\\n` and `\\x1b`."""
    return _CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


class LineFormatter(logging.Formatter):
    """Writes a message as one line, and a traceback indented below it.

    A path or a value in a message may hold line breaks, which would forge lines, and codes that
    a terminal obeys.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = _escape(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"  {_escape(line)}" for line in lines)


_LINE = {"()": LineFormatter, "fmt": "{asctime} {levelname} {name} {message}", "style": "{"}


def logging_config(form: str, level: str) -> dict[str, Any]:
    """The `LOGGING` of a form, "json" or "line"."""
    # Python writes warnings on lines of its own.
    logging.captureWarnings(form == "json")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": _LINE, "json": _JSON},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form}},
        "root": {"level": level, "handlers": ["console"]},
        "loggers": {
            # Django's own handlers would say everything twice.
            "django": {"handlers": [], "propagate": True},
            # Every task would be four lines, a schedule's every few seconds.
            "celery.beat": {"level": "WARNING"},
            # Every request with its address, in which others may keep a secret.
            "httpx": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
