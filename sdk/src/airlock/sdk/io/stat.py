"""What a store knows of a file: a dict, with the names of ``os.stat_result`` for what all of them have."""

import stat
from datetime import datetime
from typing import Any


class stat_result(dict[str, Any]):  # noqa: N801 - the name that Airflow and os give it
    """The entries are the store's own. A field that it does not have is 0."""

    st_dev = property(lambda _: 0)
    st_size = property(lambda self: self.get("size") or 0)
    st_gid = property(lambda self: self.get("gid", 0))
    st_uid = property(lambda self: self.get("uid", 0))
    st_ino = property(lambda self: self.get("ino", 0))
    st_nlink = property(lambda self: self.get("nlink", 0))

    @property
    def st_mtime(self) -> float:
        """When the content last changed, in seconds since the epoch."""
        for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
            value = self.get(name)
            if isinstance(value, datetime):
                return value.timestamp()
            if isinstance(value, int | float):
                return value
        return 0

    @property
    def st_mode(self) -> int:
        """The type of the file, and its permissions where the store has them."""
        if "mode" in self:
            return int(self["mode"])
        if self.get("isLink") or self.get("islink"):
            return stat.S_IFLNK
        return {"file": stat.S_IFREG, "directory": stat.S_IFDIR}.get(str(self.get("type")), 0)
