"""The one request to Airflow's API server: what it sends, and that a server that is away is told apart."""

import json
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airlock_executor import rerun
from airlock_executor.rerun import Answer


class Handler(BaseHTTPRequestHandler):
    def do_PATCH(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.requests, served.status = [], 204
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join(10)


def test_a_task_instance_asks_to_be_scheduled_again_at_once(server):
    url = f"http://127.0.0.1:{server.server_port}/execution/"

    assert Answer.SAVED is rerun.reschedule(url, "the-id", "the-token")
    ((path, headers, body),) = server.requests
    assert "/execution/task-instances/the-id/state" == path
    assert ("Bearer the-token", "2026-06-30") == (headers["Authorization"], headers["Airflow-API-Version"])
    assert {"state", "reschedule_date", "end_date"} == set(body)
    assert "up_for_reschedule" == body["state"]
    # Airflow refuses a date without a zone.
    assert datetime.fromisoformat(body["reschedule_date"]).tzinfo


def test_a_server_that_is_away_is_asked_again_later(server):
    server.status = 503
    url = f"http://127.0.0.1:{server.server_port}/execution"

    assert Answer.AWAY is rerun.reschedule(url, "the-id", "the-token")
    assert Answer.AWAY is rerun.reschedule("http://127.0.0.1:1/execution", "the-id", "the-token")
