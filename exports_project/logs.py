"""Logging: one line per event on standard error, for people or as JSON for machines."""

import logging
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
_LINE = {"format": "{asctime} {levelname} {name} {message}", "style": "{"}


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
