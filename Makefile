# Needs make and Python 3.11 or newer with venv; everything else is fetched by the commands.
.DEFAULT_GOAL := help
# Python keeps its bytecode: without it every process that is started here compiles everything it imports again.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo test unit contract bench soak fuzz lint fmt locks up down e2e manifests docs wheels zoo

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo:  ## a whole DAG, end to end, on this machine: no cluster, no root
	@scripts/demo.sh

test:  ## lint, types and every test tier that this machine can run; says which it cannot, and why
	@scripts/tiers.sh all

unit:  ## unit, repo, and component tests that are not slow: two minutes on two cores
	@scripts/environment.sh dev
	@.venvs/dev/bin/python -P -m pytest -q -n 4 --dist worksteal tests/unit tests/repo tests/component -m "not slow"

contract:  ## against Airflow 3.3's own code
	@scripts/environment.sh dev
	@scripts/environment.sh airflow
	@scripts/environment.sh schemathesis
	@.venvs/dev/bin/python -P -m pytest -q -n 2 tests/contract

bench:  ## the benchmarks, side by side with their peers, as tables
	@scripts/bench.sh

soak:  ## the long forms of the tests: whole matrices, and the fuzzer for long
	@scripts/tiers.sh soak

fuzz:  ## the sidecar's fuzzer, a million frames
	@scripts/environment.sh dev
	@AIRLOCK_FUZZ_FRAMES=1000000 .venvs/dev/bin/python -P -m pytest -q tests/component/sidecar/test_sidecar_fuzz.py

lint:  ## ruff, mypy --strict and the import contracts
	@scripts/environment.sh dev
	@scripts/lint.sh

fmt:  ## format the code
	@scripts/environment.sh dev
	@.venvs/dev/bin/ruff check --fix-only --quiet . && .venvs/dev/bin/ruff format --quiet .

locks:  ## compile every lock anew, after a dependency changed
	@scripts/environment.sh uv
	@scripts/locks.sh

up:  ## a real cluster with Airlock in it; prints the line that lets kubectl and helm reach it
	@scripts/up.sh

down:  ## end that cluster and remove everything that it made
	@scripts/environment.sh dev
	@scripts/cluster.sh down

e2e:  ## the cluster tiers (api, e2e) against it
	@scripts/tiers.sh e2e

wheels:  ## what a user's Airflow image installs: the wheels of airlock-executor and airlock-wire, in dist/
	@scripts/wheels.sh

zoo:  ## the whole zoo of DAGs under our executor and Airflow's own two, on the cluster
	@scripts/tiers.sh zoo

manifests:  ## write what follows from other files anew: the chart's copy of the resource, install.yaml, generated pages
	@scripts/environment.sh dev
	@scripts/manifests.sh

docs:  ## the documents as a static site, in .build/docs/site; a broken link is an error
	@scripts/docs.sh
