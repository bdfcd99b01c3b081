"""The committed API descriptions, and the rules of OpenAPI for descriptions."""

import json
from pathlib import Path
from typing import Any

import drf_spectacular.validation
import jsonschema_rs
import yaml
from django.conf import settings

COMMITTED: Path = settings.BASE_DIR / "docs" / "openapi.yaml"


def committed(dialect: str) -> Path:
    """Return the file of the description of a dialect."""
    path: Path = settings.BASE_DIR / "docs" / "openapi" / f"{dialect}.yaml"
    return path


_RULES = Path(drf_spectacular.validation.__file__).with_name("openapi_3_1_schema.json")


def parse(text: str) -> dict[str, Any]:
    """Parse a description. The C loader saves seconds on a text of this size."""
    found: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    return found


def violations(description: dict[str, Any]) -> list[str]:
    """Return what violates OpenAPI 3.1.

    `spectacular --validate` applies the same rules, but takes 15 s for all resources.
    """
    validator = jsonschema_rs.validator_for(json.loads(_RULES.read_text()))
    return [str(error) for error in validator.iter_errors(description)]
