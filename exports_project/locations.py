"""Where Longshore is, and where the project that runs is: Longshore itself, or a project that
installs its own apps into it by settings that import those of Longshore.
"""

import os
from importlib.util import find_spec
from pathlib import Path

LONGSHORE_DIR = Path(__file__).resolve().parent.parent


def project_dir() -> Path:
    """Return the folder that holds the package or the module of DJANGO_SETTINGS_MODULE."""
    name = os.environ.get("DJANGO_SETTINGS_MODULE", "").partition(".")[0]
    spec = find_spec(name) if name else None
    if spec is None:
        return LONGSHORE_DIR
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else spec.origin or __file__).resolve().parent
