"""Celery: the broker, the queues, delivery guarantees and the schedule of beat."""

from typing import Any

from exports_project import embedded, environment, processes
from exports_project.environment import env
from exports_project.settings.base import EMBEDDED_BROKER, LOCAL_DIR

CELERY_BROKER_URL = embedded.broker_url(LOCAL_DIR) if EMBEDDED_BROKER else env("BROKER_URL")
CELERY_TIMEZONE = "UTC"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Each queue has its own worker: maintenance never waits for exports, small exports never wait for
# large ones, and none waits for webhook receivers. A worker without -Q serves all queues.
CELERY_TASK_DEFAULT_QUEUE = processes.DEFAULT_QUEUE
# The queues of a project's own tasks: name and number of tasks at a time. Each gets a worker. Tasks
# that name no queue go to the first.
PROJECT_QUEUES: dict[str, int] = {}
# Precedes the names of all queues, for a broker that other applications use too.
QUEUE_PREFIX = environment.queue_prefix("QUEUE_PREFIX")
# Acknowledge a task when it has ended: the broker redelivers the tasks of a lost worker.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kilobytes
# A running export does not need the broker, so it continues. A redelivered task does nothing.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# After SIGQUIT a worker has this time to finish its tasks; it returns the others to the queue.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
# Reconnect once, without delay: beat keeps its connection, and without a retry it would never
# publish again after a restart of the broker. More retries would delay requests; recovery enqueues
# what was not published.
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
# A worker reconnects forever.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    # Valkey redelivers an unacknowledged task after this time. If the first worker still runs it,
    # the second one does nothing.
    "visibility_timeout": 3600,
    "socket_connect_timeout": 0.3,
    # Treat a broker that hangs as down. A worker polls for one second at a time, so 3 s suffice.
    "socket_timeout": 3,
    "max_retries": 0,
    # RabbitMQ: wait for the broker's confirmation. A message that is written to a connection that
    # the broker has closed would be lost without an error.
    "confirm_publish": True,
    "read_timeout": 3,
    "write_timeout": 3,
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# The apps add their periodic tasks (`longshore.api.periodic_tasks`).
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {}
