"""The Makefile: bare `make` lists the targets."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parent.parent / "Makefile"


@pytest.mark.parametrize("target", [[], ["help"]])
def test_make_lists_every_target(target: list[str]) -> None:
    make = shutil.which("make")
    assert make
    command = [make, "--directory", str(MAKEFILE.parent), *target]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    [targets] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\S+) +\S", done.stdout, re.MULTILINE) == targets.split()
