"""The web server: slow and hostile clients, forwarded headers, log lines, ends of processes."""

import io
import json
import os
import re
import signal
import socket
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from django.db import connection, transaction

from batches.models import BatchLimits
from exports.models import Export, ExportFile
from exports_project.gunicorn import threads, workers
from longshore.accounts.models import Organization
from longshore.files.storage import file_storage
from tests.conftest import KeyClient
from tests.exports.conftest import finished, wait_for, working
from tests.exports_project.web import WebServer, web_server

pytestmark = pytest.mark.django_db(transaction=True)

MEGABYTES = 24


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: object
) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web")) as server:
        yield server


@pytest.fixture
def link(alice: KeyClient) -> Iterator[str]:
    """The path of a signed link to a file of 24 MB."""
    with working("large,quick"):
        address = alice.post("/v1/exports", {"resource": "contact"}).json()["id"]
        export = Export.objects.get(public_id=address)
        wait_for(lambda: finished(export))
    file = ExportFile.objects.get()
    with file_storage.open(file.storage_key, "wb") as opened:
        for number in range(MEGABYTES):
            opened.write(bytes([number]) * 1_000_000)
    ExportFile.objects.update(bytes=MEGABYTES * 1_000_000)
    url = urlsplit(alice.get(f"/v1/exports/{address}/download").json()["url"])
    yield f"{url.path}?{url.query}"
    file_storage.delete(file.storage_key)


@contextmanager
def clients(server: WebServer, request: str, count: int) -> Iterator[list[socket.socket]]:
    """Open connections that send a request and then do nothing."""
    with ExitStack() as stack:
        found = []
        for _ in range(count):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(server.address)
            client.sendall(request.encode())
            found.append(client)
        time.sleep(0.5)
        yield found


def descriptors(server: WebServer) -> int:
    return sum(each.num_fds() for each in psutil.Process(server.process.pid).children())


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Lock a table, so that readers wait."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.fixture
def zip_link(alice: KeyClient, link: str) -> str:
    """The path of a signed link to all files of the export of `link`."""
    address = f"/v1/exports/{Export.objects.get().public_id}/zip"
    url = urlsplit(alice.get(address).json()["url"])
    return f"{url.path}?{url.query}"


def test_an_archive_arrives_whole(server: WebServer, zip_link: str) -> None:
    response = server.get(zip_link, 60)
    assert response.headers["Content-Length"] == str(len(response.content))
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        [name] = archive.namelist()
        assert len(archive.read(name)) == MEGABYTES * 1_000_000


@pytest.mark.parametrize("kind", ["headers", "body", "download", "pipelined downloads", "archive"])
def test_slow_clients_do_not_delay_others(
    server: WebServer, alice: KeyClient, link: str, zip_link: str, kind: str
) -> None:
    head = "Host: localhost\r\nContent-Type: application/json\r\n"
    request = {
        "headers": f"GET /v1/exports HTTP/1.1\r\n{head}X-Slow: ",
        "body": f"POST /v1/exports HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\n{{",
        "download": f"GET {link} HTTP/1.1\r\n{head}\r\n",
        "archive": f"GET {zip_link} HTTP/1.1\r\n{head}\r\n",
        "pipelined downloads": f"GET {link} HTTP/1.1\r\n{head}\r\n" * 10,
    }[kind]
    before = descriptors(server)
    with clients(server, request, 100):
        # At most the socket and the downloaded file.
        assert descriptors(server) - before < 100 * 2.5
        for _ in range(10):
            assert server.get("/healthz").status_code == 200
            assert server.get("/v1/exports", PX_API_KEY=alice.key).status_code == 200


def test_probes_respond_while_every_thread_is_busy(server: WebServer, alice: KeyClient) -> None:
    busy = workers * threads * 2
    with ThreadPoolExecutor(busy) as pool:
        with locked("longshore_accounts_apikey"):
            running = [
                pool.submit(server.get, "/v1/exports", 60, PX_API_KEY=alice.key)
                for _ in range(busy)
            ]
            time.sleep(1)
            for _ in range(20):
                assert server.get("/healthz").status_code == 200
            assert server.get("/readyz").status_code == 503
            assert not any(future.done() for future in running)
        assert {future.result().status_code for future in running} == {200}


