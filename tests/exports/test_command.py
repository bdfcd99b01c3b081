"""`manage.py export` writes the same file as the API, without a worker or a broker."""

import csv
import gzip
import io
import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from longshore.accounts.models import Organization
from longshore.api.progress import console_of, progress_bars
from longshore.domains.commerce.models import Order
from longshore.domains.logistics.models import Contact
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from tests.terminals import terminal

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_command_writes_a_file(contacts: list[Contact], tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    call_command("export", "contact", organization="acme", format="csv", output=str(path))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"]: row["name"] for row in rows} == {c.pk: c.name for c in contacts}
    assert list(tmp_path.iterdir()) == [path]


def test_accepts_the_options_of_a_request(contacts: list[Contact], tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.gz"
    call_command(
        "export",
        "contact",
        "--organization=acme",
        "--format=jsonl",
        "--compression=gzip",
        '--options={"email": "taro@example.org"}',
        '--csv-field-options={"columns": ["name"]}',
        f"--output={path}",
    )
    with gzip.open(path) as file:
        assert [json.loads(line) for line in file] == [{"name": "山田 太郎"}]


def test_accepts_both_filter_languages(
    contacts: list[Contact], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call_command(
        *("export", "contact", "--organization=acme", "--format=jsonl"),
        '--options={"email": "is_not_null"}',
        '--filters={"name_cont": "太郎"}',
        '--csv-field-options={"columns": ["name"]}',
    )
    assert json.loads(capfdbinary.readouterr().out) == {"name": "山田 太郎"}


def test_accepts_includes_and_fields(contacts: list[Contact], tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    call_command(
        "export",
        "contact",
        "--organization=acme",
        "--format=jsonl",
        '--options={"email": "zoe@example.org"}',
        "--fields=name,email,groups.name,groups.id,nickname",
        "--includes=locations, groups.parent",
        "--dry-data",
        f"--output={path}",
    )
    assert json.loads(path.read_text()) == {
        "name": "Zoë Ünal",
        "email": "zoe@example.org",
        "groups": [{"name": "Crew"}, {"name": 'Dock, "B"'}],
    }


def test_a_date_range_is_in_the_time_zone_of_the_organization(
    acme: Organization, tmp_path: Path
) -> None:
    Organization.objects.filter(pk=acme.pk).update(timezone="America/New_York")
    for day, time in ((1, "03:59"), (1, "04:00"), (2, "03:59"), (2, "04:00")):
        number = f"Day {day}, {time}"
        placed_at = f"2025-06-0{day}T{time}Z"
        Order.objects.create(organization=acme, number=number, placed_at=placed_at)
    Order.objects.create(organization=acme, number="test", placed_at=placed_at, is_test=True)
    path = tmp_path / "orders.csv"
    arguments = ("export", "--type=order_list", "--organization=acme", f"--output={path}")
    call_command(*arguments, "--date-from=2025-06-01", "--date-to=2025-06-01")
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *rows = csv.reader(file)
    assert header == list(export_types.by_code["order_list"].columns.values())
    assert [row[0] for row in rows] == ["Day 1, 04:00", "Day 2, 03:59"]
    call_command(*arguments, "--date-to=2025-05-31")
    with path.open(newline="", encoding="utf-8-sig") as file:
        assert [row[0] for row in csv.reader(file)] == [header[0], "Day 1, 03:59"]


def test_a_date_range_without_a_type_applies_to_the_date_of_the_resource(
    contacts: list[Contact], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    newest = contacts[-1]
    Contact.objects.exclude(pk=newest.pk).update(created_at="2020-01-01T00:00Z")
    arguments = ("export", "contact", "--organization=acme", "--format=jsonl", "--fields=id")
    call_command(*arguments, "--date-from=2020-01-01T00:00:01Z")
    assert json.loads(capfdbinary.readouterr().out) == {"id": newest.pk}


def test_writes_only_the_file_to_standard_output(
    contacts: list[Contact], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call_command("export", "contact", organization="acme")
    out = capfdbinary.readouterr().out.decode()
    assert len(list(csv.reader(io.StringIO(out, newline="")))) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"organization": "nobody"}, "'nobody' is not the slug of an organization"),
        ({"organization": "acme", "format": "pdf"}, "'pdf' is not a valid format"),
        ({"organization": "acme", "options": {"color": "red"}}, "options.color"),
        ({"organization": "acme", "output": "/no/such/folder/out.csv"}, "No such file"),
    ],
)
def test_invalid_arguments_are_reported(
    contacts: list[Contact], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export", "contact", **arguments)


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        ([], [r"resource: resource is required unless you set type\. \(accepted: "]),
        (["--type=x"], [r"type: 'x' is not a valid named export\. \(accepted: order_list, "]),
        (
            ["contact", "--type=order_list", "--format=pdf"],
            ["resource: The named export order_list exports order", "'pdf' is not a valid format"],
        ),
        (
            ["--type=order_list", "--date-from=soon", "--date-to=2025-02-30"],
            [
                r"date_from: 'soon' is not a valid date_from\. \(accepted: an ISO date",
                r"date_to: '2025-02-30' is not a valid date_to\. \(accepted: an ISO date",
            ],
        ),
        (
            ["contact", "--date-from=2025-02-01", "--date-to=2025-01-01"],
            ["date_from '2025-02-01' is after date_to '2025-01-01'"],
        ),
    ],
)
def test_an_invalid_type_or_date_range_is_reported(
    acme: Organization, arguments: list[str], messages: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(CommandError) as raised:
        call_command("export", *arguments, "--organization=acme", f"--output={path}")
    for message in messages:
        assert re.search(message, str(raised.value))
    assert not path.exists()


def test_an_incomplete_file_does_not_appear(
    contacts: list[Contact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exports.reading.copy_reader import IncompleteExport

    def broken(*source: object) -> None:
        raise IncompleteExport("half of it")

    monkeypatch.setattr("exports.reading.stream.copy_blocks", broken)
    with pytest.raises(IncompleteExport):
        call_command("export", "contact", organization="acme", output=str(tmp_path / "out.csv"))
    assert list(tmp_path.iterdir()) == []


def test_a_symbolic_link_is_followed_and_other_files_are_untouched(
    contacts: list[Contact], tmp_path: Path
) -> None:
    target, link, beside = (tmp_path / name for name in ("out.csv", "link", "link.partial"))
    target.write_text("old")
    link.symlink_to(target)
    beside.write_text("the user's own")
    call_command("export", "contact", organization="acme", output=str(link))
    assert link.is_symlink()
    assert target.read_text().startswith("id,")
    assert beside.read_text() == "the user's own"
    assert set(tmp_path.iterdir()) == {target, link, beside}


def test_the_file_has_the_default_mode(contacts: list[Contact], tmp_path: Path) -> None:
    plain, path = tmp_path / "plain", tmp_path / "out.csv"
    plain.touch()
    call_command("export", "contact", organization="acme", output=str(path))
    assert path.stat().st_mode == plain.stat().st_mode


def test_writes_to_a_named_pipe(contacts: list[Contact], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    call_command("export", "contact", organization="acme", output=str(pipe))
    reader.join()
    assert read[0].startswith("id,")
    assert pipe.is_fifo()


def _interrupt() -> None:
    # A shell makes its background processes ignore this signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def _terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def _broken_pipe() -> None:
    raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize(
    ("stop", "code"), [(_interrupt, 130), (_terminate, 143), (_broken_pipe, 141)]
)
def test_a_stopped_command_has_an_exit_code_and_leaves_no_file(
    stop: Callable[[], None],
    code: int,
    contacts: list[Contact],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from exports.reading.stream import ExportStream

    def stopped(stream: ExportStream) -> Iterator[bytes]:
        yield b"half of it"
        stop()

    monkeypatch.setattr(ExportStream, "__iter__", stopped)
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as raised:
        call_command("export", "contact", organization="acme", output=str(tmp_path / "out.csv"))
    assert raised.value.code == code
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_closed_pipe_ends_the_command_without_a_traceback(
    contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        monkeypatch.setattr("sys.stdout", gone)
        with pytest.raises(SystemExit) as raised:
            call_command("export", "contact", organization="acme")
    assert raised.value.code == 141


def test_warnings_are_written_to_standard_error(
    contacts: list[Contact], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command(
        *("export", "contact", "--organization=acme", "--includes=groups.location"),
        f"--output={tmp_path / 'out.csv'}",
    )
    assert "groups.location is left out: csv shows one level" in capsys.readouterr().err


def test_arguments_set_the_columns_the_time_zone_and_the_preset(
    contacts: list[Contact], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Contact.objects.filter(pk=contacts[0].pk).update(created_at="2024-12-25T14:30:00Z")
    path = tmp_path / "out.csv"
    call_command(
        *("export", "contact", "--organization=acme", f'--options={{"id": "{contacts[0].pk}"}}'),
        *("--columns=id,created_at=Created", "--timezone=Asia/Tokyo", "--preset=excel"),
        f"--output={path}",
    )
    content = f"id,Created\r\n{contacts[0].pk},2024-12-25 23:30:00\r\n".encode("utf-8-sig")
    assert path.read_bytes().splitlines() == content.splitlines()
    assert f"Wrote {path}: 1 row, {len(path.read_bytes())} bytes." in capsys.readouterr().err
    call_command("export", "tag", "--organization=acme", "--columns=all", f"--output={path}")
    tag = registry.get("tag")
    assert tag
    assert path.read_text().splitlines() == [",".join(tag.names)]


def test_the_help_shows_examples_and_the_named_exports(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        call_command("export", "--help")
    shown = capsys.readouterr().out
    assert "  All shipments, with the default columns:\n    manage.py export shipment" in shown


@pytest.mark.parametrize(
    "arguments", [["--format=xlsx"], ["--format=parquet"], ["--compression=gzip"]]
)
def test_a_terminal_gets_no_binary_files(
    contacts: list[Contact], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = os.openpty()
    try:
        with os.fdopen(slave, "w") as output, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", output)
            with pytest.raises(CommandError, match="Write the file with --output FILE") as raised:
                call_command("export", "contact", "--organization=acme", *arguments)
    finally:
        os.close(master)
    assert raised.value.returncode == 2


def test_the_closing_line_is_green_and_warnings_are_yellow(
    contacts: list[Contact], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("export", "contact", "--organization=acme", "--includes=groups.location")
    path = tmp_path / "out [b].csv"
    call_command(*arguments, f"--output={path}", "--force-color")
    shown = capsys.readouterr().err
    assert f"\x1b[32mWrote {path}: " in shown
    assert "\x1b[33mgroups.location is left out" in shown
    call_command(*arguments, f"--output={path}")
    assert "\x1b" not in capsys.readouterr().err


def test_a_terminal_shows_a_bar_and_lines_of_the_log_above_it(
    contacts: list[Contact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with terminal() as shown:
        monkeypatch.setattr(logging.root, "handlers", [logging.StreamHandler()])
        with progress_bars(console_of({})) as progress:
            progress.add_task("contact", total=5, unit="rows")
            logging.getLogger("other").error("a line of the log")
        call_command("export", "contact", "--organization=acme", f"--output={tmp_path / 'out.csv'}")
    # The bar is erased before the line.
    assert "\x1b[2Ka line of the log" in shown.text
    assert re.search(r"contact .*100%.* 5 of 5 rows", shown.text)


def test_named_exports_are_described(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("export", "--help")
    shown = capsys.readouterr().out
    columns = len(export_types.by_code["order_list"].columns)
    assert f"Orders: order, {columns} columns, dates of placed_at" in shown
