#!/usr/bin/env bash
# The cluster for tests: its commands, with the environment they need. See tests/cluster/README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh dev >&2
PYTHONPATH=tests exec .venvs/dev/bin/python -P -m cluster "$@"
