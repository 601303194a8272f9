"""An index of Python packages that a connection names."""

import subprocess
from typing import Any
from urllib.parse import quote, urlparse

from airlock.sdk.bases.hook import BaseHook

#: What pip answers where it searched and found nothing.
_NOT_THERE = 23


class PackageIndexHook(BaseHook):
    """The address of an index, with the login and password of the connection in it."""

    conn_name_attr = "pi_conn_id"
    default_conn_name = "package_index_default"
    conn_type = "package_index"
    hook_name = "Package Index (Python)"

    def __init__(self, pi_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        """Reads the connection when it is used."""
        super().__init__(**kwargs)
        self.pi_conn_id = pi_conn_id

    def get_conn(self) -> str:
        """Returns the address."""
        return self.get_connection_url()

    def get_connection_url(self) -> str:
        """Returns the address. Raises ValueError for a connection without a host."""
        connection = self.get_connection(self.pi_conn_id)
        if not connection.host:
            raise ValueError(f"Please provide an index URL: the connection {self.pi_conn_id!r} has no host")
        url = urlparse(connection.host)
        host = url.netloc.rpartition("@")[2]
        if connection.login:
            password = f":{quote(connection.password)}" if connection.password else ""
            host = f"{quote(connection.login)}{password}@{host}"
        return url._replace(netloc=host).geturl()

    def test_connection(self) -> tuple[bool, str]:
        """Tells whether pip reaches the index."""
        command = ["pip", "search", "not-existing-test-package", "--no-input", "--index", self.get_connection_url()]
        result = subprocess.run(command, check=False, capture_output=True)
        host = self.get_connection(self.pi_conn_id).host
        if result.returncode not in (0, _NOT_THERE):
            return False, f"Connection test to {host} failed. Error: {result.stderr!r}"
        return True, f"Connection to {host} tested successfully!"
