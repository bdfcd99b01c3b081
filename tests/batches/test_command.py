"""`manage.py import_batch` runs the same batch as the API, without a worker or a broker."""

import io
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import connection

from batches.lifecycle.transitions import BatchLifecycle
from batches.models import Batch, BatchFile, BatchLimits
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.batches.running import CSV, CSV_WITH_ERROR, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage, stored_files
from tests.terminals import terminal

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


@pytest.fixture
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not the storage."""
    return tmp_path_factory.mktemp("inputs")


def write(folder: Path, content: str | bytes, name: str = "people.csv") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def import_batch(*arguments: str) -> int:
    """Run the command for contacts of Acme. Returns its exit code."""
    command = load_command_class("batches", "import_batch")
    try:
        call_command(command, "contact", *arguments, "--organization=acme")
    except SystemExit as ended:
        return cast("int", ended.code)
    except CommandError as error:
        command.stderr.write(str(error))
        return error.returncode
    return 0


def refusal(*arguments: str) -> CommandError:
    with pytest.raises(CommandError) as raised:
        call_command("import_batch", *arguments)
    return raised.value


def test_writes_the_records_and_shows_the_phases_and_counts(
    acme: Organization, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_batch(write(inputs, CSV)) == 0
    assert sorted(Contact.objects.values_list("name", "email")) == [
        ("Zoë Ünal", "zoe@example.org"),
        ("Łukasz Żak", None),
    ]
    batch = Batch.objects.get()
    assert (batch.status, batch.via, batch.mode, batch.api_key) == (
        *("completed", "file", "async"),
        None,
    )
    assert batch.request["resource"] == "contact"
    shown = capsys.readouterr()
    assert f"{batch}: Completed" in shown.out
    assert re.search(r"created +2\n +updated +0\n", shown.out)
    lines = [line for line in shown.err.splitlines() if " rows" in line and "The batch" not in line]
    assert lines == [f"{name}: 2 of 2 rows" for name in ("parsing", "validation", "processing")]


def test_a_batch_of_the_command_can_be_undone(
    acme: Organization, alice: KeyClient, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_batch(write(inputs, CSV)) == 0
    [address] = re.findall(r"POST (\S+)", capsys.readouterr().out)
    undone = alice.post(address)
    assert undone.status_code == 201
    assert run(Batch.objects.get(public_id=undone.json()["id"])).deleted_count == 2
    assert not Contact.objects.exists()


def test_errors_are_an_aligned_table(
    acme: Organization, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ["name,is_primary", "山田 太郎,はい", "Zoë,true", 'Łukasz,"\x1b[31mno\nway"']
    assert import_batch(write(inputs, "\n".join(rows))) == 1
    assert list(Contact.objects.values_list("name", flat=True)) == ["Zoë"]
    out = capsys.readouterr().out
    header, first, second = out[out.index("row  column") :].splitlines()[:3]
    assert first.startswith("  1  is_primary  はい             invalid_type  ")
    assert second.startswith(r"  3  is_primary  \x1b[31mno\nway  invalid_type  ")
    assert header.startswith("row  column      value            code          message")
    assert "\x1b" not in out
    failed = BatchFile.objects.get(kind="failed")
    assert re.search(rf"to correct and import again:\n  http\S+{failed.name}\?", out)
    assert re.search(r"All errors, as a file:\n  http\S+\.csv\?", out)


def test_the_first_twenty_errors_are_shown(
    acme: Organization, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = "name,is_primary\n" + "Zoë,perhaps\n" * 1_021
    assert import_batch(write(inputs, content)) == 1
    out = capsys.readouterr().out
    assert out.count("invalid_type") == 20
    assert "… and 1,001 other errors" in out


def test_a_dry_run_writes_nothing(
    acme: Organization, inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_batch(write(inputs, CSV), "--dry-run") == 0
    assert not Contact.objects.exists()
    out = capsys.readouterr().out
    assert ": Completed (dry run: nothing was written)" in out
    assert "To undo" not in out


@pytest.mark.parametrize("on_error", ["abort", "0"])
def test_a_failed_batch_has_the_exit_code_1(
    acme: Organization, inputs: Path, on_error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(inputs, CSV_WITH_ERROR)
    error = refusal("contact", path, "--organization=acme", f"--on-error={on_error}")
    assert error.returncode == 1
    assert str(error).startswith("1 row has errors, ")
    assert not Contact.objects.exists()
    out = capsys.readouterr().out
    assert "perhaps" in out
    assert "Rows that were not written:\n  http" in out
    assert import_batch(path, "--on-error=1") == 1
    assert Contact.objects.get().name == "Zoë Ünal"


def test_the_options_describe_the_input(acme: Organization, inputs: Path) -> None:
    content = "Name|Who?=email|Shoe size|active\nŁukasz|l@example.org|43|\n".encode("cp1250")
    path = write(inputs, content, "people.txt")
    assert (
        import_batch(
            *(path, "--format=csv", "--delimiter=|", "--encoding=windows-1250"),
            *("--mapping=Name=name", "--mapping=Who?=email=email", "--mapping=Shoe size="),
            *("--mapping=active=is_primary", "--property=is_primary=true", "--only=create"),
            *("--property=notes=[not JSON", '--property=metadata={"size": 43}'),
            *("--timezone=Europe/Warsaw", "--datetime-format=dd.MM.yyyy", "--duplicates=use_first"),
            *("--decimal-separator=,", "--compression=none"),
        )
        == 0
    )
    found = Contact.objects.get()
    assert (found.name, found.email, found.notes) == ("Łukasz", "l@example.org", "[not JSON")
    assert (found.is_primary, found.metadata) == (True, {"size": 43})
    batch = Batch.objects.get()
    assert batch.input_name == "people.txt"
    spec = batch.parsed_spec()
    assert (spec.input.timezone, spec.input.decimal_separator) == ("Europe/Warsaw", ",")
    assert (spec.duplicates, spec.only) == ("use_first", "create")


def test_reads_standard_input(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"name": "Zo\xc3\xab"}\n')))
    assert import_batch("-") == 0
    assert Contact.objects.get().name == "Zoë"
    assert Batch.objects.get().detected["format"] == "jsonl"


def test_deletes_records_that_an_overwrite_does_not_name(acme: Organization, inputs: Path) -> None:
    Contact.objects.bulk_create(Contact(organization=acme, name=f"old {n}") for n in range(3))
    arguments = (write(inputs, "name\nZoë\n"), "--action=overwrite")
    assert import_batch(*arguments) == 1
    assert Contact.objects.count() == 3
    assert import_batch(*arguments, "--confirm-deletes=3") == 0
    assert list(Contact.objects.values_list("name", flat=True)) == ["Zoë"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["contact", "--organization=nobody"], "'nobody' is not the slug of an organization."),
        (["contcat"], r"resource: 'contcat' is not a valid resource.*'contact'\?"),
        (["contact", "--action=upsert"], "action: 'upsert' is not a valid action"),
        (["contact", "--format=pdf"], "format: 'pdf' is not a valid format"),
        (["contact", "--mapping=E-mail=emial"], "'emial' is not a column of contact. Did you"),
        (["contact", "--mapping=email"], "'email' is not of the form HEADER=COLUMN"),
        (["contact", "--property=email"], "'email' is not of the form COLUMN=VALUE"),
        (["contact", "--on-error=stop"], "'stop' is not valid .accepted: skip, abort or a number"),
        (["contact", "--only=create", "--action=delete"], "only applies to merge, not to delete"),
    ],
)
def test_invalid_arguments_have_the_exit_code_2(
    acme: Organization, inputs: Path, arguments: list[str], message: str
) -> None:
    resource, *options = arguments
    if not any(option.startswith("--organization") for option in options):
        options.append("--organization=acme")
    error = refusal(resource, write(inputs, CSV), *options)
    assert re.search(message, str(error))
    assert error.returncode == 2 or "Error: argument" in str(error)
    assert not Batch.objects.exists()
    assert stored_files() == []


def test_a_missing_file_and_a_limit_are_reported(acme: Organization, inputs: Path) -> None:
    missing = refusal("contact", str(inputs / "none.csv"), "--organization=acme")
    assert (missing.returncode, str(missing)) == (
        2,
        f"{inputs}/none.csv: No such file or directory",
    )
    BatchLimits.objects.create(organization=acme, bytes=3)
    limited = refusal("contact", write(inputs, CSV), "--organization=acme")
    assert (limited.returncode, str(limited)[:37]) == (1, "The input has more than 3 bytes, the ")
    assert not Batch.objects.exists()
    assert stored_files() == []


def test_the_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    load_command_class("batches", "import_batch").print_help("manage.py", "import_batch")
    shown = capsys.readouterr().out
    assert "  Check a file, and write nothing:\n    manage.py import_batch contact" in shown
    assert "  2  invalid arguments" in shown


def _locked(then: Callable[[], None]) -> threading.Thread:
    """Lock the contacts, so that writing waits; call `then` when a batch waits. Then unlock."""

    def wait() -> None:
        try:
            with connection.cursor() as cursor:
                for _ in range(600):
                    cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
                    if cursor.fetchone():
                        break
                    time.sleep(0.05)
            then()
        finally:
            connection.close()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_cancels_the_batch(
    acme: Organization,
    inputs: Path,
    number: signal.Signals,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A shell makes its background processes ignore this signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    locker = connection.copy()
    locker.ensure_connection()
    with locker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"LOCK {Contact._meta.db_table} IN ACCESS EXCLUSIVE MODE")
    thread = _locked(lambda: os.kill(os.getpid(), number))
    try:
        assert import_batch(write(inputs, CSV)) == code
    finally:
        thread.join()
        locker.close()
        signal.signal(signal.SIGINT, before)
    batch = Batch.objects.get()
    assert batch.status == "canceled"
    assert not Contact.objects.exists()
    assert f"{batch} was canceled. Rows that it has written stay" in capsys.readouterr().err


def test_an_attempt_that_would_be_retried_is_canceled(
    acme: Organization, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("the storage broke")

    monkeypatch.setattr("batches.execution.results.save_verified", broken)
    error = refusal("contact", write(inputs, CSV), "--organization=acme")
    assert (
        str(error)
        == "An unexpected error ended the attempt; the log of the worker has the details."
    )
    assert Batch.objects.get().status == "canceled"


def test_an_error_while_the_result_is_stored_cancels_the_batch(
    acme: Organization, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("the database broke")

    monkeypatch.setattr(BatchLifecycle, "complete_with_files", broken)
    with pytest.raises(RuntimeError, match="the database broke"):
        call_command("import_batch", "contact", write(inputs, CSV), "--organization=acme")
    assert Batch.objects.get().status == "canceled"


def test_a_terminal_shows_a_bar_for_each_phase(acme: Organization, inputs: Path) -> None:
    with terminal() as shown:
        assert import_batch(write(inputs, CSV_WITH_ERROR)) == 1
    for name in ("storing", "parsing", "validation", "processing"):
        assert re.search(rf"{name} +.*100%", shown.text), name
    assert "1 failed" in shown.text
