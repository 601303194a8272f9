"""
Runs in Airflow's environment: reads each frame with Airflow's classes and writes the message again with them.

Standard input: a JSON list of {"request": bool, "error": bool, "frame": hex}. Standard output: a JSON list of
{"id", "carrier", "value": the message as Airflow understood it, "frame": hex of what Airflow writes}.
"""

import json
import sys

from comms import read_request, read_response, write_request, write_response

answers = []
for given in json.load(sys.stdin):
    data = bytes.fromhex(given["frame"])
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    if given["request"]:
        frame, message = read_request(data)
        carrier = frame.context_carrier
        written = write_request(frame.id, message, carrier)
    else:
        frame, message = read_response(data)
        carrier = None
        assert (frame.error is not None) == given["error"]
        written = write_response(frame.id, message, error=given["error"])
    value = {"type": type(message).__name__, **message.model_dump(mode="json", by_alias=True)}
    answers.append({"id": frame.id, "carrier": carrier, "value": value, "frame": written.hex()})
print(json.dumps(answers))
