# `make help` lists the targets. GENEPT_MIRROR=FOLDER names copies of the public files; empty
# means none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GENEPT_MIRROR ?= $(wildcard ../shared/data)
# Exported even where it is empty: a sub-make must not fall back to the default folder. By the
# shell, since make takes a path with a space for two.
override GENEPT_MIRROR := $(if $(strip $(GENEPT_MIRROR)),$(shell cd "$(GENEPT_MIRROR)" \
  2>/dev/null && pwd || case "$(GENEPT_MIRROR)" in (/*) printf %s "$(GENEPT_MIRROR)";; \
  (*) printf %s "$(CURDIR)/$(GENEPT_MIRROR)";; esac))
export GENEPT_MIRROR
RUN := $(CURDIR)/_build/run

# This list: the comment above a target is its help.
help:
	@awk '/^#/ {said = said (said ? "\n             " : "") substr($$0, 3); next} \
	  /^[a-z]+:/ {split($$0, part, ":"); if (said) printf "make %-7s %s\n", part[1], said} \
	  {said = ""}' $(firstword $(MAKEFILE_LIST))

.PHONY: help audit soak canary colab crate links lock light book pdf test install data run paper write render bench check browser recompute clean

# The environment, the data, a strict run of all notebooks, the static book in _build/html.
# A notebook that fails does not cost the reader the book: its page keeps the committed outputs.
book: install
	@status=0; $(MAKE) --no-print-directory run || status=$$?; \
	  $(MAKE) --no-print-directory render && echo "The book is at _build/html/index.html"; \
	  exit $$status

# The environment in .venv, made or brought up to date.
install: $(VENV)/.installed
$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "== environment in $(VENV) (1 to 3 minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is another; name one with" \
	    "PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

# Every registered file; a run fetches by itself what its notebooks read.
data: install
	@$(BIN)/python -m genept_utils data --fetch all

# Run all notebooks strictly into _build/run; RUN_OPTIONS=--strict also compares results.
run: install
	@echo "== data and notebooks (8 to 15 minutes on two cores, after some 100 MB of data)"
	@$(BIN)/python -m genept_utils run $(RUN_OPTIONS)

# The paper's own cells: fetched into data/paper, checked, run through the chapters, set into the
# ledger as your files; one that fails keeps no other out. PAPER="--only pancreas,ms --yes
# aorta.label=COLUMN layer=counts" names sets, allows more than 1 GB, names columns, parameters.
paper: install
	@status=0; $(BIN)/python -m genept_utils paper $(PAPER) || status=$$?; \
	  test $$status -gt 1 || { $(MAKE) --no-print-directory render && \
	    echo "Your rows are in _build/html/book/ledger.html, marked: your files"; } || exit; \
	  exit $$status

# For maintainers: the outputs of this run become the committed ones.
write: install
	@$(BIN)/python -m genept_utils run --write

# The static book from the last run, or from the committed outputs.
render: install
	@echo "== static book (under a minute)"
	@rm -rf _build/html
	@GENEPT_RESULTS="$$(test -d "$(RUN)/results" && echo "$(RUN)/results" || \
	  echo "$(CURDIR)/data/results")" \
	  $(BIN)/jupyter-book build . -n -W --keep-going --all --quiet

# The whole book as one PDF, _build/genept-book.pdf, printed by Chromium (about a minute).
pdf: install
	@test -f _build/html/book/index.html || $(MAKE) --no-print-directory render
	@PYTHONPATH=book $(BIN)/python -m genept_book.print_book

# Unit tests (what takes more than a second is listed), then nbval on the notebooks.
test: install
	@echo "== unit tests, then nbval on the notebooks (8 to 15 minutes on two cores)"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 --dist worksteal -q \
	  --durations=0 --durations-min=1
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest notebooks -p nbval.plugin -n 2 --dist loadfile -q \
	  --nbval-lax --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 600 \
	  --nbval-current-env

# The optional extras: 200 genes of the shipped embedding are computed again and compared, and
# files that torch writes are read.
recompute: install
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock \
	  -r requirements-models.lock
	@$(BIN)/python -m pytest tests/embed -q -k "200_genes or pretrained"

# Fail where a committed page is stale, a number in its text is found nowhere, or a sentence that
# compares does not say what was recorded.
check: install
	@$(BIN)/python -m genept_utils check
	@$(BIN)/python -m genept_utils check --prose
	@$(BIN)/python -m genept_utils check --claims

# Many texts under faults and many kills; writes the figures of the page on reliability.
soak: install
	@$(BIN)/python tests/faults/soak.py

# Every page in a browser.
browser: install
	@echo "== every page in a browser (two widths, two colour schemes)"
	@$(BIN)/python tests/browser/check_book.py _build/html
	@$(BIN)/python -m pytest tests/browser -n 2 --dist worksteal -q

# Every link of the book to another host.
links: install
	@$(BIN)/jupyter-book build . --builder linkcheck --all

# The tests and a run with the newest versions of everything, in an environment without pins.
canary:
	@rm -rf _build/canary && $(PYTHON) -m venv _build/canary
	@_build/canary/bin/python -m pip install -qq -e ".[render,test,scale,models,st]"
	@_build/canary/bin/python -m pytest tests -n 2 --dist worksteal -q
	@_build/canary/bin/python -m genept_utils run

# The pins can be installed on every Python that the book supports; nothing is installed here.
lock: install
	@$(BIN)/python tests/install/pin.py --check

# Known weaknesses of the pinned packages (asks a public data base).
audit:
	@rm -rf _build/audit && $(PYTHON) -m venv _build/audit
	@_build/audit/bin/python -m pip install -qq pip-audit
	@_build/audit/bin/pip-audit -r requirements.lock --require-hashes --disable-pip

# The module alone in an environment of its own: its size, and that genept_w runs.
light:
	@$(PYTHON) tests/install/check_light.py

# The Colab cell in an environment that has what Colab brings, run twice and in a new session.
colab: install
	@$(BIN)/python tests/install/check_colab.py

# Speed and memory, beside what one would otherwise run; the machine should be idle. The last
# size of atlas.py needs 8 GB of disk and several minutes, book.py runs two books (an hour).
bench: install
	@cd benchmarks && for each in genept_w.py call.py sentences.py pair_logistic.py embed_api.py linear.py atlas.py book.py; \
	  do echo "== $$each"; "$(CURDIR)/$(BIN)/python" $$each || exit 1; done

# The book as a research object: ro-crate-metadata.json, for a deposit.
crate: install
	@PYTHONPATH=book $(BIN)/python -m genept_book.crate

# Take the built book and the last run away.
clean:
	rm -rf _build
