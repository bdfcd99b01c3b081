"""Fixtures of the tests of both clients."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.proxy import Proxy, proxying
from tests.clients.stack import (
    CONTACTS,
    HERE,
    ROOT,
    ClientUnderTest,
    Stack,
    blocks,
    compile_typescript,
    completed,
    running,
)
from tests.node import install_packages


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """All programs, which store files in a folder. A module may replace it."""
    with running() as stack:
        yield stack


@pytest.fixture(scope="module")
def proxies(stack: Stack) -> Iterator[Proxy]:
    with proxying(stack.port) as proxy:
        yield proxy


@pytest.fixture
def proxy(proxies: Proxy) -> Proxy:
    """A proxy in front of the stack, without requests and faults of other tests."""
    proxies.clear()
    return proxies


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the TypeScript package, compiled, with the modules that use it."""
    folder = tmp_path_factory.mktemp("typescript")
    source = ROOT / "clients" / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist")
    shutil.copytree(source, folder, ignore=ignored, dirs_exist_ok=True)
    install_packages(folder)
    compile_typescript(folder, "--project", ".")
    uses = folder / "uses"
    uses.mkdir()
    shutil.copy(HERE / "driver.ts", uses)
    (uses / "readme.ts").write_text("\n".join(blocks(source / "README.md", "ts")))
    settings = json.loads((source / "tsconfig.json").read_text())
    settings["compilerOptions"] |= {"rootDir": ".", "outDir": "dist", "noUnusedLocals": False}
    (uses / "tsconfig.json").write_text(json.dumps(settings | {"include": ["*.ts"]}))
    compile_typescript(folder, "--project", "uses")
    return folder


@pytest.fixture(params=["python", "typescript"])
def client(
    request: pytest.FixtureRequest,
    proxy: Proxy,
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
) -> ClientUnderTest:
    if request.param == "python":
        text = tmp_path_factory.mktemp("readme") / "readme.py"
        text.write_text("\n".join(blocks(ROOT / "clients" / "python" / "README.md", "python")))
        command, readme = [sys.executable, str(HERE / "driver.py")], [sys.executable, str(text)]
    else:
        compiled = request.getfixturevalue("package") / "uses" / "dist"
        command, readme = (
            ["node", str(compiled / "driver.js")],
            ["node", str(compiled / "readme.js")],
        )
    return ClientUnderTest(command, readme, stack.api_key, proxy.url)


@pytest.fixture(scope="module")
def contacts(stack: Stack) -> dict[str, Any]:
    """A completed export of about two megabytes."""
    headers = {"PX-API-KEY": stack.api_key}
    created = httpx.post(f"{stack.url}/v1/exports", json=CONTACTS, headers=headers, timeout=60)
    return completed(stack, created.raise_for_status().json()["id"])
