"""Paths, URLs and passwords of the embedded PostgreSQL and Valkey.

All files are under LOCAL_DIR: `postgres/` and `valkey/` (data), `run/` (sockets), `log/`,
`secret_key`, `valkey_password`. The servers do not listen on TCP. `servers` starts and stops them.
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
# Maximum path of a socket: sun_path has 104 bytes on macOS, 108 on Linux, including a final NUL.
MAX_SOCKET_PATH_BYTES = 103


def secret_key(local_dir: Path) -> str:
    """Return the SECRET_KEY of this installation, created on first use."""
    return _stored_secret(local_dir / "secret_key")


def valkey_password(local_dir: Path) -> str:
    """Return the password of the embedded Valkey, a second protection of its private socket."""
    return _stored_secret(local_dir / "valkey_password")


def _stored_secret(path: Path) -> str:
    """Return the random text of a file, which is created on first use, readable by its owner."""
    local_dir = path.parent
    if not path.exists():
        local_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=local_dir) as file:  # mode 0600
            file.write(secrets.token_urlsafe(50))
            file.flush()
            # Linking is atomic, so concurrent processes agree on one secret.
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text()


def database(local_dir: Path) -> dict[str, Any]:
    """Return the `DATABASES` entry of the embedded PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": DATABASE,
        "HOST": str(postgres_socket(local_dir).parent),
    }


def broker_url(local_dir: Path) -> str:
    """Return the URL of the embedded Valkey for Celery (database 0)."""
    password = valkey_password(local_dir)
    return f"redis+socket://:{password}@{quote(str(valkey_socket(local_dir)))}"


def cache_url(local_dir: Path) -> str:
    """Return the URL of the embedded Valkey for the cache (database 1)."""
    return valkey_url(local_dir, database=1)


def valkey_url(local_dir: Path, *, database: int) -> str:
    """Return the URL of the embedded Valkey for redis-py."""
    password = valkey_password(local_dir)
    return f"unix://:{password}@{quote(str(valkey_socket(local_dir)))}?db={database}"


def postgres_socket(local_dir: Path) -> Path:
    return socket_dir(local_dir) / ".s.PGSQL.5432"


def valkey_socket(local_dir: Path) -> Path:
    return socket_dir(local_dir) / "valkey.sock"


def socket_dir(local_dir: Path) -> Path:
    """Return the private folder of both sockets.

    It is LOCAL_DIR/run, unless the path is too long for a socket or contains a comma, which libpq
    treats as a separator of hosts. Then it is a temporary folder named by a hash of LOCAL_DIR.
    """
    folder = local_dir / "run"
    longest = os.fsencode(folder / ".s.PGSQL.5432.lock")
    if len(longest) <= MAX_SOCKET_PATH_BYTES and b"," not in longest:
        return folder
    digest = hashlib.sha256(os.fsencode(local_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"longshore-{digest}"
