# Everything runs in .venv, which is created on first use. Another Python: make PYTHON=python3.12 …
PYTHON ?= python3
GUIDE = exports_project/site/index.html
PIP = .venv/bin/python -m pip --disable-pip-version-check
# Packages that only `make bench` uses, some in other versions than those of the tests.
BENCH_PACKAGES = .venv/bench

# Containers often forbid it, but tests start hundreds of processes, which would compile all modules.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run docs test test-fast fuzz lint bench bench-quick bench-report screenshots requirements openapi conformance settings release-dump clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/.run $(GUIDE) ## Start Longshore with its own servers and demo data
	@exec .venv/bin/python -m exports_project.serve

# The guide, which the web server serves at /docs/guide. A link to a page or heading that does not
# exist is an error.
docs: .venv/.run ## Build the guide that the web server shows at /docs/guide
	@.venv/bin/zensical build --strict

$(GUIDE): zensical.toml $(shell find -L docs -type f) | .venv/.run
	@echo "Building the guide …"
	@.venv/bin/zensical build
	@touch $@

# More workers than cores: tests with servers mostly wait.
test: .venv/.dev ## Run all tests
	@exec .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Without stacks, browsers, property-based tests and tests that commit.
test-fast: .venv/.dev ## Run the tests that take less than a second
	@exec .venv/bin/python -m pytest -n 2 --dist loadfile -m "not slow"

# Random requests against the API description. More: make fuzz FUZZ="--cases 20000 --seed 2"
# Of a dialect: make fuzz FUZZ="--api packagex"
fuzz: .venv/.dev ## Send random requests to the API
	@exec .venv/bin/python -m tests.fuzz $(FUZZ)

# Ignore the .env and the servers of an installation.
lint: export ENV_FILE = /dev/null
lint: export DATABASE_URL =
lint: export BROKER_URL =
lint: .venv/.dev docs ## Check style, types, imports, migrations and the guide
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/lint-imports --no-logo --no-cache
	.venv/bin/python -m mypy .
	.venv/bin/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

# About 25 minutes on an idle machine. A trial run: make bench BENCH="--scale 0.02 --output /tmp/results.json"
bench: .venv/.bench ## Compare Longshore with its peers, and write docs/peers.md
	@PYTHONPATH=$(BENCH_PACKAGES) .venv/bin/python -m benchmarks.suite $(BENCH)
	@$(MAKE) --no-print-directory bench-report

# About three minutes. Store new ratios: make bench-quick BENCH=--save
bench-quick: .venv/.dev ## Fail if exports take more processor time than stored
	@.venv/bin/python -m benchmarks.quick $(BENCH)

bench-report: .venv/.bench ## Write docs/peers.md and its plots from benchmarks/results.json
	@PYTHONPATH=$(BENCH_PACKAGES) .venv/bin/python -m benchmarks.report
	@PYTHONPATH=$(BENCH_PACKAGES) .venv/bin/python -m benchmarks.plots

# Pictures of all pages of the admin, into docs/screenshots/. Needs Chromium.
screenshots: .venv/.dev ## Take the pictures of docs/screenshots
	@exec .venv/bin/python -m tests.browser.screenshots

# Keeps existing pins. Newer versions: make requirements UPGRADE=--upgrade
requirements: .venv/.dev ## Pin the packages of requirements*.in
	for name in requirements requirements-local requirements-dev requirements-bench; do \
		.venv/bin/python -m piptools compile $(COMPILE) --output-file $$name.txt $$name.in || exit 1; \
	done

openapi: .venv/.dev ## Write docs/openapi.yaml and docs/openapi
	.venv/bin/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml
	for name in packagex nextcommerce commercelayer; do \
		.venv/bin/python -W ignore::RuntimeWarning manage.py spectacular --validate --fail-on-warn \
			--custom-settings dialects.$$name.description.SETTINGS --file docs/openapi/$$name.yaml || exit 1; \
	done

# The tables of docs/dialects.md, from the tests of the dialects.
conformance: export DJANGO_SETTINGS_MODULE = exports_project.settings
conformance: .venv/.dev ## Write the tables of docs/dialects.md
	@exec .venv/bin/python -W ignore::RuntimeWarning -m tests.dialects.conformance

settings: ## Write docs/settings.md from .env.example
	@$(PYTHON) -m tests.settings_page

# Once per release: the dump that the next version must be able to migrate.
release-dump: .venv/.dev ## Store the database of a release
	.venv/bin/python -m tests.releases.dump $(VERSION)

COMPILE = $(UPGRADE) --quiet --generate-hashes --allow-unsafe --strip-extras --no-header --no-annotate \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options

# Installs the packages of the files $(1), with the options $(2), and shows how many it has found. pip
# alone shows nothing, or several lines for each package. pip runs in the background, where the shell makes it ignore Ctrl-C.
define install
	@log=$$(mktemp); total=$$(cat $(1) | grep -c '=='); \
	$(PIP) install --require-hashes $(2) $(patsubst %,-r %,$(1)) > "$$log" 2>&1 & pip=$$!; \
	trap 'rm -f "$$log"' EXIT; trap 'kill $$pip; exit 130' INT TERM; \
	while [ -t 1 ] && kill -0 $$pip 2>/dev/null; do \
		printf '\r  %s of %s packages' "$$(grep -c '^ *Collecting' "$$log")" "$$total"; sleep 0.5; \
	done; \
	wait $$pip || { printf '\n'; cat "$$log"; exit 1; }; \
	[ ! -t 1 ] || printf '\r\033[K'
endef

.venv/.run: requirements.txt requirements-local.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Longshore needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python has no venv. On Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv …"
	@$(PYTHON) -m venv .venv
	$(call install,requirements.txt requirements-local.txt)
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt
	@echo "Installing the development tools into .venv …"
	$(call install,requirements-dev.txt)
	@touch $@

.venv/.bench: .venv/.dev requirements-bench.txt
	@echo "Installing the packages of the benchmarks into $(BENCH_PACKAGES) …"
	@rm -rf $(BENCH_PACKAGES)
	$(call install,requirements-bench.txt,--no-deps --target $(BENCH_PACKAGES))
	@touch $@

clean: ## Delete .venv and caches, but not .local
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis
