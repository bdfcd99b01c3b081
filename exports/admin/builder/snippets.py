"""Programs that send a request to the API, for people to copy."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from longshore.jobs.admin.presentation import json_text

_KEY = "YOUR_API_KEY"


def curl(url: str, body: Mapping[str, Any]) -> str:
    """Return a command of a POSIX shell. url: of the endpoint that creates exports."""
    return (
        f"curl {shlex.quote(url)} \\\n"
        f"  -H 'PX-API-KEY: {_KEY}' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json_text(body))}"
    )


def python(url: str, body: Mapping[str, Any]) -> str:
    """Return a Python program that needs no package."""
    return f"""import json
from urllib.request import Request, urlopen

body = json.loads({_raw(json_text(body))})
request = Request(
    {json.dumps(url)},
    data=json.dumps(body).encode(),
    headers={{"PX-API-KEY": "{_KEY}", "Content-Type": "application/json"}},
)
with urlopen(request) as response:
    print(json.load(response)["id"])"""


def _raw(text: str) -> str:
    """Return a Python literal of a text over several lines, if it can be a raw string."""
    if "'''" in text or text.endswith("'"):
        return repr(text)
    return f"r'''{text}'''"
