# Everything happens in a virtual environment of the checkout; nothing else is touched.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := tests/data/xrootd/redir-cluster.pcap

.DEFAULT_GOAL := help
.PHONY: help tools demo test rust-test python-test lint format bench fuzz wheel clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

tools: # Say clearly what is missing
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "gridtap needs Python 3.11 or newer: '$(PYTHON)' is not. Name one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "gridtap needs Python's venv module: install python3-venv" >&2; exit 1; }
	@command -v cargo >/dev/null || \
	  { echo "gridtap needs a Rust toolchain (1.88 or newer) with cargo: see https://rustup.rs" >&2; exit 1; }

$(BIN)/maturin: | tools
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet 'maturin>=1.9,<2'

# Built again whenever its sources are newer.
$(VENV)/built: $(BIN)/maturin Cargo.toml Cargo.lock pyproject.toml $(shell find src -name '*.rs')
	$(BIN)/python -m pip install --quiet --group dev
	PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --quiet --release
	@touch $@

# The library whose documented classes ours replace. It has our import name, so it lives apart.
.xrootdlib: | $(BIN)/maturin
	$(BIN)/python -m pip install --quiet --no-deps --target $@ xrootdlib==0.3.0 chainlet==1.3.1

demo: $(VENV)/built ## Decode a real capture; fill and query an archive, load a log; run a collector
	$(BIN)/gridtap decode --format table $(DEMO)
	@echo
	$(BIN)/python examples/archive.py
	@echo
	$(BIN)/python examples/collector.py $(DEMO)

test: rust-test python-test ## Run all tests

rust-test: | tools
	cargo test --quiet --no-default-features

python-test: $(VENV)/built .xrootdlib
	$(BIN)/python -m pytest tests

lint: $(VENV)/built ## Check formats, lints, types and the layering
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	cargo clippy --quiet --all-targets --no-default-features -- -D warnings
	$(BIN)/ruff format --check python tests benches docs examples
	$(BIN)/ruff check python tests benches docs examples
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest gridtap._core
	$(BIN)/lint-imports
	@! grep -rl pyo3 src --include='*.rs' | grep -v '^src/bindings/' || \
	  { echo "only src/bindings may name pyo3" >&2; exit 1; }

format: $(VENV)/built ## Rewrite sources in the project's format
	cargo fmt
	$(BIN)/ruff format python tests benches docs examples
	$(BIN)/ruff check --fix python tests benches docs examples

bench: $(VENV)/built .xrootdlib ## Measure, beside the rivals, and print the table of ratios
	$(BIN)/python benches/run.py

fuzz: | tools ## Fuzz each target for FUZZ_SECONDS (60); needs a nightly toolchain and cargo-fuzz
	$(PYTHON) fuzz/seed.py
	for target in packet capture access snapshot gridftp; do \
	  cargo +nightly fuzz run $$target -- -max_total_time=$${FUZZ_SECONDS:-60} || exit 1; \
	done

wheel: $(BIN)/maturin ## Build the wheel into dist/
	$(BIN)/maturin build --release --out dist

clean: ## Remove everything that was built
	rm -rf $(VENV) .xrootdlib dist target
