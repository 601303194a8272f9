"""Counts what the kernel killed in this container for memory. Standard library only, like the launcher."""

#: Where the kernel counts the processes of this container that it killed for memory, in cgroup v2 and v1.
_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def oom_kills() -> int:
    """Tells how many processes of this container were killed for memory so far; 0 if no counter is readable."""
    for path in _COUNTERS:
        try:
            with open(path) as counters:
                words = [line.split() for line in counters]
        except OSError:
            continue
        return sum(int(word[1]) for word in words if len(word) == 2 and word[0] == "oom_kill")
    return 0
