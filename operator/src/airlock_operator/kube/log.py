"""The operator's own log: a JSON object a line on stdout, where a cluster collects it."""

import logging
import sys

from airlock_wire.process.jsonlog import JsonFormatter


def install() -> None:
    """Sends everything of level info and above to stdout, kopf's only from warning on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)
