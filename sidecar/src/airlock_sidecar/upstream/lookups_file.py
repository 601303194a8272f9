"""
Answers for connections and variables that the launch's owner gave to this sidecar, in a mounted Secret's file.

A scheduler may have some in its environment, which the server does not know (``AIRFLOW_CONN_*``, ``AIRFLOW_VAR_*``). In
the runner's environment user code would have all of them without asking. Here they are given by the same rules as those
of the server, and their secrets are masked.
"""

import logging

import msgspec

log = logging.getLogger("airlock.sidecar")


class _Given(msgspec.Struct, frozen=True):
    """The file: for each name in upper case, the answer that the Execution API would send."""

    connections: dict[str, msgspec.Raw] = {}
    variables: dict[str, msgspec.Raw] = {}


class LookupsFile:
    """The answers of a file, which is read at the first question. Without a file the server answers everything."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._given: _Given | None = None

    def connection(self, conn_id: str) -> bytes | None:
        """Returns the answer about a connection; None if the server is to be asked."""
        return _answer(self._read().connections, conn_id)

    def variable(self, key: str) -> bytes | None:
        """Returns the answer about a variable; None if the server is to be asked."""
        return _answer(self._read().variables, key)

    def _read(self) -> _Given:
        if self._given is None:
            self._given = _Given()
            if self._file:
                try:
                    with open(self._file, "rb") as file:
                        self._given = msgspec.json.decode(file.read(), type=_Given)
                except FileNotFoundError:
                    # Its owner has none to give.
                    pass
                except (OSError, msgspec.MsgspecError) as e:
                    # The text of the error could show a part of a secret.
                    log.warning("%s cannot be read (%s): the server is asked", self._file, type(e).__name__)
        return self._given


def _answer(answers: dict[str, msgspec.Raw], name: str) -> bytes | None:
    # A variable of the environment has its name in upper case, and Airflow looks for it so.
    raw = answers.get(name.upper())
    return None if raw is None else bytes(raw)
