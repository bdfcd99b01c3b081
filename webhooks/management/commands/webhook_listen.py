"""`manage.py webhook_listen`: a receiver on this machine, to see what is delivered."""

import binascii
import json
import os
import signal
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now
from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

VARIABLE = "WEBHOOK_SECRET"
_MAX_BYTES = 2**20


class Command(BaseCommand):
    help = "Receive webhooks on this machine, verify them, and print them."
    requires_system_checks = []  # noqa: RUF012

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=9000, help="of 127.0.0.1 (9000)")
        parser.add_argument(
            "--secret",
            default=os.environ.get(VARIABLE, ""),
            help=f"the subscription's, whsec_…; or set {VARIABLE}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            webhook = Webhook(options["secret"])
        except (binascii.Error, ValueError, EmptyWebhookSecretError):
            raise CommandError(
                "Give the subscription's secret, whsec_ and Base64: "
                f"--secret whsec_…, or {VARIABLE} in the environment."
            ) from None
        try:
            receiver = Receiver(options["port"], webhook, self)
        except (OSError, OverflowError) as error:
            raise CommandError(f"Cannot listen on port {options['port']}: {error}.") from None
        # A shell ignores Ctrl-C for what it runs in the background, and ends that by SIGTERM.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        with receiver:
            self.say(f"Listening on http://127.0.0.1:{receiver.server_address[1]}/, until Ctrl-C.")
            try:
                receiver.serve_forever()
            except KeyboardInterrupt:
                self.say(f"\nStopped: {len(receiver.received)} received.")

    def say(self, *lines: str) -> None:
        """In one piece, whatever else speaks."""
        self.stdout.write("\n".join(lines))
        self.stdout.flush()

    def show(self, webhook_id: str, body: Any, note: str) -> None:
        event = str(body.get("type", "")) if isinstance(body, dict) else ""
        text = json.dumps(body, indent=2, ensure_ascii=False)
        self.say(
            "",
            f"{now():%H:%M:%S}  {self.style.SUCCESS(_printable(event))}  {note}",
            _printable(webhook_id),
            *map(_printable, text.split("\n")),
        )

    def refuse(self, reason: str) -> None:
        self.say("", f"{now():%H:%M:%S}  {self.style.ERROR('refused')}  {reason}")


class Receiver(ThreadingHTTPServer):
    """Answers 204 to what is signed with the secret, and 400 to all else.

    received: the ids of what was verified; one that comes again is said to be a repetition.
    """

    daemon_threads = True

    def __init__(self, port: int, webhook: Webhook, command: Command) -> None:
        self.webhook, self.command = webhook, command
        self.received: set[str] = set()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver
    timeout = 60

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BYTES:
            self._refuse(f"A body without a length, or of more than {_MAX_BYTES:,} bytes.")
            return
        content = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self.server.webhook.verify(content, headers)
        except WebhookVerificationError as error:
            self._refuse(f"{error}.")
        except ValueError:
            self._refuse("A signature or a body that cannot be read.")
        else:
            webhook_id = headers["webhook-id"]
            again = webhook_id in self.server.received
            self.server.received.add(webhook_id)
            self.server.command.show(webhook_id, body, "verified, again" if again else "verified")
            self._answer(HTTPStatus.NO_CONTENT)

    def _refuse(self, reason: str) -> None:
        self.server.command.refuse(reason)
        self.close_connection = True  # The rest of the body is not read.
        self._answer(HTTPStatus.BAD_REQUEST)

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", "0")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What is received is printed by the command."""


def _printable(text: str) -> str:
    """A line without what moves a terminal's cursor."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
