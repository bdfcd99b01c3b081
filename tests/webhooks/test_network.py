"""Protection against SSRF, tested with real sockets and local servers. Only DNS is a stub."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from webhooks.network import CheckedTransport, ForbiddenAddress, client

# Tests must not send to public addresses. Both addresses belong to this machine: WEBHOOK_ALLOWED_
# NETWORKS contains the first one and not the second.
ALLOWED, FORBIDDEN = "127.0.0.1", "127.0.0.2"


class Receiver(ThreadingHTTPServer):
    """Records connections and requests. Responds with 204, or as in `responses` for the path."""

    daemon_threads = True

    def __init__(self, address: str, port: int = 0) -> None:
        self.connections: list[str] = []
        self.requests: list[dict[str, str]] = []
        self.responses: dict[str, tuple[int, dict[str, str]]] = {}
        super().__init__((address, port), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.client_address[0])

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append({"path": self.path, **dict(self.headers.items())})
        status, headers = self.server.responses.get(self.path, (204, {}))
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiver(address: str, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    with Receiver(address, port) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Resolver:
    """Stub of `getaddrinfo` for `hooks.test`. Gives its results in order; repeats the last one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *results: list[str]) -> None:
        self._results = list(results)
        self._real = socket.getaddrinfo
        self.calls = 0
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != "hooks.test":
            return self._real(host, port, *args, **options)
        self.calls += 1
        result = self._results.pop(0) if len(self._results) > 1 else self._results[0]
        return [found for ip in result for found in self._real(ip, port, type=socket.SOCK_STREAM)]


@pytest.fixture
def allowed(settings: Settings) -> Settings:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network(f"{ALLOWED}/32")]
    return settings


@pytest.fixture
def sender() -> Iterator[httpx.Client]:
    with client() as each:
        yield each


@pytest.fixture
def public() -> Iterator[Receiver]:
    with receiver(ALLOWED) as server:
        yield server


@pytest.fixture
def private(public: Receiver) -> Iterator[Receiver]:
    with receiver(FORBIDDEN, public.port) as server:
        yield server


