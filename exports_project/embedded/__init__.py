"""The embedded PostgreSQL and Valkey: where they live and how to reach them.

Everything is under LOCAL_DIR: `postgres/` and `valkey/` (data), `run/` (sockets), `log/`,
`secret_key`, `valkey_password`. Nothing listens on TCP. This module only names; `servers` starts
and stops.
"""

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

DATABASE = "longshore"
# The shortest sun_path of any system (104 bytes on macOS, 108 on Linux), less its final NUL.
SOCKET_PATH_BYTES = 103


def secret_key(local_dir: Path) -> str:
    """The installation's random key."""
    return _kept_secret(local_dir / "secret_key")


def valkey_password(local_dir: Path) -> str:
    """The password of the embedded Valkey. Its socket is private; this is a second lock."""
    return _kept_secret(local_dir / "valkey_password")


def _kept_secret(path: Path) -> str:
    """A random text, made on first use and readable by its owner only."""
    local_dir = path.parent
    if not path.exists():
        local_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=local_dir) as file:  # mode 0600
            file.write(secrets.token_urlsafe(50))
            file.flush()
            # A link appears whole or not at all, so processes that race agree on one key.
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()


def database(local_dir: Path) -> dict[str, Any]:
    """The `DATABASES` entry that reaches the embedded PostgreSQL through its socket."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": DATABASE,
        "HOST": str(postgres_socket(local_dir).parent),
    }


def broker_url(local_dir: Path) -> str:
    """The Celery broker URL of the embedded Valkey (its database 0)."""
    password = valkey_password(local_dir)
    return f"redis+socket://:{password}@{quote(str(valkey_socket(local_dir)))}"


def cache_url(local_dir: Path) -> str:
    """The cache URL of the embedded Valkey (its database 1)."""
    return valkey_url(local_dir, database=1)


def valkey_url(local_dir: Path, *, database: int) -> str:
    """A URL of the embedded Valkey for its own client."""
    password = valkey_password(local_dir)
    return f"unix://:{password}@{quote(str(valkey_socket(local_dir)))}?db={database}"


def postgres_socket(local_dir: Path) -> Path:
    return socket_dir(local_dir) / ".s.PGSQL.5432"


def valkey_socket(local_dir: Path) -> Path:
    return socket_dir(local_dir) / "valkey.sock"


def socket_dir(local_dir: Path) -> Path:
    """The private folder of both sockets: LOCAL_DIR/run, where a socket's path may be that long.

    Else a folder of the system's temporary one, named after LOCAL_DIR. A comma would make
    libpq read two hosts, so it moves the folder as well.
    """
    folder = local_dir / "run"
    longest = os.fsencode(folder / ".s.PGSQL.5432.lock")
    if len(longest) <= SOCKET_PATH_BYTES and b"," not in longest:
        return folder
    digest = hashlib.sha256(os.fsencode(local_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"longshore-{digest}"
