# make app    install into .venv and serve the app on http://localhost:8501
# make test   install the test tools too and run every test
# make lint   ruff and mypy
# make zoo    train the shipped models again, each from its recipe.json (hours; ZOO="scenes-clean" for one)
#
# CPU-only machine: make app TORCH_INDEX=<PyTorch's CPU wheel index; docs/running.md gives the address>

PYTHON ?= python3
TORCH_INDEX ?=
WORKERS ?= auto
ARGS ?=
ZOO ?= $(notdir $(patsubst %/,%,$(dir $(wildcard models/zoo/*/recipe.json))))

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt \
       $(if $(TORCH_INDEX),--extra-index-url "$(TORCH_INDEX)")
# Two torch processes that each want all cores slow each other twentyfold: one thread per test worker.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: app test lint zoo clean
.DEFAULT_GOAL := app

app: $(VENV)/.app
	$(BIN)/streamlit run app.py --server.address localhost

test: $(VENV)/.test
	@$(BIN)/python -c "import torch, torchvision, timm" || { \
	  echo "torch and torchvision are not builds of one kind. Fix: rm -rf $(VENV), then make test" \
	       "(on a CPU-only machine with TORCH_INDEX, see docs/running.md), so that both come from one place." >&2; exit 1; }
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist loadgroup -q $(ARGS)

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/mypy

zoo: $(VENV)/.app
	@set -e; for name in $(ZOO); do \
	  echo "training $$name"; \
	  $(BIN)/perturb train models/zoo/$$name/recipe.json --out models/zoo/$$name; \
	done

clean:
	rm -rf $(VENV)

$(VENV)/.venv:
	@$(PYTHON) -c "import sys; sys.exit('Perturb Lab needs Python 3.11 or newer; name one: make app PYTHON=python3.12' \
	  if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.app: $(VENV)/.venv pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.test: $(VENV)/.app
	$(PIP) -e ".[test]"
	$(PIP) --no-deps torchattacks
	@touch $@

$(VENV)/.lint: $(VENV)/.app
	$(PIP) -e ".[lint]"
	@touch $@
