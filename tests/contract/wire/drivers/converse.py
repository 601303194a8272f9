"""
Runs in Airflow's environment: Airflow's CommsDecoder speaks over a socket whose other end is ours.

Standard input: {"fd": the socket's descriptor, "parse": bool, "ask": [bodies]}. It first reads the message that
starts a runner, then sends each request. Standard output: what each read gave, the starting message first.
"""

import json
import socket
import sys

from airflow.dag_processing.processor import ToDagProcessor
from airflow.sdk.exceptions import AirflowRuntimeError
from airflow.sdk.execution_time.comms import CommsDecoder, ToTask
from comms import validate_request
from pydantic import TypeAdapter

given = json.load(sys.stdin)
union = ToDagProcessor if given["parse"] else ToTask
decoder = CommsDecoder(socket=socket.socket(fileno=given["fd"]), body_decoder=TypeAdapter(union))


def shown(message):
    return (
        None if message is None else {"type": type(message).__name__, **message.model_dump(mode="json", by_alias=True)}
    )


heard = [{"answer": shown(decoder._get_response())}]
for body in given["ask"]:
    try:
        heard.append({"answer": shown(decoder.send(validate_request(body)))})
    except AirflowRuntimeError as e:
        heard.append({"raised": shown(e.error)})
print(json.dumps(heard))
