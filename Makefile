# Everything works from a clean clone with Python 3.11 or later, git, make and, on Debian, apt.

VENV := .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
RUN := $(VENV)/bin
STAMP := $(VENV)/.synced
CODE := mcu mixer codecs tests benchmarks

.DEFAULT_GOAL := help
.PHONY: help setup serve doctor test test-fast check format fuzz show-path show-sound show-pages show-network test-network bench bench-full report clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## The environment in .venv, exactly as uv.lock says

$(STAMP): pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: apt install python3 python3-venv"; exit 1; }
	@test -x $(RUN)/python || "$(PYTHON)" -m venv $(VENV) || { \
		echo "The venv module is needed: apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@test -x $(RUN)/uv || $(RUN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=$(VENV) $(RUN)/uv sync --frozen --inexact --quiet
	@touch $@

serve: $(STAMP) ## Run the server: http://localhost:8080, and HTTPS on the local network (ARGS="--port 9000")
	@$(RUN)/mixdown serve $(ARGS)

doctor: $(STAMP) ## Look whether this machine can run it
	@$(RUN)/mixdown doctor $(ARGS)

check: $(STAMP) ## Style and types
	$(RUN)/ruff check $(CODE)
	$(RUN)/ruff format --check --quiet $(CODE)
	cd src && ../$(RUN)/mypy -p mixdown
	tests/check_types_of_pages.sh $(VENV)/node

test-fast: $(STAMP) ## Tests without real browsers, some minutes less
	$(RUN)/pytest -q -m "not slow" $(ARGS)

test: check ## Everything: style, types, all tests, real browsers (installed by apt if run as root)
	tests/install_browsers.sh
	$(RUN)/pytest -q $(ARGS)

fuzz: $(STAMP) ## Fuzz all that reads what strangers send, five minutes (ARGS="--seconds 60 --only sdp")
	cd tests && ../$(RUN)/python -m fuzz.campaign $(ARGS)

show-path: $(STAMP) ## Real browsers in one room: what each sees and hears, with numbers
	tests/install_browsers.sh
	$(RUN)/python -m benchmarks.show_path $(ARGS)

show-sound: $(STAMP) ## The sound with numbers: loss, jitter, drift, clicks, delay; some 20 minutes (ARGS="--only loss")
	tests/install_browsers.sh
	$(RUN)/python -m benchmarks.show_sound $(ARGS)

show-pages: $(STAMP) ## The pages with numbers: left open, networks that go, screen share (MINUTES=30, ARGS="--only share")
	tests/install_browsers.sh
	$(RUN)/python -m benchmarks.show_pages $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

show-network: $(STAMP) ## Calls over bad networks, and hostile peers, with numbers; as root (ARGS="--rows clean,uplink")
	tests/install_browsers.sh
	$(RUN)/python -m benchmarks.show_network $(ARGS)

bench: $(STAMP) ## Every benchmark in its short form, some six minutes (ARGS="--only mixing,audio")
	$(RUN)/python -m benchmarks.all $(ARGS)

bench-full: $(STAMP) ## The full form, over an hour, beside others (ffmpeg, GStreamer, Janus: by apt if run as root)
	benchmarks/install_rivals.sh
	$(RUN)/python -m benchmarks.all --full $(ARGS)

report: $(STAMP) ## Write the tables of docs/benchmarks.md, docs/sizing.md and the README anew from the records
	$(RUN)/python -m benchmarks.report

test-network: $(STAMP) ## The short form of show-network, as tests; part of `make test`
	tests/install_browsers.sh
	$(RUN)/pytest -q tests/network $(ARGS)

format: $(STAMP) ## Write the code as `make check` wants it
	$(RUN)/ruff check --fix --quiet $(CODE)
	$(RUN)/ruff format --quiet $(CODE)

clean: ## Back to what git knows, but for settings and data
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache src/.mypy_cache .ruff_cache .hypothesis artifacts
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
