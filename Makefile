# Everything runs in .venv, made on first use. Another interpreter: make PYTHON=python3.12 …
PYTHON ?= python3
PIP = .venv/bin/python -m pip --quiet --quiet --disable-pip-version-check

.PHONY: run test lint requirements openapi clean

run: .venv/.run
	@exec .venv/bin/python -m exports_project.serve

test: .venv/.dev
	@exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# What a production's .env or environment says has no say in how the code reads.
lint: export ENV_FILE = /dev/null
lint: export DATABASE_URL =
lint: export BROKER_URL =
lint: .venv/.dev
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy .
	.venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

requirements: .venv/.dev
	.venv/bin/python -m piptools compile $(COMPILE) --output-file requirements.txt requirements.in
	.venv/bin/python -m piptools compile $(COMPILE) --output-file requirements-dev.txt requirements-dev.in

openapi: .venv/.dev
	.venv/bin/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

COMPILE = --upgrade --quiet --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

.venv/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Longshore needs Python 3.11 or newer: make PYTHON=python3.12")'
	@echo "Installing into .venv …"
	@$(PYTHON) -m venv .venv
	@$(PIP) install -r requirements.txt
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing the development tools into .venv …"
	@$(PIP) install -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
