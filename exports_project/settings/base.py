"""Where Longshore runs: the folder of local data, embedded or external servers, its address."""

from pathlib import Path

from exports_project import environment, locations
from exports_project.environment import env

# The folder of the project that runs: this one, or one whose settings import these.
BASE_DIR = locations.project_dir()
env.read_env(env("ENV_FILE", default=str(BASE_DIR / ".env")))

# Without DATABASE_URL (or BROKER_URL) the embedded servers under LOCAL_DIR are used.
LOCAL_DIR = Path(env("LOCAL_DIR", default=str(BASE_DIR / ".local"))).resolve()
EMBEDDED_DATABASE = not env("DATABASE_URL", default="")
EMBEDDED_BROKER = not env("BROKER_URL", default="")
PORT = environment.integer("PORT", 8000, minimum=1, maximum=65_535)
# Base of links in webhooks and emails, which no request precedes.
BASE_URL = environment.base_url("BASE_URL", f"http://127.0.0.1:{PORT}")
DEBUG = env.bool("DEBUG", default=False)
