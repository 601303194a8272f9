"""
Copies the launcher out of the sidecar's image into a volume, for a runner whose image lacks it (docs/adr/0013).

Here it is a folder of files and nothing else: the sidecar never imports it.
"""

import os
import shutil
from pathlib import Path

#: The launcher's folder in the volume.
NAME = "launcher"


def copy(source: Path, parent: Path) -> None:
    """
    Puts the folder ``source`` below ``parent``, unless an earlier start of this sidecar did. Raises OSError.

    Whoever waits for it sees all of it or nothing, also after a kill half way.
    """
    target = parent / NAME
    if target.exists():
        return
    new = parent / f"{NAME}.new"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(source, new)
    os.rename(new, target)
