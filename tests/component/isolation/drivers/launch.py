"""
Launches the searching task, records every token that is minted, and plants a canary where it is told to.

    launch.py DAG_FILE RUNNER_PYTHON PLANT     one JSON object on stdout

It runs as the user that a person would be: root, or the same user as the runner. PLANT is a channel or "".
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from airlock_server.api.serve import EmbeddedServer
from airlock_server.installation import Installation
from airlock_server.keys.tokens import Tokens
from airlock_server.launching.local import containers
from airlock_server.launching.local.executor import Executor
from airlock_server.store import variables, xcoms

#: A stranger's token, in the shape of ours: what the positive controls plant. Never the live one.
CANARY = b"eyJhbGciOiJIUzUxMiJ9." + base64.urlsafe_b64encode(os.urandom(120)).rstrip(b"=") + b"." + b"c" * 86

LEAKY = """
import os, sys, time
fd = os.memfd_create("leak")
if "fd" in sys.argv[1]:
    os.write(fd, bytes(b ^ 1 for b in bytes.fromhex(sys.argv[2])))
kept = bytes(b ^ 1 for b in bytes.fromhex(sys.argv[2])) if "memory" in sys.argv[1] else b""
print("ready", flush=True)
time.sleep(600)
"""


def scrambled(data):
    return bytes(byte ^ 1 for byte in data).hex()


def fingerprint(token):
    data = token if isinstance(token, bytes) else token.encode()
    return {"sha256": hashlib.sha256(data).hexdigest(), "length": len(data)}


def main():
    dag_file, python, plant = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    environ = dict(os.environ) | {"AIRLOCK__LOCAL__RUNNER_PYTHON": python}
    since = time.time() - 1
    live = []
    mint = Tokens._mint
    Tokens._mint = lambda self, *args: live.append(mint(self, *args)) or live[-1]
    # Both tokens are known when /run is answered, and user code begins after that: it reads their hashes then.
    shown = []
    with Installation(environ) as installation:
        executor = Executor(installation, dag_file.parent, environ, shown.append)
        dag = executor.parse(dag_file.name).dags[0]
        task = dag.task("search")
        home = installation.home.path
        conf = {
            "since": since,
            "exposed": [str(home / "jwt.key"), str(home / "encryption.key"), str(home / "airlock.db")],
        }
        leaky = plant_canary(plant, conf, executor)
        execution = Tokens.mint_execution

        def mint_execution(self, ti_id, now=None):
            token = execution(self, ti_id, now)
            wanted = json.dumps([fingerprint(entry) for entry in [*live, CANARY]])
            installation.database.write(lambda c: variables.put(c, installation.encryption, "wanted", wanted, None))
            return token

        Tokens.mint_execution = mint_execution
        ti_id = executor.queue(dag, task, run_id="r", map_index=-1, try_number=1, conf=conf)
        try:
            with EmbeddedServer(installation.database, installation.tokens, installation.encryption) as server:
                executor.serve_at(server.url)
                outcome, _ = executor.run(ti_id, dag_file.name, task)
        finally:
            if leaky is not None:
                leaky.kill()
                leaky.wait()
        value = installation.database.read(
            lambda c: xcoms.get(c, xcoms.XComKey("search", "r", "search", "return_value"), -1)
        )
    print(
        json.dumps(
            {
                "state": outcome.state.value,
                "report": json.loads(value) if value else None,
                "live": [fingerprint(token)["sha256"] for token in live],
                "canary": fingerprint(CANARY)["sha256"],
                "note": executor.isolation.exposed,
                "log": [line.decode("utf-8", "replace") for line in shown][-5:],
            }
        )
    )


def plant_canary(plant, conf, executor):
    """Puts the canary where ``plant`` says; the process that holds it, where it is another's."""
    uid = executor.isolation.uid
    text = CANARY.decode()
    if plant == "environment":
        containers.PASSED_ON = (*containers.PASSED_ON, "LEAK")
        executor._environ = dict(executor._environ) | {"LEAK": base64.b64encode(CANARY).decode()}
    elif plant in ("arguments", "descriptors"):
        popen = subprocess.Popen
        fd = os.memfd_create("leak", 0)
        os.write(fd, CANARY[::-1])

        def leaking(words, **options):
            if "airlock_runner" in words and plant == "arguments":
                # The launcher's own options are read before it forks, so one that says nothing may come twice.
                words = [*words, "--grace-seconds", "60"]
                words[0:1] = [words[0], "-X", f"leak={text}"]
            elif "airlock_runner" in words:
                options["pass_fds"] = [fd]
            return popen(words, **options)

        containers.subprocess.Popen = leaking
    elif plant == "own memory":
        conf["planted"] = scrambled(CANARY)
    elif plant == "files":
        file = Path("/dev/shm", f"leak-{os.getpid()}")
        file.write_text("x" * 5000 + CANARY.hex())
        file.chmod(0o644)
    elif plant:
        own = {"user": uid, "group": uid, "extra_groups": []} if uid is not None else {}
        words = [
            sys.executable if uid is None else sys.argv[2],
            "-c",
            LEAKY,
            plant.removeprefix("others' "),
            scrambled(CANARY),
        ]
        if plant == "others' arguments":
            words.append(text)
        env = {"LEAK": CANARY.hex()} if plant == "others' environment" else {}
        if plant == "others' descriptors":
            words[3] = "fd"
        process = subprocess.Popen(words, stdout=subprocess.PIPE, env=env, **own)
        process.stdout.readline()
        return process
    return None


if __name__ == "__main__":
    main()
