"""What wants to know of the server's doings. This one takes no note; the metrics are another."""


class Observer:
    """Is told what happened. Its methods may be called from any thread, and raise nothing."""

    def answered(self, method: str, route: str, code: int, seconds: float) -> None:
        """Takes note of an answer; ``route`` is the route's pattern, empty if no route was found."""

    def exchanged(self, outcome: str) -> None:
        """Takes note of an exchange of a pod's token: granted, or the reason of its refusal."""

    def database(self, operation: str, seconds: float, *, failed: bool) -> None:
        """Takes note of an operation of the database; ``failed`` if the database did not take it."""

    def swept(self, closed: int) -> None:
        """Takes note of a search for TaskRuns that are over, and of how many were closed."""

    def sweep_failed(self) -> None:
        """Takes note of a search that failed."""


#: Takes no note.
NOBODY = Observer()
