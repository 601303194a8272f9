"""Reads a try's log as Airflow's API server does: from a folder, or from objects that a remote reader brought."""

import json
import sys
from pathlib import Path

from airflow.utils.log.file_task_handler import FileTaskHandler, _get_compatible_log_stream, _interleave_logs

given = json.load(sys.stdin)
if "objects" in given:
    # What the S3 and Azure readers return: a text for each object, in the order of their names.
    sources, streams = [], [_get_compatible_log_stream(given["objects"])]
else:
    sources, streams = FileTaskHandler(given["folder"])._read_from_local(Path(given["folder"], given["path"]))
shown = [message.model_dump(mode="json") for message in _interleave_logs(*streams)]
print(json.dumps({"sources": [Path(source).name for source in sources], "shown": shown}))
