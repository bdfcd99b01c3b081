"""Adds code samples to the operations of the native API: shell, Python and JavaScript.

They read the address and the API key from the environment variables BASE and KEY, and the last part
of the path, if it is an identifier, from ID.
"""

import json
import re
from collections.abc import Iterator
from textwrap import indent
from typing import Any

from drf_spectacular.settings import spectacular_settings

from longshore.accounts.authentication import HEADERS
from longshore.api.apis import NATIVE, api_of

_KEY, _JSON = HEADERS[0], "application/json"
# The constants of JSON, which have other names in Python. The first alternative matches whole
# strings, so that a text such as "null" stays as it is.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|true|false|null')
_PYTHON = {"true": "True", "false": "False", "null": "None"}


def add_code_samples(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Add the samples of every operation that needs an API key (a postprocessing hook)."""
    if api_of(spectacular_settings.SCHEMA_PATH_PREFIX) is NATIVE:
        for path, operations in result["paths"].items():
            for method, operation in operations.items():
                if operation.get("security"):
                    operation["x-codeSamples"] = list(_samples(method, path, operation))
    return result


def _samples(method: str, path: str, operation: dict[str, Any]) -> Iterator[dict[str, str]]:
    contents = operation.get("requestBody", {}).get("content", {})
    if contents and _JSON not in contents:
        yield _sample("Shell", _curl(method, path, ["--form file=@FILE"]))
        return
    examples = contents.get(_JSON, {}).get("examples", {})
    body = next((example["value"] for example in examples.values()), None)
    yield _sample("Shell", _curl(method, path, [] if body is None else _curl_body(body)))
    yield _sample("Python", _python(method, path, body))
    yield _sample("JavaScript", _javascript(method, path, body))


def _sample(language: str, source: str) -> dict[str, str]:
    return {"lang": language, "source": source}


def _with_identifier(path: str, identifier: str) -> str:
    """Return the path with its parameter, if it has one, replaced."""
    before, brace, rest = path.partition("{")
    return f"{before}{identifier}{rest.partition('}')[2]}" if brace else path


def _curl(method: str, path: str, options: list[str]) -> str:
    words = [f'curl "$BASE{_with_identifier(path, "$ID")}"']
    if method.upper() != ("POST" if options else "GET"):
        words.append(f"--request {method.upper()}")
    return " \\\n  ".join([*words, f'--header "{_KEY}: $KEY"', *options])


def _curl_body(body: Any) -> list[str]:
    text = json.dumps(body, indent=2, ensure_ascii=False).replace("'", r"'\''")
    return [f'--header "Content-Type: {_JSON}"', f"--data '{text}'"]


def _python(method: str, path: str, body: Any) -> str:
    target = _with_identifier(path, "{os.environ['ID']}")
    url = f'{"f" if target != path else ""}"{target}"'
    options = ""
    if body is not None:
        text = json.dumps(body, indent=4, ensure_ascii=False)
        options = f", json={_TOKEN.sub(lambda found: _PYTHON.get(found[0], found[0]), text)}"
    result = "\nprint(response.json())" if method != "delete" else ""
    return (
        "import os\n\nimport httpx\n\n"
        'client = httpx.Client(base_url=os.environ["BASE"], '
        f'headers={{"{_KEY}": os.environ["KEY"]}})\n'
        f"response = client.{method}({url}{options})\n"
        f"response.raise_for_status(){result}"
    )


def _javascript(method: str, path: str, body: Any) -> str:
    target = _with_identifier(path, "${process.env.ID}")
    headers, options = f'"{_KEY}": process.env.KEY', ""
    if method != "get":
        options = f'  method: "{method.upper()}",\n'
    if body is not None:
        headers = f'{headers}, "Content-Type": "{_JSON}"'
        text = json.dumps(body, indent=2, ensure_ascii=False)
        options += f"  body: JSON.stringify({indent(text, '  ').lstrip()}),\n"
    result = "\nconsole.log(await response.json());" if method != "delete" else ""
    return (
        f"const response = await fetch(`${{process.env.BASE}}{target}`, {{\n"
        f"  headers: {{ {headers} }},\n{options}}});\n"
        f"if (!response.ok) throw new Error(await response.text());{result}"
    )
