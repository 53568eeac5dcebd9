# What a person does with this repository. `make` alone lists it.
# Each recipe ends in `exec`, so that Ctrl-C reaches the program itself; --pdeathsig ends it also when make was killed.

.DEFAULT_GOAL := help
.SUFFIXES:
unexport ARGS
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
ARGS ?=
# Most tests wait for real parts, so there are more workers than cores, each with a bed of its own; tests/timing/workers.py says how many.
WORKERS ?= auto
STAGES ?= 2
MINUTES ?= 10
SEED ?=
SLURM_RELEASES := 20.11 22.05 24.11 26.05
CHECKS := lint types layers shell generated lock
OWN := env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL setpriv --pdeathsig INT

.PHONY: help demo playground test test-long faults scale e2e bench check crds chart docs clean environment $(CHECKS)

help: ## List these targets
	@awk 'BEGIN { FS = ":.*## "; print "make TARGET, where TARGET is one of:" } \
	  /^[a-z0-9-]+:.*## / { printf "  %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: environment ## Show one Job from apply to Complete and its removal, on real parts; without root, or with DEMO=process, without Slurm
	@exec $(OWN) $(BIN)/python -m demo

playground: environment ## The same set-up, which stays up for you to try things, until `make clean`
	@exec $(OWN) $(BIN)/python -m demo playground

test: environment ## Run all tests on real parts; ARGS="-k once" picks some, as pytest does
	@echo "test: getting what the test bed needs (the first time: about twenty minutes; later: nothing to do)" >&2
	@exec $(OWN) $(BIN)/python -m bed fetch $(SLURM_RELEASES:%=--release %)
	@exec $(OWN) $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

test-long: environment ## Run the tests that repeat something whole, of which `make test` runs a share that a seed gives
	@exec $(OWN) $(BIN)/python -m bed fetch $(SLURM_RELEASES:%=--release %)
	@exec $(OWN) $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --long -m long $(ARGS)

faults: environment ## Play every fault in every moment of a Job, walk at random for MINUTES, and write docs/reliability.md; about an hour
	@exec $(OWN) $(BIN)/python -m faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) --stages $(STAGES) --page docs/reliability.md $(ARGS)

scale: environment ## A thousand Jobs under a controller that is killed again and again, and namespaces deleted: about ten minutes
	@exec $(OWN) $(BIN)/python -m scale $(ARGS)

e2e: environment ## Install the image by its chart and use it as people do, on a node of the bed's own; ARGS=--kind or --use-existing: elsewhere
	@exec $(OWN) $(BIN)/python -m bed fetch
	@exec $(OWN) $(BIN)/pytest --numprocesses 0 --long tests/e2e tests/image/test_image_runs.py::test_two_builds_are_the_same $(ARGS)

bench: environment ## Measure it beside what else would do, and write docs/performance.md: half an hour; ARGS=ssh-pool measures one, ARGS=peers other tools
	@exec $(OWN) $(BIN)/python -m benchmarks --page docs/performance.md $(ARGS)

check: environment ## Run every check of the source, without starting anything: about a minute
	@exec .ci/check $(CHECKS)

environment: ## Make .venv as uv.lock says; the targets above and below begin with it
	@exec .ci/environment

lint: environment ## One of the checks: ruff
	@exec $(BIN)/ruff check .

types: environment ## One of the checks: mypy --strict
	@exec $(BIN)/mypy

layers: environment ## One of the checks: imports point one way
	@exec $(BIN)/lint-imports

shell: environment ## One of the checks: shellcheck on every script
	@exec .ci/shellcheck

generated: environment ## One of the checks: crds/, rbac/, docs/reference/ and the chart are what the code says
	@exec .ci/generated

lock: environment ## One of the checks: uv.lock is what pyproject.toml says
	@exec $(BIN)/uv lock --check --quiet

crds: environment ## Write crds/, rbac/, image/tools.txt, the reference pages in docs/ and what the chart has of them from the code
	@$(BIN)/python -m fairlead.api.crd
	@$(BIN)/python -m fairlead.kube.rights
	@cd docs && ../$(BIN)/python -m generator reference
	@cd docs && ../$(BIN)/python -m generator.chart ../charts/fairlead
	@exec .ci/tools image/tools.txt

chart: environment ## Render the chart with each value file of tests/chart/values, to be looked at and committed
	@exec $(OWN) $(BIN)/python -m chart

docs: crds ## Build the documentation into site/
	@exec env NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --clean

clean: ## Remove what these targets have made in this checkout, and its test beds; downloads in ~/.cache/fairlead stay
	@exec .ci/clean
