#!/usr/bin/env bash
# Makes the documents a static site in .build/docs/site. A broken link, or a page that is not in the contents, is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/environment.sh docs
# The site has README, the pages beside it, the examples and docs as they lie in the tree, so that links between them
# hold on both.
rm -rf .build/docs
mkdir -p .build/docs/source
cp -- *.md LICENSE .build/docs/source/
cp -r docs examples .build/docs/source/
rm -rf .build/docs/source/examples/__pycache__
.venvs/docs/bin/python -I -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -c docs -b html \
    .build/docs/source .build/docs/site
cp .build/docs/site/README.html .build/docs/site/index.html
echo "open .build/docs/site/index.html"
