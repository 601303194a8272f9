"""``python -m airlock_operator``."""

import sys

from airlock_operator.process import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
