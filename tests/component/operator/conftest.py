import http.server
import threading

import pytest


class Played(http.server.BaseHTTPRequestHandler):
    """Answers each GET with the status and the bytes of ``answers``, and notes path and headers in ``asked``."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers))
        status, data = self.server.answers(self.path, self.headers)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def played():
    """An HTTP server whose answers a test gives."""
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Played)
    served.asked, served.answers = [], lambda path, headers: (200, b"{}")
    served.url = f"http://127.0.0.1:{served.server_port}"
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield served
    served.shutdown()
    served.server_close()
    thread.join(10)
