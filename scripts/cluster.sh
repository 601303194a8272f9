#!/usr/bin/env bash
# The cluster for tests: its commands, with the environment they need. See tools/cluster/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev >&2
PYTHONPATH=tools exec .venvs/dev/bin/python -P -m cluster "$@"
