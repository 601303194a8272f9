#!/usr/bin/env bash
# Makes the Python environment a command needs, from hashed locks, and only when the lock or the members changed.
#   scripts/environment.sh runtime   what `make demo` needs
#   scripts/environment.sh dev       that, and everything the checks and tests need
#   scripts/environment.sh airflow   the reference, Airflow itself, in an environment of its own
#   scripts/environment.sh schemathesis   what makes calls from an OpenAPI document
#   scripts/environment.sh docs      what makes the documents a site
#   scripts/environment.sh uv        only the installer
set -euo pipefail
cd "$(dirname "$0")/.."
want=$1
python=${PYTHON:-python3}
folder=.venvs/$want
# These have nothing of ours in them.
case $want in airflow | docs | schemathesis) ours=no ;; *) ours=yes ;; esac
members=(wire sdk runner sidecar operator server executor)

"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "Airlock needs Python 3.11 or newer as '$python'; set PYTHON to one, for example: make demo PYTHON=python3.12" >&2
    exit 2
}

uv=.venvs/uv/bin/uv
if [ "$(cat .venvs/uv/.stamp 2>/dev/null)" != "$(sha256sum <requirements/uv.txt)" ]; then
    rm -rf .venvs/uv
    "$python" -I -m venv .venvs/uv
    .venvs/uv/bin/python -I -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/uv.txt
    sha256sum <requirements/uv.txt >.venvs/uv/.stamp
fi

[ "$want" != uv ] || exit 0

# A stamp carries the content it was made from; a half-finished install leaves none.
stamp() {
    { "$python" -V; cat scripts/environment.sh requirements/uv.txt "requirements/$want.txt"; if [ "$ours" = yes ]; then cat ./*/pyproject.toml; fi; } \
        | sha256sum | cut -d' ' -f1
}
now=$(stamp)
[ "$(cat "$folder/.stamp" 2>/dev/null)" != "$now" ] || exit 0

# uv reads no pip.conf: an index, a proxy or an authority of one's own is said once, to pip.
told=$(.venvs/uv/bin/python -I -m pip config list --disable-pip-version-check | "$python" -I scripts/pip_to_uv.py)
eval "$told"
"$uv" venv --quiet --clear --python "$python" "$folder"
export VIRTUAL_ENV=$PWD/$folder
"$uv" pip sync --quiet --compile-bytecode --require-hashes "requirements/$want.txt"
if [ "$ours" = yes ]; then
    # The members are paths, not builds: a .pth file each, so that an edit is live and nothing is compiled here.
    site=$("$folder/bin/python" -I -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
    for member in "${members[@]}"; do echo "$PWD/$member/src"; done >"$site/airlock-members.pth"
    printf '#!/bin/sh\nexec "%s" -I -m airlock_server "$@"\n' "$PWD/$folder/bin/python" >"$folder/bin/airlock"
    chmod +x "$folder/bin/airlock"
fi
# The chart is rendered by tests that need no cluster; the package index has no helm for every machine.
if [ "$want" = dev ] && [ ! -e "$folder/bin/helm" ]; then
    helm=$(PYTHONPATH=tools "$folder/bin/python" -P -c 'from cluster.programs import golang; print(golang.helm() / "helm")')
    ln -s "$helm" "$folder/bin/helm"
fi
echo "$now" >"$folder/.stamp"
