# make run    install what is missing, then open the player on the bundled scene
# make test   install what is missing, then run all tests (ARGS="-k codec" chooses some)
# make release  check and build a release into dist/ (docs/release.md); DRAFT=1 tries it
# make lock   write the versions of constraints-dev.txt; LOCKED=1 with run or test installs them
# PYTHON=/path/to/python3.12 chooses the interpreter; otherwise a Python 3.11 to 3.13 is found.

PYTHON ?=
VENV ?= .venv
SCENE ?=
ARGS ?=
LOCKED ?=
export PYTHON VENV LOCKED

.PHONY: help run test lint format docs release lock clean

help:
	@sed -n 's/^# //p' Makefile
	@echo "make lint, make format, make docs, make clean"

run:
	@bash scripts/setup.sh run
	@$(VENV)/bin/python main.py $(SCENE) $(ARGS)

test:
	@bash scripts/setup.sh test
	@bash scripts/test.sh $(ARGS)

lint:
	@bash scripts/setup.sh test
	@bash scripts/lint.sh

format:
	@bash scripts/setup.sh test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs:
	@bash scripts/setup.sh test
	$(VENV)/bin/python scripts/make_docs.py keys performance

release:
	@bash scripts/setup.sh test
	@bash scripts/release.sh

lock:
	@bash scripts/setup.sh test
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	@UV=$(VENV)/bin/uv bash scripts/lock.sh $(ARGS)

clean:
	rm -rf $(VENV) build dist artifacts *.egg-info .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
