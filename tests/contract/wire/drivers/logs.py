"""
Runs in Airflow's environment: gives log lines to the supervisor's own reader of a runner's log channel.

Arguments: the file that the supervisor writes. Standard input: the lines.
"""

import sys
from unittest.mock import Mock

from airflow.sdk.execution_time.supervisor import _configure_logging, process_log_messages_from_subprocess

logger, file = _configure_logging(sys.argv[1], Mock())
reader = process_log_messages_from_subprocess((logger,))
next(reader)
for line in sys.stdin.buffer:
    reader.send(line)
file.close()
