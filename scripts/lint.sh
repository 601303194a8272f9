#!/usr/bin/env bash
# Every check that reads the code without running it. Warnings are errors.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venvs/dev/bin
$bin/ruff check --quiet .
$bin/ruff format --check --quiet .
$bin/mypy
$bin/lint-imports
