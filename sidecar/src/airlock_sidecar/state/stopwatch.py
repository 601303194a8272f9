"""
Counts the seconds that a task itself used. Pure: each method is told the moment, on one monotonic clock.

The seconds in which the runner waits for a server that is away do not count. A runner has at most one request under
way. A request that is answered at its first try counts. Once a try fails, the request's time is in doubt from its
beginning on:

* The time up to the request's answer, or up to a heartbeat that fails, does not count: the server was away.
* A try that fails after a heartbeat was answered makes the request suspect: the server is there, and this request alone
  is not answered. The time since that heartbeat counts, and from then on the time up to each answered heartbeat.
"""


class Stopwatch:
    """The seconds of one launch: first those until user code begins, then those of user code, which start at zero."""

    def __init__(self, spent: float = 0.0, *, begun: bool = False, ended: bool = False) -> None:
        """Continues from what an earlier sidecar of this launch had counted."""
        self.begun = begun
        self.ended = ended
        self._spent = spent
        #: Seconds after this moment are not in ``_spent`` yet; None while nothing is counted.
        self._since: float | None = None
        self._request_at: float | None = None
        #: The seconds after this moment are in doubt.
        self._doubt: float | None = None
        #: When a heartbeat was answered, since the last try that failed.
        self._answered_at: float | None = None
        self._suspect = False

    @property
    def waits(self) -> bool:
        """Whether a request is under way and has not failed yet: it is not known whose its time is."""
        return self._request_at is not None and self._doubt is None

    @property
    def doubts(self) -> bool:
        """Whether a request under way has failed."""
        return self._doubt is not None

    def spent(self, at: float) -> float:
        """Returns the seconds that count."""
        if self._since is None:
            return self._spent
        return self._spent + max(0.0, (at if self._doubt is None else self._doubt) - self._since)

    def start(self, at: float) -> None:
        """Begins to count: the runner was told to begin, or a restarted sidecar has it back."""
        if self._since is None and not self.ended:
            self._since = at

    def begin(self, at: float) -> bool:
        """Notes that user code begins; returns True the first time."""
        if self.begun or self.ended or self._since is None:
            return False
        self.begun, self._spent, self._since = True, 0.0, at
        self._doubt = None if self._doubt is None else at
        self._answered_at = None
        return True

    def ask(self, at: float) -> None:
        """Notes that a request of the runner's goes to the server."""
        self._request_at, self._suspect = at, False

    def fail(self, at: float) -> None:
        """Notes that the request had no answer, and is tried again."""
        if self._request_at is None or self._since is None:
            return
        if self._doubt is None:
            self._doubt = max(self._request_at, self._since)
        elif self._answered_at is not None:
            self._suspect = True
            self._settle(at, at - self._answered_at)

    def beat(self, at: float, *, answered: bool) -> None:
        """Notes that a heartbeat was answered, or that it failed."""
        if self._doubt is None:
            return
        if not answered:
            self._suspect = False
            self._settle(at, 0.0)
        elif self._suspect:
            self._settle(at, at - self._doubt)
        else:
            self._answered_at = self._answered_at or at

    def answer(self, at: float, *, at_fault: bool = False) -> None:
        """Notes that the request is over. ``at_fault``: the server answers others, and never this request."""
        if self._doubt is not None:
            self._settle(at, at - self._doubt if at_fault else 0.0)
        self._request_at = self._doubt = None

    def _settle(self, at: float, own: float) -> None:
        """Ends the doubt about the seconds up to now: so many of them count. What follows is in doubt again."""
        self._spent = self.spent(at) + own
        self._since = self._doubt = at
        self._answered_at = None

    def end(self, at: float) -> None:
        """Ends the count: the task reported its end, or the runner is gone."""
        self._spent = self.spent(at)
        self._since = self._request_at = self._doubt = None
        self.ended = True
