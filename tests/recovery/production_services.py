"""The stack with the services of production: RabbitMQ, PgBouncer and a read replica."""

import re
import secrets
import signal
from pathlib import Path

from exports_project import embedded
from exports_project.embedded import servers
from tests.recovery.services import PgBouncer, RabbitMQ, Replica, find
from tests.recovery.stack import BASE_DIR, Stack

_DOCS = BASE_DIR / "docs" / "operations.md"


class ProductionStack(Stack):
    """A stack with RabbitMQ, PgBouncer and a read replica.

    Without RabbitMQ, Valkey is the broker; without PgBouncer, connections are direct. The pool
    `longshore` leads to the primary, the pool `replica` to the replica.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        super().__init__(folder, rows, "tests.recovery.short_delays")
        self.replica = Replica(folder)
        rabbitmq, pgbouncer = find("rabbitmq-server"), find("pgbouncer")
        self._rabbitmq = RabbitMQ(folder, rabbitmq) if rabbitmq else None
        self._pgbouncer = PgBouncer(folder, pgbouncer, documented()) if pgbouncer else None
        self._environment |= {
            "EXPORT_DATABASE_URL": self.replica.url,
            "EXPORT_REPLICA_FALLBACK": "true",
        }
        if self._rabbitmq:
            self._environment |= {
                "BROKER_URL": self._rabbitmq.url,
                "CACHE_URL": embedded.cache_url(folder),
            }
        if self._pgbouncer:
            self._environment |= {
                "DATABASE_URL": self._pgbouncer.url("longshore"),
                "EXPORT_DATABASE_URL": self._pgbouncer.url("replica"),
                "SECRET_KEY": secrets.token_urlsafe(50),
                "HTTPS": "false",
            }

    def start_servers(self) -> None:
        self.start_database()
        self._start("replica", self.replica.running())
        self.let_conflict(False)
        self.start_pooler()
        if self._rabbitmq:
            self._start("cache", servers.valkey(self.folder, durable=False))
        self.start_broker()

    def start_pooler(self) -> None:
        if self._pgbouncer:
            primary = f"host={embedded.socket_dir(self.folder)}"
            databases = {"longshore": primary, "replica": self.replica.server}
            self._start("pooler", self._pgbouncer.running(databases))

    @property
    def pool_url(self) -> str:
        """Return the URL of the pool of the primary."""
        assert self._pgbouncer
        return self._pgbouncer.url("longshore")

    def stop_pooler(self) -> None:
        self._stop("pooler", signal.SIGINT)

    def start_broker(self) -> None:
        if self._rabbitmq:
            self._start("broker", self._rabbitmq.running())
        else:
            super().start_broker()

    def let_conflict(self, wanted: bool) -> None:
        """Let the replica cancel queries that conflict with changes of the primary, or not."""
        self.replica.set("hot_standby_feedback", "off" if wanted else "on")
        self.replica.set("max_standby_streaming_delay", "100ms" if wanted else "-1")

    def set_fallback(self, allowed: bool) -> None:
        """Restart the worker with another EXPORT_REPLICA_FALLBACK."""
        self.kill("worker")
        self._environment["EXPORT_REPLICA_FALLBACK"] = str(allowed)
        self.start("worker")


def documented() -> str:
    """Return the settings of PgBouncer that the documentation recommends."""
    found = re.search(r"\[pgbouncer\]\n(.*?)```", _DOCS.read_text(), re.DOTALL)
    assert found
    return found.group(1)