def test_an_allowed_network_is_reached(
    allowed: Settings, sender: httpx.Client, public: Receiver
) -> None:
    assert sender.post(f"http://{ALLOWED}:{public.port}/hook", content=b"{}").status_code == 204
    [request] = public.requests
    assert request["path"] == "/hook"
    assert request["User-Agent"] == "Longshore"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1.", "127.1", "0"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    ],
)
def test_no_spelling_of_a_local_address_is_reached_without_permission(
    settings: Settings, sender: httpx.Client, public: Receiver, host: str
) -> None:
    """The connection is refused even if `check_target` was not called."""
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    with pytest.raises(httpx.TransportError) as caught:
        sender.post(f"http://{host}:{public.port}/", content=b"{}")
    # Some systems do not resolve some of the spellings.
    assert isinstance(caught.value, ForbiddenAddress) or "no address" in str(caught.value)
    assert not public.connections


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "169.254.169.254", "100.64.0.1", "0.1.2.3", "224.0.0.1", "127.0.0.2"),
        *("::1", "::", "fe80::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "::ffff:10.0.0.1"),
        *("2002:7f00:1::1", "::127.0.0.2", "ff02::1", "fec0::1"),
    ],
)
def test_a_name_with_a_forbidden_address_is_refused_without_naming_the_address(
    allowed: Settings, sender: httpx.Client, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    Resolver(monkeypatch, [address])
    with pytest.raises(ForbiddenAddress) as caught:
        sender.post("http://hooks.test/", content=b"{}")
    assert address not in str(caught.value)


def test_one_forbidden_address_among_allowed_ones_refuses_the_connection(
    allowed: Settings,
    sender: httpx.Client,
    public: Receiver,
    private: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Resolver(monkeypatch, [ALLOWED, FORBIDDEN])
    with pytest.raises(ForbiddenAddress):
        sender.post(f"http://hooks.test:{public.port}/", content=b"{}")
    assert not public.connections + private.connections


def test_dns_rebinding_has_no_effect(
    allowed: Settings,
    sender: httpx.Client,
    public: Receiver,
    private: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The name is resolved once, and the connection is made to the checked address."""
    resolver = Resolver(monkeypatch, [ALLOWED], [FORBIDDEN])
    url = f"http://hooks.test:{public.port}/"
    assert sender.post(url, content=b"{}").status_code == 204
    assert (resolver.calls, len(public.connections), private.connections) == (1, 1, [])
    assert public.requests[0]["Host"] == f"hooks.test:{public.port}"


def test_each_new_connection_is_checked(
    allowed: Settings,
    sender: httpx.Client,
    public: Receiver,
    private: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reused connection is not checked again; a new one is."""
    resolver = Resolver(monkeypatch, [ALLOWED], [FORBIDDEN])
    url = f"http://hooks.test:{public.port}/"
    for _ in range(3):
        assert sender.post(url, content=b"{}").status_code == 204
    assert (resolver.calls, len(public.connections)) == (1, 1)
    public.responses["/"] = (204, {"Connection": "close"})
    assert sender.post(url, content=b"{}").status_code == 204
    with pytest.raises(ForbiddenAddress):
        sender.post(url, content=b"{}")
    assert (resolver.calls, private.connections) == (2, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(
    allowed: Settings, sender: httpx.Client, public: Receiver, private: Receiver, status: int
) -> None:
    location = f"http://{FORBIDDEN}:{private.port}/secrets"
    public.responses["/"] = (status, {"Location": location})
    response = sender.post(f"http://{ALLOWED}:{public.port}/", content=b"{}")
    assert response.status_code == status
    assert not private.connections


def test_proxies_of_the_environment_are_not_used(
    allowed: Settings, public: Receiver, private: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{FORBIDDEN}:{private.port}")
    with client() as sender:
        assert sender.post(f"http://{ALLOWED}:{public.port}/", content=b"{}").status_code == 204
    assert (len(public.connections), private.connections) == (1, [])


def test_cookies_are_not_kept(allowed: Settings, sender: httpx.Client, public: Receiver) -> None:
    public.responses["/"] = (204, {"Set-Cookie": "session=1"})
    for _ in range(2):
        sender.post(f"http://{ALLOWED}:{public.port}/", content=b"{}")
    assert ["Cookie" in request for request in public.requests] == [False, False]


@pytest.mark.slow
def test_an_unresponsive_address_leaves_time_for_the_next_one(
    settings: Settings, sender: httpx.Client, public: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    Resolver(monkeypatch, [FORBIDDEN, ALLOWED])
    with (
        socket.create_server((FORBIDDEN, public.port), backlog=0) as silent,
        # Fills the accept queue: further connections get no response.
        socket.create_connection(silent.getsockname()),
    ):
        began = time.monotonic()
        url = f"http://hooks.test:{public.port}/"
        assert sender.post(url, content=b"{}", timeout=10).status_code == 204
        assert time.monotonic() - began > 4


def test_a_name_without_an_address_is_a_connection_error(
    allowed: Settings, sender: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, [])
    with pytest.raises(httpx.ConnectError, match="no address"):
        sender.post("http://hooks.test/", content=b"{}")


def test_a_hanging_resolver_is_a_connection_timeout(
    allowed: Settings, sender: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: time.sleep(60))
    began = time.monotonic()
    with pytest.raises(httpx.ConnectTimeout, match="not resolved in time"):
        sender.post("http://hooks.test/", content=b"{}", timeout=0.2)
    assert time.monotonic() - began < 30


def test_errors_of_httpcore_become_errors_of_httpx(
    allowed: Settings, sender: httpx.Client, public: Receiver
) -> None:
    with socket.socket() as unused:
        unused.bind((ALLOWED, 0))
        with pytest.raises(httpx.ConnectError):
            sender.post(f"http://{ALLOWED}:{unused.getsockname()[1]}/", content=b"{}")
    public.responses["/"] = (200, {"Content-Length": "5"})  # But no body follows.
    with pytest.raises(httpx.ReadTimeout):
        sender.post(f"http://{ALLOWED}:{public.port}/", content=b"{}", timeout=0.2)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of hooks.test, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "hooks.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-days", "1", "-nodes", "-subj", "/CN=hooks.test"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-addext", "subjectAltName=DNS:hooks.test", "-keyout", path, "-out", f"{path}.crt"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiver(ALLOWED, tls=context) as server:
        yield server


def test_an_untrusted_certificate_is_refused(
    allowed: Settings, sender: httpx.Client, secure: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, [ALLOWED])
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        sender.post(f"https://hooks.test:{secure.port}/", content=b"{}")
    assert not secure.requests


def test_a_certificate_must_match_the_name_not_the_address(
    allowed: Settings, secure: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, [ALLOWED])
    trusted = ssl.create_default_context(cafile=certificate)
    with httpx.Client(transport=CheckedTransport(trusted)) as sender:
        url = f"https://hooks.test:{secure.port}/"
        assert sender.post(url, content=b"{}").status_code == 204
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            sender.post(f"https://{ALLOWED}:{secure.port}/", content=b"{}")
    assert len(secure.requests) == 1
