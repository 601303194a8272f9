"""What is taken for an orphan of a launch, in a process that starts several at a time."""

import subprocess
import sys

DRIVER = """
import os, subprocess, sys, time
from airlock_server.launching.local import leftovers
from airlock_wire.process import kernel

kernel.take_orphans()
before = leftovers.children()
sleep = ["sleep", "60"]
other = leftovers.start(lambda: subprocess.Popen(sleep, start_new_session=True))
mine = subprocess.Popen(sleep)
orphan = subprocess.run(
    [sys.executable, "-c", "import subprocess; print(subprocess.Popen(['sleep', '60'], start_new_session=True, stdout=subprocess.DEVNULL).pid)"],
    stdout=subprocess.PIPE, text=True, start_new_session=True,
)
count = leftovers.end(before)
print(count, other.poll(), mine.poll(), os.path.exists(f"/proc/{int(orphan.stdout)}"))
for process in (other, mine):
    process.kill()
    process.wait()
"""


def test_an_orphan_is_ended_and_another_launchs_process_is_not():
    done = subprocess.run([sys.executable, "-c", DRIVER], capture_output=True, text=True, timeout=60, check=True)

    assert "1 None None False" == done.stdout.strip(), done.stderr


SEVERAL = """
import subprocess
from airlock_server.launching.local import leftovers

first = leftovers.enter()
process = subprocess.Popen(["sleep", "60"])
second = leftovers.enter()
print(process.pid in second, leftovers.leave(), leftovers.leave(), process.pid in leftovers.enter())
process.kill()
process.wait()
"""


def test_launches_at_the_same_time_know_the_children_from_before_the_first_and_which_of_them_ends_last():
    done = subprocess.run([sys.executable, "-c", SEVERAL], capture_output=True, text=True, timeout=60, check=True)

    assert "False False True True" == done.stdout.strip(), done.stderr
