# Everything runs in a virtual environment of its own; nothing is installed by hand.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint format openapi docs clean

demo: $(VENV)/.demo ## analyse a real photograph, write an annotated copy into demo/
	mkdir -p demo
	$(BIN)/python -c "import skimage.data, PIL.Image; PIL.Image.fromarray(skimage.data.astronaut()).save('demo/astronaut.png')"
	$(BIN)/emolens predict demo/astronaut.png --show-scores --annotate demo/annotated

test: $(VENV)/.dev ## run every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" --numprocesses auto --dist loadfile
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m slow --ignore tests/integration --numprocesses auto --dist loadfile
	$(BIN)/python -m pytest -m slow tests/integration

lint: $(VENV)/.dev ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite the code in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.dev ## write the description that the clients in examples/ are generated from
	$(BIN)/python -c "import json; from emolens.serving import create_app; print(json.dumps(create_app().openapi(), indent=2, ensure_ascii=False))" > examples/openapi.json

docs: $(VENV)/.docs ## build the documentation into site/
	$(BIN)/mkdocs build --strict

clean: ## remove the environment and what was built
	rm -rf $(VENV) demo dist site

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) --editable '.[docs]'
	touch $@
