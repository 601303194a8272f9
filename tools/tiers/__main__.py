"""``python -m tiers [all | e2e | soak | NAME ...]`` runs the tiers that these words name. See ``table``."""

import os
import signal
import sys
from typing import NoReturn

from tiers.needs import Needs
from tiers.results import exit_code, summary
from tiers.run import run
from tiers.table import UnknownTier, chosen


def main(words: list[str]) -> int:
    """Runs the tiers; returns 0 if nothing failed, 1 if something did, 2 for an unknown word."""
    try:
        tiers = chosen(words)
    except UnknownTier as e:
        print(e, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    # Where everything has to run, a tier that cannot is a failure.
    complete = os.environ.get("CI") == "true"
    needs = Needs()
    try:
        results = run(tiers, needs)
    except KeyboardInterrupt:
        return 130
    finally:
        needs.close()
    print(f"\n{summary(results, complete=complete)}", flush=True)
    return exit_code(results, complete=complete)


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