def test_a_download_is_complete_and_logged_with_its_size(server: WebServer, link: str) -> None:
    content = server.get(link).content
    assert len(content) == MEGABYTES * 1_000_000
    assert (content[0], content[-1]) == (0, MEGABYTES - 1)
    line = server.wait_for_line(f"GET {link.partition('?')[0]} 200")
    assert f"{MEGABYTES * 1_000_000} bytes in" in line
    assert "signature" not in server.log


def test_a_range_request_returns_that_range(server: WebServer, link: str) -> None:
    response = server.get(link, Range="bytes=999999-1000000")
    assert (response.status_code, response.content) == (206, b"\x00\x01")
    assert response.headers["content-length"] == "2"


@pytest.mark.parametrize("path", ["/v1/exports", "/v1/schema", "/healthz", "the link"])
def test_head_has_the_headers_of_get_and_no_body(server: WebServer, link: str, path: str) -> None:
    path = link if path == "the link" else path
    length = len(server.get(path).content)
    request = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(server.address, timeout=60) as client:
        # The client would parse a body as the start of the second response.
        client.sendall(2 * request.encode())
        received = b""
        while received.count(b"\r\n\r\n") < 2:
            received += client.recv(10_000)
    first, second, rest = received.split(b"\r\n\r\n")
    assert rest == b""
    for head in (first, second):
        assert head.startswith(b"HTTP/1.1 ")
        assert f"content-length: {length}".encode() in head.lower()


@pytest.mark.parametrize(
    ("request_line", "code", "status"),
    [
        ("GET /v1/exports?q=" + "a" * 70_000 + " HTTP/1.1", "headers_too_large", 431),
        ("GET /v1/exports no HTTP", "invalid_request", 400),
        ("get /v1/exports HTTP/1.1", "invalid_request", 400),
        (
            "POST /v1/exports HTTP/1.1\r\nContent-Length: 99999999999",
            "request_too_large",
            413,
        ),
        ("POST /v1/exports HTTP/1.1\r\nTransfer-Encoding: gzip", "invalid_request", 501),
        (
            "POST /v1/exports HTTP/1.1\r\nContent-Length: 1048577\r\nExpect: 100-continue",
            "request_too_large",
            413,
        ),
    ],
)
def test_a_request_that_waitress_refuses_gets_an_error_of_the_api(
    server: WebServer, request_line: str, code: str, status: int
) -> None:
    response = server.send(f"{request_line}\r\nHost: localhost\r\n\r\n".encode())
    assert (response.status_code, response.json()["error"]) == (status, code)
    assert set(response.json()) == {"error", "message", "details"}
    assert set(response.json()["details"]) == (
        {"maximum"} if code.endswith("_too_large") else set()
    )


