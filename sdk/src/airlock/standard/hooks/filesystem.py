"""A folder that a connection names."""

import os
from typing import Any

from airlock.sdk.bases.hook import BaseHook


class FSHook(BaseHook):
    """The folder in the extras of a connection: ``{"path": "/data"}``."""

    conn_name_attr = "fs_conn_id"
    default_conn_name = "fs_default"
    conn_type = "fs"
    hook_name = "File (path)"

    def __init__(self, fs_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        """Reads the connection. Raises ConnectionNotFound or PermissionDenied."""
        super().__init__(**kwargs)
        self.conn = self.get_connection(fs_conn_id)
        self.basepath: str = self.conn.extra_dejson.get("path", "")

    def get_conn(self) -> None:
        """Returns nothing: a folder needs no client."""

    def get_path(self) -> str:
        """Returns the folder; empty if the connection names none."""
        return self.basepath

    def test_connection(self) -> tuple[bool, str]:
        """Tells whether the folder exists, and what is wrong if it does not."""
        if not self.basepath:
            return False, "File Path is undefined."
        if not os.path.exists(self.basepath):
            return False, f"Path {self.basepath} does not exist."
        return True, f"Path {self.basepath} is existing."
