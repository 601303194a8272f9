"""
User code in a pod that tries every way to the platform that is not a search for bytes (search.py beside it): the
Kubernetes API, the server without a token, the sidecar's volumes and processes, ptrace, IPC. It reports what it got.
"""

import ctypes
import glob
import http.client
import os
import socket
import ssl
import urllib.error
import urllib.request

from airlock.sdk import DAG, task

ANYBODY = ssl._create_unverified_context()


def asked(host, port, method, path, headers=None, body=None):
    """The status of an HTTPS answer, or the error's name."""
    connection = http.client.HTTPSConnection(host, port, timeout=10, context=ANYBODY)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError as e:
        return type(e).__name__
    finally:
        connection.close()


def plainly(url, method, path, headers):
    """The status of an HTTP answer, or the error's name."""
    body = b"{}" if method == "PATCH" else None
    request = urllib.request.Request(url + path, method=method, data=body, headers=headers)
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError as e:
        return type(e).__name__


def tried(what):
    try:
        return what()
    except OSError as e:
        return type(e).__name__


def traced(pid):
    """What the kernel says to ptrace(PTRACE_ATTACH)."""
    libc = ctypes.CDLL(None, use_errno=True)
    return os.strerror(ctypes.get_errno()) if libc.ptrace(16, pid, 0, 0) != 0 else "attached"


def write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"


with DAG("probe"):

    @task
    def probe(dag_run):
        conf = dag_run.conf
        kubernetes = os.environ.get("KUBERNETES_SERVICE_HOST", "kubernetes.default.svc")
        server, port = conf["server"], conf["port"]
        forged = {"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOlsiYWlybG9jayJdfQ.AAAA"}
        run = "/execution/task-instances/01890000-0000-7000-8000-000000000001/run"
        sockets = [line.split()[-1] for line in open("/proc/net/unix").readlines()[1:] if len(line.split()) > 7]
        return {
            "uid": os.getuid(),
            "kubernetes": {
                path: asked(kubernetes, 443, "GET", path)
                for path in (
                    "/api/v1/secrets",
                    "/api/v1/namespaces/default/pods",
                    "/apis/airlock.dev/v1alpha1/taskruns",
                )
            },
            "exchange": [
                asked(server, port, "POST", "/airlock/v1/exchange"),
                asked(server, port, "POST", "/airlock/v1/exchange", forged),
            ],
            "execution": [
                asked(server, port, "PATCH", run, {"Content-Type": "application/json"}, "{}"),
                asked(server, port, "GET", "/execution/variables/greeting", forged),
                asked(server, port, "GET", "/execution/connections/warehouse"),
            ],
            # Airflow's own API server, where that is the one that the task is of.
            "airflow's": [
                plainly(conf["airflow"], method, path, headers)
                for method, path, headers in (
                    ("PATCH", run.removeprefix("/execution"), {}),
                    ("GET", "/variables/greeting", {}),
                    ("GET", "/variables/greeting", forged),
                )
                if "airflow" in conf
            ],
            "tokens": [
                path
                for folder in ("/var/run/secrets", "/var/run/airlock")
                for path in glob.glob(f"{folder}/**", recursive=True, include_hidden=True)
                if os.path.isfile(path)
            ],
            "sidecar's folders": {
                path: os.path.exists(path) for path in ("/airlock/state", "/airlock/log", "/var/run/airlock")
            },
            "socket's folder": {
                "write": tried(lambda: write("/airlock/socket/mine")),
                "unlink": [tried(lambda p=path: os.unlink(p)) for path in glob.glob("/airlock/socket/*")],
                "left": glob.glob("/airlock/socket/*"),
            },
            "root": tried(lambda: write("/mine")),
            "processes": {
                pid: open(f"/proc/{pid}/cmdline").read().replace("\0", " ")
                for pid in filter(str.isdigit, os.listdir("/proc"))
            },
            "launcher": {
                "ptrace": traced(1),
                "mem": tried(lambda: open("/proc/1/mem", "rb").close() or "open"),
                "environ": tried(lambda: open("/proc/1/environ", "rb").close() or "open"),
                "fd": tried(lambda: os.listdir("/proc/1/fd") and "open"),
            },
            "abstract sockets": [name for name in sockets if name.startswith("@")],
            "shared memory": os.listdir("/dev/shm"),
            "sysv": {kind: len(open(f"/proc/sysvipc/{kind}").readlines()) - 1 for kind in ("shm", "sem", "msg")},
            "listening": sorted(
                {
                    int(line.split()[1].rsplit(":", 1)[1], 16)
                    for name in ("tcp", "tcp6")
                    for line in open(f"/proc/net/{name}").readlines()[1:]
                    if line.split()[3] == "0A"
                }
            ),
            "raw socket": tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close() or "open"),
        }

    probe()
