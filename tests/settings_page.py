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
    text, is_open = _HEAD, False
    comment: list[str] = []
    settings: list[tuple[str, str]] = []
    for line in [*EXAMPLE.read_text().splitlines(), ""]:
        setting = re.fullmatch(r"#([A-Z0-9_]+)=(.*)", line)
        if settings and not setting:
            text += _row(settings, comment)
            settings, comment = [], []
        if section := re.fullmatch(r"# --- (.*) ---", line):
            text += f"\n## {section[1]}\n\n| Setting | Meaning |\n|---|---|\n"
            is_open = True
        elif setting:
            settings.append((setting[1], setting[2]))
        elif is_open and line:
            comment.append(line.removeprefix("# "))
    return text


def _row(settings: list[tuple[str, str]], comment: list[str]) -> str:
    """Return the row of settings, given by name and default, that share a comment."""
    meaning = " ".join(comment).replace("<", r"\<").replace("|", r"\|")
    meaning = _CODE.sub(lambda found: f"`{found[0]}`", meaning)
    names = "<br>".join(f"`{name}`" for name, _ in settings)
    if len(settings) == 1 and settings[0][1]:
        meaning += f" Default: `{settings[0][1]}`."
    elif any(default for _, default in settings):
        defaults = (f"`{name}={default}`" for name, default in settings)
        meaning += f" Defaults: {', '.join(defaults)}."
    return f"| {names} | {meaning} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
