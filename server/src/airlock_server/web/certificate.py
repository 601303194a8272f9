"""The server's certificate as files that somebody may renew while it serves: a mounted Secret, for example."""

import logging
import os
import ssl

log = logging.getLogger("airlock.api")


class CertificateFiles:
    """The files of a context that is in use; they were loaded when this object is made."""

    def __init__(self, context: ssl.SSLContext, certificate: str, key: str) -> None:
        self._context = context
        self._certificate = certificate
        self._key = key
        self._loaded_marks = self._marks()

    def reload_if_changed(self) -> bool:
        """
        Loads the files anew if one has changed; returns whether it did.

        Files that do not fit together are in the middle of a renewal: the old ones stay in use until the next look.
        """
        marks = self._marks()
        if marks is None or marks == self._loaded_marks:
            return False
        try:
            # Another context tries them first: a pair that does not fit would leave a context with only one of them.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self._certificate, self._key)
            self._context.load_cert_chain(self._certificate, self._key)
        except (OSError, ssl.SSLError) as e:
            log.warning("the new certificate cannot be used", extra={"file": self._certificate, "error": str(e)})
            return False
        self._loaded_marks = marks
        log.info("certificate reloaded", extra={"file": self._certificate})
        return True

    def _marks(self) -> tuple[tuple[int, int], ...] | None:
        try:
            files = [os.stat(path) for path in (self._certificate, self._key)]
        except OSError:
            return None
        return tuple((each.st_mtime_ns, each.st_ino) for each in files)