@pytest.mark.parametrize(("size", "status"), [(100, 201), (2**20 + 5000, 413)])
def test_a_chunked_body_is_read_and_limited(
    server: WebServer, alice: KeyClient, size: int, status: int
) -> None:
    body = json.dumps({"resource": "contact"}).rjust(size).encode()
    pieces = b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (body[start : start + 3000] for start in range(0, len(body), 3000))
    )
    head = (
        "POST /v1/exports HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"PX-API-KEY: {alice.key}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert server.send(head.encode() + pieces + b"0\r\n\r\n").status_code == status


@pytest.mark.parametrize("start", ["1;", "0\r\n", "0\r\nX: "])
def test_chunk_extensions_and_trailers_are_limited(server: WebServer, start: str) -> None:
    head = "POST /v1/exports HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    response = server.send(f"{head}{start}{'a' * 20_000}".encode())
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "more than 4096 bytes" in response.json()["message"]


def test_a_client_that_sends_a_too_large_body_receives_the_error(server: WebServer) -> None:
    client = HTTPConnection(*server.address, timeout=60)
    with closing(client):
        client.request("POST", "/v1/exports", body=b"x" * 4_000_000)
        response = client.getresponse()
        assert response.status == 413
        assert json.load(response)["details"] == {"maximum": 2**20}


def multipart(key: str, size: int, *headers: str) -> bytes:
    """Return the head of a request with a file."""
    lines = [
        "POST /v1/batches HTTP/1.1",
        "Host: localhost",
        "Content-Type: multipart/form-data; boundary=b",
        f"PX-API-KEY: {key}",
        f"Content-Length: {size}" if size else "Transfer-Encoding: chunked",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("size", [300_000_000, 0])
def test_a_large_body_without_a_valid_key_is_refused_before_it_arrives(
    server: WebServer, size: int
) -> None:
    response = server.send(multipart("wrong", size))
    assert (response.status_code, response.json()["error"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"]
    server.wait_for_line("POST /v1/batches 401")


def test_a_large_body_with_a_key_that_may_only_read_is_refused(
    server: WebServer, read_only: KeyClient
) -> None:
    response = server.send(multipart(read_only.key, 300_000_000))
    assert (response.status_code, response.json()["error"]) == (403, "forbidden")


def test_a_large_body_beyond_a_quota_is_refused(
    server: WebServer, alice: KeyClient, acme: Organization
) -> None:
    BatchLimits.objects.create(organization=acme, daily=0)
    response = server.send(multipart(alice.key, 300_000_000))
    assert (response.status_code, response.json()["error"]) == (429, "daily_quota_exceeded")


def test_a_file_that_is_too_large_for_a_request_is_refused(
    server: WebServer, alice: KeyClient
) -> None:
    response = server.send(multipart(alice.key, 600_000_000))
    assert (response.status_code, response.json()["error"]) == (413, "request_too_large")
    assert "Set upload to true" in response.json()["message"]


@pytest.mark.parametrize("is_expected", [False, True])
def test_a_large_body_with_a_valid_key_is_received(
    server: WebServer, alice: KeyClient, is_expected: bool
) -> None:
    file = b"name\n" + b"Ada Lovelace\n" * 100_000
    body = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
        for part in (
            (b"request", b"", b'{"resource": "contact", "mode": "async"}'),
            (b"file", b'; filename="people.csv"', file),
        )
    )
    body += b"--b--\r\n"
    with socket.create_connection(server.address, timeout=60) as client:
        if is_expected:
            client.sendall(multipart(alice.key, len(body), "Expect: 100-continue"))
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")
            client.sendall(body)
        else:
            client.sendall(multipart(alice.key, len(body)) + body)
        response = HTTPResponse(client)
        response.begin()
        assert response.status == 201
        assert json.load(response)["input"]["bytes"] == len(file)


def test_forms_of_the_admin_may_be_larger_than_bodies_of_the_api(server: WebServer) -> None:
    client = HTTPConnection(*server.address, timeout=60)
    with closing(client):
        client.request("POST", "/admin/login/", body=b"x" * 2_000_000)
        assert client.getresponse().status == 403


def test_pipelined_requests_get_responses_in_order(server: WebServer) -> None:
    requests = "".join(
        f"{start}GET {path} HTTP/1.1\r\nHost: localhost\r\n{end}\r\n"
        for start, path, end in (
            ("\r\n", "/healthz", ""),
            ("\r\n\r\n", "/v1/nothing", ""),
            ("", "/healthz", "Connection: close\r\n"),
        )
    )
    with socket.create_connection(server.address, timeout=60) as client:
        client.sendall(requests.encode())
        received = b""
        while data := client.recv(10_000):
            received += data
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"404", b"200"]


def test_idle_connections_are_closed_for_new_ones(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    options = "--workers 1 --worker-connections 40"
    folder = tmp_path_factory.mktemp("full")
    with web_server(folder, GUNICORN_CMD_ARGS=options) as server:
        with clients(server, "", 60) as idle:
            for _ in range(5):
                for client in idle:
                    with suppress(OSError):
                        client.sendall(b"\r\n\r\n")
                assert server.get("/healthz", timeout=5).status_code == 200
        server.wait_for_line("idle ones are closed")


def test_control_characters_of_a_path_are_escaped_in_the_log(server: WebServer) -> None:
    server.get("/v1/a%0a2026-01-01%20INFO%20forged%1b[31m%c2%9b")
    server.wait_for_line(r"/v1/a\n2026-01-01 INFO forged\x1b[31m")
    assert "\x1b" not in server.log
    assert not any(line.startswith("2026-01-01 INFO forged") for line in server.log.splitlines())


FORGED = {
    "X_Forwarded_Proto": "https",
    "X_Forwarded_For": "203.0.113.9, 198.51.100.7",
    "X_Forwarded_Host": "evil.example",
    "Script_Name": "/evil",
}


def test_forwarded_headers_have_no_effect_by_default(server: WebServer, alice: KeyClient) -> None:
    alice.post("/v1/exports", {"resource": "contact"})
    headers = FORGED | {"PX_API_KEY": alice.key, "X_Request_ID": "forged"}
    [export] = server.get("/v1/exports", 10, **headers).json()["results"]
    assert export["url"].startswith(f"{server.url}/v1/exports/exp_")
    assert "127.0.0.1 GET /v1/exports 200" in server.wait_for_line("GET /v1/exports 200")
    # gunicorn's own workers would take this header, with an underscore, for the path prefix.
    for name in ("SCRIPT_NAME", "SCRIPT-NAME"):
        head = f"Host: localhost\r\nPX-API-KEY: {alice.key}\r\n{name}: /evil\r\n\r\n"
        response = server.send(f"GET /v1/exports HTTP/1.1\r\n{head}".encode())
        [export] = response.json()["results"]
        assert export["url"].startswith("http://localhost/v1/exports/exp_")


def test_headers_of_a_trusted_proxy_set_the_client_and_its_scheme(
    tmp_path: object, alice: KeyClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alice.post("/v1/exports", {"resource": "contact"})
    folder = tmp_path_factory.mktemp("proxy")
    with web_server(folder, TRUSTED_PROXIES="127.0.0.0/8,198.51.100.7") as server:
        [export] = server.get("/v1/exports", 10, **FORGED, PX_API_KEY=alice.key).json()["results"]
        assert export["url"].startswith(f"https://{urlsplit(server.url).netloc}/v1/exports/exp_")
        server.wait_for_line("203.0.113.9 GET /v1/exports 200")


def test_a_signal_lets_running_requests_finish(
    alice: KeyClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with web_server(tmp_path_factory.mktemp("web")) as server, ThreadPoolExecutor() as pool:
        with locked("longshore_accounts_apikey"):
            running = pool.submit(server.get, "/v1/exports", 60, PX_API_KEY=alice.key)
            time.sleep(1)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(1)
            assert server.process.poll() is None
            with pytest.raises(httpx.ConnectError):
                server.get("/healthz")
        assert running.result().status_code == 200
        assert server.process.wait(10) == 0


def test_a_killed_process_is_replaced_and_none_outlives_gunicorn(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with web_server(tmp_path_factory.mktemp("web")) as server:
        master = psutil.Process(server.process.pid)
        wait_for(lambda: len(master.children()) == workers)
        before = master.children()
        before[0].kill()
        wait_for(lambda: len({*master.children()} - {*before}) == 1)
        family = master.children()
        wait_for(lambda: server.get("/healthz").status_code == 200)
        os.kill(master.pid, signal.SIGKILL)
        # The new process notices when it has started.
        _, alive = psutil.wait_procs(family, timeout=60)
        assert alive == []


def test_concurrent_schema_requests_get_equal_responses_and_delay_no_other(
    alice: KeyClient, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with web_server(tmp_path_factory.mktemp("web")) as server, ThreadPoolExecutor(32) as pool:
        requests = [pool.submit(server.get, "/v1/schema", 60) for _ in range(64)]
        while not all(future.done() for future in requests):
            assert server.get("/v1/exports", PX_API_KEY=alice.key).status_code == 200
        responses = [future.result() for future in requests]
        assert {response.status_code for response in responses} == {200}
        assert len({response.content for response in responses}) == 1
        assert len({response.headers["etag"] for response in responses}) == 1
