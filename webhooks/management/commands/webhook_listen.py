"""`manage.py webhook_listen`: a local receiver that verifies and prints deliveries."""

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

from webhooks.events import EventType

VARIABLE = "WEBHOOK_SECRET"
_MAX_BODY_BYTES = 2**20


class Command(BaseCommand):
    help = "Receive webhooks on this machine, verify their signatures and print them."
    requires_system_checks = []  # noqa: RUF012

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=int, default=9000, help="port on 127.0.0.1 (default: 9000)"
        )
        parser.add_argument(
            "--secret",
            default=os.environ.get(VARIABLE, ""),
            help=f"signing secret of the subscription, whsec_… (default: ${VARIABLE})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            webhook = Webhook(options["secret"])
        except (binascii.Error, ValueError, EmptyWebhookSecretError):
            raise CommandError(
                "Give the signing secret of the subscription, whsec_ followed by Base64: "
                f"--secret whsec_…, or {VARIABLE} in the environment."
            ) from None
        try:
            receiver = Receiver(options["port"], webhook, self)
        except (OSError, OverflowError) as error:
            raise CommandError(f"Cannot listen on port {options['port']}: {error}.") from None
        # Shells ignore SIGINT for background jobs and end them by SIGTERM: handle both.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        with receiver:
            address = f"http://127.0.0.1:{receiver.server_address[1]}/"
            self.say(f"Listening on {address} Press Ctrl-C to stop.")
            try:
                receiver.serve_forever()
            except KeyboardInterrupt:
                self.say(f"\nStopped. Verified messages: {len(receiver.received)}.")

    def say(self, *lines: str) -> None:
        """Print lines in one write: the threads of other requests print too."""
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
    """Responds with 204 to messages that the secret has signed, and with 400 to all others.

    Repeats the token of a `webhook.challenge`, so that the subscription is verified.

    received: ids of the verified messages, to recognize duplicates.
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
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self._refuse(f"The body has no Content-Length or exceeds {_MAX_BODY_BYTES:,} bytes.")
            return
        content = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self.server.webhook.verify(content, headers)
        except WebhookVerificationError as error:
            self._refuse(f"{error}.")
        except ValueError:
            self._refuse("The signature or the body is malformed.")
        else:
            webhook_id = headers["webhook-id"]
            is_duplicate = webhook_id in self.server.received
            self.server.received.add(webhook_id)
            note = "verified, duplicate" if is_duplicate else "verified"
            self.server.command.show(webhook_id, body, note)
            if challenge := _challenge(body):
                self._respond(HTTPStatus.OK, challenge.encode())
            else:
                self._respond(HTTPStatus.NO_CONTENT)

    def _refuse(self, reason: str) -> None:
        self.server.command.refuse(reason)
        self.close_connection = True  # The rest of the body is not read.
        self._respond(HTTPStatus.BAD_REQUEST)

    def _respond(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the command prints the messages."""


def _challenge(message: Any) -> str:
    """Return the token that a verified message asks the receiver to repeat, or ""."""
    match message:
        case {"type": EventType.WEBHOOK_CHALLENGE, "data": {"challenge": str(token)}}:
            return token
    return ""


def _printable(text: str) -> str:
    """Replace control characters, which could move the cursor of the terminal."""
    return "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
