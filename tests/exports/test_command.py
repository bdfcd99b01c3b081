"""`manage.py export`: the same file as the API's, without worker or broker."""

import csv
import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from resources.logistics.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


def test_writes_a_file(contacts: list[Contact], tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    call_command("export", "contact", organization="acme", format="csv", output=str(path))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["id"]: row["name"] for row in rows} == {c.pk: c.name for c in contacts}
    assert list(tmp_path.iterdir()) == [path]


def test_takes_the_options_of_a_request(contacts: list[Contact], tmp_path: Path) -> None:
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


def test_writes_only_the_file_to_standard_output(
    contacts: list[Contact], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    call_command("export", "contact", organization="acme")
    out = capfdbinary.readouterr().out.decode()
    assert len(list(csv.reader(io.StringIO(out, newline="")))) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"organization": "nobody"}, "no organization 'nobody'"),
        ({"organization": "acme", "format": "pdf"}, "Unsupported format: pdf"),
        ({"organization": "acme", "options": {"colour": "red"}}, "options.colour"),
        ({"organization": "acme", "output": "/no/such/folder/out.csv"}, "No such file"),
    ],
)
def test_says_what_is_wrong(
    contacts: list[Contact], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("export", "contact", **arguments)


def test_a_file_that_is_not_whole_does_not_appear(
    contacts: list[Contact], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exports.stream import ExportStream, IncompleteExport

    def broken(stream: ExportStream, *source: object) -> None:
        raise IncompleteExport("half of it")

    monkeypatch.setattr(ExportStream, "_messages", broken)
    with pytest.raises(IncompleteExport):
        call_command("export", "contact", organization="acme", output=str(tmp_path / "out.csv"))
    assert list(tmp_path.iterdir()) == []
