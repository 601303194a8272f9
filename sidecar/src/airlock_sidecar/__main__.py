"""The sidecar's command."""

import sys

from airlock_wire.process.imports import without

if __name__ == "__main__":
    with without("typing_extensions"):
        from airlock_sidecar.process import main

    sys.exit(main())
