"""Sends random requests, valid and invalid ones, to a running Longshore: `make fuzz`.

    python -m tests.fuzz [--api packagex] [--cases 5000] [--seed 1] [--minutes 13]

Starts everything as `make run` does, in a temporary folder. Fails on a 5xx and on a response
whose status, content type, headers or body the API description does not allow. The same seed
generates the same requests; ids in responses differ. `--api` is the name of a dialect; by default
the native API gets the requests.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from exports_project.embedded import child_processes
from tests.recovery.services import free_port

_START_SECONDS = 600
# The first id of a JSON text, with its quotes if it is a string.
_ID = re.compile(r'"id": ?("[^"]+"|\d+)')
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


@contextmanager
def _stack() -> Iterator[tuple[str, str, Path]]:
    """Run Longshore; yield its base URL, an API key and the path of its log."""
    with tempfile.TemporaryDirectory(prefix="longshore-") as name:
        folder = Path(name)
        port = free_port()
        environment = os.environ | {
            "LOCAL_DIR": name,
            "ENV_FILE": os.devnull,
            "PORT": str(port),
            "API_RATE_LIMIT": "",
            "NEXTCOMMERCE_RATE_LIMIT": "",
            "LOG_LEVEL": "WARNING",
        }
        with (folder / "output").open("wb") as output:
            command = [sys.executable, "-m", "exports_project.serve"]
            process = child_processes.spawn(command, output=output, env=environment)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while "Longshore is ready" not in (folder / "output").read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit((folder / "output").read_text())
                time.sleep(0.2)
            demo = json.loads((folder / "demo.json").read_text())
            yield demo["base_url"], demo["api_key"], folder / "output"
        finally:
            child_processes.stop(process)


def _ids(url: str, key: str) -> dict[str, str]:
    """Create objects; return the id for each operation that needs an existing one."""
    with httpx.Client(
        base_url=f"{url}/v1", headers={"PX-API-KEY": key}, timeout=60, trust_env=False
    ) as client:
        webhook = {"target": "http://127.0.0.1:9/", "events": ["export.created"]}
        subscription = client.post("/webhooks", json=webhook).raise_for_status().json()["id"]
        deliveries = f"/webhooks/{subscription}/deliveries"
        export = client.post("/exports", json={"resource": "contact"}).raise_for_status()
        deadline = time.monotonic() + 60
        while not (listed := client.get(deliveries).json()["results"]):
            if time.monotonic() > deadline:
                raise SystemExit("The export was not completed within 60 s.")
            time.sleep(0.5)
    of_exports = ("download_export", "list_export_events", "get_export_manifest", "get_export")
    of_webhooks = ("list_deliveries", "test_webhook", "recover_webhook", "rotate_webhook_secret")
    return {
        **dict.fromkeys(of_exports, export.json()["id"]),
        **dict.fromkeys(of_webhooks, subscription),
        "redeliver": listed[0]["id"],
    }


def _config(ids: dict[str, str]) -> str:
    """Return the configuration of Schemathesis, which fixes the ids of these operations."""
    tables = [
        f'[[operations]]\ninclude-operation-id = "{operation}"\n'
        f'parameters = {{ public_id = "{value}" }}'
        for operation, value in ids.items()
    ]
    return "\n".join(tables)


def _dialect_config(paths: dict[str, Any], url: str, key: str) -> str:
    """Return the configuration for a dialect: each operation that reads gets an id of its list.

    Operations that change something get random ids, so that the objects stay.
    """
    tables = []
    headers = {"PX-API-KEY": key}
    for path, operations in paths.items():
        collection, _, parameter = path.partition("/{")
        if "get" not in operations or not parameter.endswith("}"):
            continue
        response = httpx.get(f"{url}{collection}", headers=headers, timeout=60, trust_env=False)
        if found := _ID.search(response.text):
            [name, *_] = parameter.split("}")
            tables.append(
                f'[[operations]]\ninclude-operation-id = "{operations["get"]["operationId"]}"\n'
                f"parameters = {{ {name} = {found[1]} }}"
            )
    return "\n".join(tables)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--api", default="")
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=13)
    options, more = parser.parse_known_args()
    with _stack() as (url, key, log):
        schema = f"{url}/docs/{options.api}/schema" if options.api else f"{url}/v1/schema"
        accept = {"Accept": "application/vnd.oai.openapi+json"}
        paths = httpx.get(schema, headers=accept, timeout=60, trust_env=False).json()["paths"]
        operations = sum(len(path) for path in paths.values())
        config = log.with_name("schemathesis.toml")
        ids = _ids(url, key)
        config.write_text(_dialect_config(paths, url, key) if options.api else _config(ids))
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
        command += ["run", schema]
        command += ["--header", f"PX-API-KEY: {key}", "--checks", ",".join(_CHECKS)]
        # Without the coverage phase, which varies each of the hundreds of filters.
        command += ["--phases", "examples,fuzzing", "--continue-on-failure", "--no-color"]
        # 30 % more, because an operation without parameters has few different cases.
        command += ["--max-examples", str(math.ceil(options.cases / operations * 1.3))]
        command += ["--seed", str(options.seed), "--generation-database", "none", "--no-shrink"]
        command += ["--max-time", str(int(options.minutes * 60)), "--request-timeout", "30", *more]
        process = subprocess.run(command, timeout=options.minutes * 60 + 120)
        errors = [line for line in log.read_text().splitlines() if "ERROR" in line]
        print(
            "\n".join(["Errors in the log:", *errors[:50]]) if errors else "No errors in the log."
        )
    sys.exit(process.returncode)


if __name__ == "__main__":
    main()
