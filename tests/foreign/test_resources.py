"""docs/resources.md: its declarations pass the system checks in a project of their own."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.foreign.team import ROOT
from tests.test_docs import DOCS, blocks

FILES = {
    "settings.py": """
        from exports_project.settings import *
        INSTALLED_APPS += ["teams", "bookings"]
        DOMAINS = DIALECTS = []
    """,
    "teams/models.py": """
        from django.db import models
        class Team(models.Model):
            name = models.TextField()
    """,
}


@pytest.mark.slow
def test_every_declaration_of_the_page_passes_the_checks(tmp_path: Path) -> None:
    files = {name: dedent(text) for name, text in FILES.items()}
    fragments = []
    for code in blocks(DOCS / "resources.md", "python"):
        first, _, text = code.partition("\n")
        if first.endswith(".py"):
            files[first.removeprefix("# ")] = text
        else:
            fragments.append(code)
    link, filters, *indexes = fragments
    assert len(indexes) == 2
    resource = files["bookings/resources.py"]
    named = "from longshore.resources.named_filters import NamedFilter\n"
    files["bookings/resources.py"] = (
        named + filters + resource.replace("hidden=", "filters=filters, hidden=")
    )
    files["bookings/models.py"] += f"""
{link}

from django.contrib.postgres.indexes import GinIndex
from django.db.models import Index
from longshore.resources.folding import SortKey
from longshore.resources.search import SearchWords

class Place(models.Model):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE)
    name = models.TextField()
    search_text = models.TextField()
    class Meta:
        indexes = [{", ".join(indexes)}]
"""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "django", "check", "--fail-level", "WARNING"],
        cwd=tmp_path,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
