"""Writes docs/settings.md, the table of all settings, from .env.example: `make settings`."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE, PAGE = ROOT / ".env.example", ROOT / "docs" / "settings.md"
_HEAD = """\
# Settings

Each setting is an environment variable or a line of `.env`; [operations](operations.md#settings)
describes how they are read. `make settings` writes this page from `.env.example`.
"""
# Variables and URLs.
_CODE = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+|[a-z][a-z0-9+]*://[^\s,;)]*[^\s,;).:]")


def page() -> str:
    """Return the page: a table for each section of .env.example.

    A comment describes the settings that follow it without another comment.
    """
    text, is_open, comment = _HEAD, False, []
    names: list[str] = []
    defaults: list[str] = []
    for line in [*EXAMPLE.read_text().splitlines(), ""]:
        setting = re.fullmatch(r"#([A-Z0-9_]+)=(.*)", line)
        if names and not setting:
            text += f"| {'<br>'.join(names)} | {'<br>'.join(defaults)} | {_marked(comment)} |\n"
            names, defaults, comment = [], [], []
        if section := re.fullmatch(r"# --- (.*) ---", line):
            text += f"\n## {section[1]}\n\n| Setting | Default | Meaning |\n|---|---|---|\n"
            is_open = True
        elif setting:
            names.append(f"`{setting[1]}`")
            defaults.append(f"`{setting[2]}`" if setting[2] else "")
        elif is_open and line:
            comment.append(line.removeprefix("# "))
    return text


def _marked(comment: list[str]) -> str:
    """Return a comment as a cell: its variables and URLs are code."""
    text = " ".join(comment).replace("<", r"\<").replace("|", r"\|")
    return _CODE.sub(lambda found: f"`{found[0]}`", text)


if __name__ == "__main__":
    PAGE.write_text(page())
