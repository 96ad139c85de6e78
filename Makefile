# What a person types. Everything is built by `python -m envspecs`, from this checkout's own files.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
COMMON := venv/common/bin
DEV := venv/dev/bin
# So many processes test at a time: most tests wait, and the models of two fit into 24 GiB.
TESTERS ?= 2
WHOLE := integration or env or chaos or browser

.PHONY: help build dev up down health demo link test chaos check fix bench bench-rpc bench-dispatch bench-cluster bench-warm bench-film bench-batch bench-subtitles bench-sentences bench-scripts bench-languages bench-idle bench-sizes bench-beside bench-cancel bench-http bench-separation bench-speakers bench-llm bench-gpu bench-glossary bench-cluster-call bench-docs lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## build the environments and fetch their models
	@$(PYTHON) -m envspecs build

dev: ## build what tests and checks need
	@$(PYTHON) -m envspecs build common dev

up: build ## start everything and wait until it is ready
	@$(COMMON)/cpw up

down: ## stop everything
	@$(COMMON)/cpw down

health: ## tell the truth
	@$(COMMON)/cpw health

demo: build ## see a short film subtitled and translated, then a second one by warm models
	@$(PYTHON) -m envspecs build bergamot spleeter
	@$(COMMON)/cpw demo

link: ## put cpw and cpw-submit into ~/.local/bin
	@mkdir -p $(HOME)/.local/bin
	@ln -sf $(CURDIR)/$(COMMON)/cpw $(CURDIR)/$(COMMON)/cpw-submit $(HOME)/.local/bin/

check: dev ## lint, types, import contracts, unit and contract tests: before every commit
	@$(DEV)/ruff check .
	@$(DEV)/ruff format --check .
	@$(DEV)/mypy --python-version 3.10 protocol workers
	@$(DEV)/mypy --python-version 3.11 envspecs coordinator clients cluster supervisor.py
	@$(DEV)/lint-imports
	@$(DEV)/python -m pytest -q -n $(TESTERS)

fix: dev ## let ruff mend what it can
	@$(DEV)/ruff check --fix .
	@$(DEV)/ruff format .

test: build check ## everything: real environments, real films, kills
	@$(PYTHON) -m envspecs build --all
	@$(PYTHON) -m envspecs models fetch whisper-tiny.en whisper-tiny.en-mlx speakers-campplus
	@$(DEV)/python -m pytest -q -n $(TESTERS) -m "($(WHOLE)) and not long and not alone" --durations=15
	@$(DEV)/python -m pytest -q -m "($(WHOLE)) and not long and alone" --durations=15

chaos: export SEED := $(or $(SEED),$(shell od -An -N3 -tu4 /dev/urandom | tr -d " "))
chaos: build ## kills, wrong frames, small jobs, and every other long test; SEED=n does one again
	@echo "SEED=$(SEED)"
	@$(DEV)/python -m pytest -q -m "(chaos and integration) or long" --durations=15

BENCHES := rpc dispatch cluster warm film batch sizes subtitles sentences scripts languages idle beside cancel http separation speakers gpu glossary cluster-call

bench: ## all measurements and one table; fails at the end where one misses its limit
	@$(MAKE) --no-print-directory --keep-going $(addprefix bench-,$(BENCHES)); code=$$?; \
	$(DEV)/python -m tests.bench.table; exit $$code

bench-docs: dev ## write the table of the last measurements into docs/performance.md
	@$(DEV)/python -m tests.bench.table --document

bench-rpc: dev ## what a call costs that does nothing
	@$(DEV)/python -m tests.bench.rpc

bench-dispatch: dev ## what a step costs that does nothing, and what ten thousand queued jobs cost
	@$(DEV)/python -m tests.bench.dispatch

bench-cluster: dev ## how well one coordinator feeds fifty nodes whose steps are short
	@$(DEV)/python -m tests.bench.cluster

bench-batch: build dev ## eight films against a bare loop and the whisperx command line
	@$(DEV)/python -m tests.bench.batch

bench-subtitles: build dev ## our cues against those of whisperx's writer, from the same words
	@$(DEV)/python -m tests.bench.subtitles

bench-sentences: dev ## our sentences and words against those of kept libraries, on labelled lines
	@$(DEV)/python -m tests.bench.sentences

bench-scripts: dev ## Hindi in Latin letters against kept libraries; WORDS=a lexicon of Dakshina
	@$(DEV)/python -m tests.bench.scripts $(WORDS)

bench-languages: build dev ## which language text is told to be in: films, FLORES, translations left in their source
	@$(DEV)/python -m tests.bench.languages

bench-film: build dev ## one film against faster-whisper's batched pipeline
	@$(DEV)/python -m tests.bench.film

bench-sizes: build dev ## what each size of Whisper costs on this processor
	@$(DEV)/python -m tests.bench.sizes

bench-idle: build dev ## what a house costs that has nothing to do
	@$(DEV)/python -m tests.bench.idle

bench-beside: build dev ## what films cost each other, and what a busy neighbour costs them
	@$(DEV)/python -m tests.bench.beside

bench-cancel: build dev ## how soon a film that is cancelled lets go, in each stage
	@$(DEV)/python -m tests.bench.cancel

bench-http: build dev ## what the HTTP server costs
	@$(DEV)/python -m tests.bench.http

bench-separation: build dev ## word errors and seconds over a battle: without separation, with it, auto
	@$(PYTHON) -m envspecs build spleeter
	@$(DEV)/python -m tests.bench.separation

bench-speakers: build dev ## who speaks when: error rates of diarize on the telephone, and on talks made of recordings
	@$(PYTHON) -m envspecs build pyannote
	@$(PYTHON) -m envspecs models fetch speakers-campplus
	@$(DEV)/python -m tests.bench.speakers

bench-llm: build dev ## a language model given scenes, and single lines; LINES=200 takes an hour and more
	@$(PYTHON) -m envspecs build llm bergamot
	@$(DEV)/python -m tests.bench.llm $(if $(LINES),--lines $(LINES))

bench-gpu: build dev ## one film on an NVIDIA GPU against faster-whisper, and on two against one
	@$(DEV)/python -m tests.bench.gpu

bench-glossary: build dev ## thirty names by bergamot: kept with a glossary and without
	@$(PYTHON) -m envspecs build bergamot
	@$(DEV)/python -m tests.bench.glossary

bench-cluster-call: dev ## what a call to a worker of another machine costs
	@$(PYTHON) -m envspecs build cluster
	@$(DEV)/python -m tests.bench.cluster_call

bench-warm: build dev ## a second film against the whisperx command line
	@$(DEV)/python -m tests.bench.warm

lock: ## resolve every environment's requirements anew
	@$(PYTHON) -m envspecs lock

clean: ## remove what was built (models, jobs and logs stay)
	rm -rf venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache
