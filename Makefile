# Everything that a clone can do. `make` lists it.
#
# `make translate` makes the light environment, .venv-light: what a user installs, without torch. The others make .venv,
# with torch and what the tests need. Each environment holds a file `ready`, written last: without it, one that was
# interrupted while it was made is made again from nothing.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
FROM ?= en
WORKERS ?= 2
# By exact version: any looser spelling may choose a build for graphics processors, which is several gigabytes.
TORCH := torch==2.13.0

# What is said here reaches the commands below by environment and is never read by a shell, nor by make: `$(value)`
# takes a text with dollars, quotes and backticks as it is.
override TEXT := $(value TEXT)
export TEXT FROM TO PYTHON

# Packages, and folders too: a file that was removed changes its folder. Not what is compiled into the clone for .venv.
SOURCES := $(shell find lamella -name __pycache__ -prune -o -name '*.so*' -prune -o -print)

# An environment names its own place in its scripts: if it was moved with its clone it is made again.
moved = $(if $(shell [ "`cat $(1)/ready 2>/dev/null`" = "`pwd -P`" ] || echo moved),FORCE)

# $(call environment,FOLDER): an empty one where there is none that works. `ready` goes until all is done.
define environment
if [ -e $(1)/ready ] && [ "`cat $(1)/ready`" = "`pwd -P`" ] && $(1)/bin/python -c '' 2>/dev/null; then \
	mv $(1)/ready $(1)/started; \
else \
	for python in "$$PYTHON" python3 python3.13 python3.12 python3.11 python3.14 none; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ "$$python" = none ]; then \
		echo "lamella needs Python 3.11 or newer; \`$$PYTHON\` is `"$$PYTHON" --version 2>&1 | head -n 1`." \
			"Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
		exit 1; \
	fi; \
	echo "Making the environment $(1) with `"$$python" --version`: this is done once." >&2; \
	"$$python" -m venv --clear $(1) >&2; \
fi; \
pwd -P > $(1)/started
endef

PIP := -m pip install --quiet --disable-pip-version-check --no-input

.venv-light/ready: $(SOURCES) pyproject.toml $(call moved,.venv-light)
	@set -e; $(call environment,.venv-light); \
	.venv-light/bin/python $(PIP) . >&2; \
	mv .venv-light/started $@

.venv/ready: pyproject.toml lamella/version.py $(call moved,.venv)
	@set -e; $(call environment,.venv); \
	.venv/bin/python $(PIP) $(TORCH) >&2; \
	.venv/bin/python $(PIP) $(TORCH) --editable '.[train,dev]' >&2; \
	mv .venv/started $@

.PHONY: help
help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: translate
translate: asked .venv-light/ready ## Translate: make translate TEXT="Hello, world!" TO=fr [FROM=en].
	@.venv-light/bin/python .venv-light/bin/lamella translate --text --from "$$FROM" --to "$$TO" -- "$$TEXT"

.PHONY: asked
asked:
	@if [ -z "$$TEXT" ] || [ -z "$$TO" ]; then \
		echo 'Expected a text and a language: make translate TEXT="Hello, world!" TO=fr [FROM=en]' >&2; \
		exit 1; \
	fi

.PHONY: test
test: .venv/ready gettext ## Run every test, docstrings and README included; ARGS="-k name" for some.
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
		.venv/bin/python -m pytest -n $(WORKERS) --dist worksteal --reruns 2 -rR --durations 40 --durations-min 5 $(ARGS)

.PHONY: test-page
test-page: .venv/ready ## Try the page in a real browser; Node and Chromium are installed where that can be done.
	@tests/page/run

.PHONY: test-fuzz
test-fuzz: .venv/ready ## Ask the server at random, by its own description: minutes; ARGS="--examples 50" for more.
	@OMP_NUM_THREADS=1 .venv/bin/python -m tests.fuzz $(ARGS)

.PHONY: fuzz
fuzz: .venv/ready ## Give every reader odd bytes: ten minutes each; ARGS="--minutes 1 --reader po" for less.
	@OMP_NUM_THREADS=1 .venv/bin/python -m tests.fuzzing $(ARGS)

# The readers, the model folder and the checkpoint, by the tests that are about them; fuzzing is not among these, since a
# line that odd bytes ran through is not one whose behaviour was tested.
COVERED := $(addprefix tests/,data model verbs/test_predict.py train/test_crash.py train/test_engine.py nets/test_vae.py \
	$(addprefix tasks/,dimensionality_reduction text_classification text_generation time_series_forecasting translation))

.PHONY: coverage
coverage: .venv/ready gettext ## Which branches of the readers, the model folder and the checkpoint the tests run: a table.
	@OMP_NUM_THREADS=1 .venv/bin/python -m coverage run -m pytest -q $(COVERED) lamella/data lamella/model lamella/tasks
	@.venv/bin/python -m coverage report

.PHONY: gettext
gettext:
	@command -v msgfmt >/dev/null && exit 0; \
	if [ "`id -u`" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq gettext; } >&2 || true; \
	fi; \
	command -v msgfmt >/dev/null || { \
		echo "The tests check catalogues with msgfmt. Install gettext: apt-get, dnf or brew install gettext." >&2; \
		exit 1; \
	}

.PHONY: check
check: .venv/ready ## Check style, types and who imports whom; print how many lines each task has of its own.
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy --strict lamella
	.venv/bin/python -m pytest -q tests/test_arrows.py
	@.venv/bin/python -m tests.task_lines

.PHONY: docs
docs: .venv/ready ## Build the documentation as a site, in the folder site; a dead link or anchor fails.
	@.venv/bin/python -m docs.build

# Of the others, some take an hour or a file of yours: `python -m bench.NAME --help` says which.
BENCH ?= matmul text_classification glossary

.PHONY: bench
bench: .venv-light/ready .venv/ready ## Measure side by side; BENCH="image_classification" for others. Leave the machine alone.
	@.venv-light/bin/python -m bench.cold_start
	@for name in $(BENCH); do echo; .venv/bin/python -m "bench.$$name" || exit 1; done

.PHONY: clean
clean: ## Remove the environments and everything else that was made here.
	@rm -rf .venv .venv-light .venv-fuzz .coverage tests/page/node_modules build dist site .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find lamella tests bench recipes -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.PHONY: FORCE
FORCE:
