# Everything runs in .venv, which is created on first use. Another Python: make PYTHON=python3.12 …
PYTHON ?= python3
GUIDE = exports_project/site/index.html
PIP = .venv/bin/python -m pip --quiet --quiet --disable-pip-version-check

# Containers often forbid it, but tests start hundreds of processes, which would compile all modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run docs test test-fast fuzz lint screenshots requirements openapi conformance release-dump clean

run: .venv/.run $(GUIDE)
	@exec .venv/bin/python -m exports_project.serve

# The guide, which the web server serves at /docs/guide. A link to a page or heading that does not
# exist is an error.
docs: .venv/.run
	@.venv/bin/zensical build --strict

$(GUIDE): zensical.toml $(shell find docs -type f) | .venv/.run
	@echo "Building the guide …"
	@.venv/bin/zensical build
	@touch $@

# More workers than cores: tests with servers mostly wait.
test: .venv/.dev
	@exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Without stacks, browsers, property-based tests and tests that commit.
test-fast: .venv/.dev
	@exec .venv/bin/python -m pytest -n 2 --dist loadfile -m "not slow"

# Random requests against the API description. More: make fuzz FUZZ="--cases 20000 --seed 2"
# Of a dialect: make fuzz FUZZ="--api packagex"
fuzz: .venv/.dev
	@exec .venv/bin/python -m tests.fuzz $(FUZZ)

# Ignore the .env and the servers of an installation.
lint: export ENV_FILE = /dev/null
lint: export DATABASE_URL =
lint: export BROKER_URL =
lint: .venv/.dev docs
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/lint-imports --no-logo --no-cache
	.venv/bin/python -m mypy .
	.venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

# Pictures of all pages of the admin, into docs/screenshots/. Needs Chromium.
screenshots: .venv/.dev
	@exec .venv/bin/python -m tests.browser.screenshots

# Keeps existing pins. Newer versions: make requirements UPGRADE=--upgrade
requirements: .venv/.dev
	for name in requirements requirements-local requirements-dev; do \
		.venv/bin/python -m piptools compile $(COMPILE) --output-file $$name.txt $$name.in || exit 1; \
	done

openapi: .venv/.dev
	.venv/bin/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	for name in packagex nextcommerce commercelayer; do \
		.venv/bin/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn \
			--custom-settings dialects.$$name.description.SETTINGS --file docs/openapi/$$name.yaml || exit 1; \
	done

# The tables of docs/dialects.md, from the tests of the dialects.
conformance: export DJANGO_SETTINGS_MODULE = exports_project.settings
conformance: .venv/.dev
	@exec .venv/bin/python -W ignore::RuntimeWarning -m tests.dialects.conformance

# Once per release: the dump that the next version must be able to migrate.
release-dump: .venv/.dev
	.venv/bin/python -m tests.releases.dump $(VERSION)

COMPILE = $(UPGRADE) --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.venv/.run: requirements.txt requirements-local.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Longshore needs Python 3.11 or newer: make PYTHON=python3.12")'
	@echo "Installing into .venv …"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.txt -r requirements-local.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing the development tools into .venv …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
