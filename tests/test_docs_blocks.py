"""Blocks of the documentation that cannot run: configuration, output, commands for root, extracts.

Most have no language; tests/test_guide_code.py runs the others. Each has the syntax of its kind,
and names only what exists.
"""

import configparser
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from longshore.jobs.metrics import JobCollector

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Beginnings of blocks, and their kind. All others are commands of a shell.
KINDS = {
    "json": r"\{",
    "yaml": r"[a-z_-]+:( &\w+)?$",
    "ini": r"\[\w+\]$",
    "nginx": r"server \{",
    "settings": r"\w+ = ",
    "dockerfile": r"FROM ",
    # Drawings, and a request as it is sent.
    "text": r".*(?:──▶|HTTP/1\.1)|\s+┌",
}


def found() -> list[tuple[str, str, str]]:
    """Return the page, the kind and the text of each block without a language."""
    return [
        (str(page.relative_to(ROOT)), kind_of(text), text)
        for page in PAGES
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.M | re.S)
        if not language
    ]


def kind_of(text: str) -> str:
    # A comment in the first line may name the file.
    start = re.sub(r"\A(#.*\n)+", "", text)
    kinds = [kind for kind, pattern in KINDS.items() if re.match(pattern, start, re.MULTILINE)]
    return kinds[0] if kinds else "shell"


BLOCKS = found()


def of_kind(kind: str) -> list[Any]:
    return [
        pytest.param(text, id=f"{page}-{number}")
        for number, (page, found_kind, text) in enumerate(BLOCKS)
        if found_kind == kind
    ]


class Loader(yaml.SafeLoader):
    """Knows `!reset` of Compose, which removes a value."""


Loader.add_constructor("!reset", lambda loader, node: None)


def test_there_are_blocks_of_every_kind() -> None:
    assert {kind for _, kind, _ in BLOCKS} == {*KINDS, "shell"}


@pytest.mark.parametrize("text", of_kind("json"))
def test_an_object_is_json(text: str) -> None:
    # An ellipsis stands for further members.
    for each in re.split(r"^(?={)", text.replace(", …", ""), flags=re.MULTILINE)[1:]:
        json.loads(each)


@pytest.mark.parametrize("text", of_kind("shell"))
def test_commands_have_the_syntax_of_a_shell(text: str) -> None:
    command = ["/bin/bash", "-n"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_example_of_a_kind_of_job_is_an_extract_of_its_app() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    [block] = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    app = "\n".join(path.read_text() for path in (ROOT / "tests/greetings").glob("*.py"))
    # A comment names the module, and an ellipsis stands for the body of a function.
    lines = [re.sub(r"(  # \w+\.py| \.\.\.)$", "", line) for line in block.splitlines()]
    assert [line for line in lines if line not in app] == []


@pytest.mark.parametrize("text", of_kind("ini"))
def test_sections_have_options(text: str) -> None:
    # systemd resets a list by an empty value and then repeats the option.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(text)
    assert all(dict(parser[name]) for name in parser.sections())


@pytest.mark.parametrize("text", of_kind("nginx"))
def test_directives_of_nginx_end_and_blocks_are_closed(text: str) -> None:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    assert all(line.endswith((";", "{", "}")) for line in lines)
    assert text.count("{") == text.count("}")


@pytest.mark.django_db
@pytest.mark.parametrize("text", of_kind("yaml"))
def test_yaml_configures_services_or_names_our_metrics(text: str) -> None:
    read = yaml.load(text, Loader)  # noqa: S506  (a SafeLoader)
    if "services" in read:
        known = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        assert set(read["services"]) <= set(known)
    elif "groups" in read:
        rules = [rule for group in read["groups"] for rule in group["rules"]]
        metrics = {metric.name for metric in JobCollector().collect()}
        names = {name for rule in rules for name in re.findall(r"longshore_\w+", rule["expr"])}
        assert names
        assert {name.removesuffix("_total") for name in names} <= metrics
    else:
        [job] = read["scrape_configs"]
        assert job["static_configs"] == [{"targets": ["longshore.example.com"]}]
