"""``ObjectStoragePath``: a path in an object store. No other module imports upath."""

import shutil
from os import fspath
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from upath import UPath
from upath.extensions import ProxyUPath, classmethod_or_method

from airlock.sdk.io.filesystems import AtFirstUse, attach
from airlock.sdk.io.stat import stat_result


class ObjectStoragePath(ProxyUPath):
    """
    A path with the methods of ``pathlib.Path``, in any store that fsspec knows: ``ObjectStoragePath("s3://conn@b/k")``.

    ``conn_id``, or the part of the URL before ``@``, names the connection whose login opens the store. Without one the
    store is opened by what the environment has.
    """

    __version__: ClassVar[int] = 1
    sep: ClassVar[str] = "/"
    root_marker: ClassVar[str] = "/"

    __slots__ = ("_conn_id",)

    def __init__(
        self, *args: Any, protocol: str | None = None, conn_id: str | None = None, **storage_options: Any
    ) -> None:
        """``storage_options`` are further ones of the file system."""
        if args and isinstance(args[0], ObjectStoragePath):
            conn_id = args[0].conn_id if conn_id is None else conn_id
            args = (args[0].__wrapped__, *args[1:])
        elif args:
            url, named = _without_connection(fspath(args[0]))
            conn_id = named if conn_id is None else conn_id
            args = (url, *args[1:])
        self._conn_id = conn_id
        super().__init__(*args, protocol=protocol, **storage_options)
        self._open_by_connection(self.__wrapped__)

    @classmethod_or_method
    def _from_upath(cls_or_self, upath: UPath, /) -> Self:  # type: ignore[override]  # noqa: N805 - called on both
        """Wraps a path that was made from this one; it is opened by the same connection."""
        path: Self = object.__new__(cls_or_self if isinstance(cls_or_self, type) else type(cls_or_self))
        path.__wrapped__ = upath
        path._conn_id = None if isinstance(cls_or_self, type) else cls_or_self.conn_id
        path._open_by_connection(upath)
        return path

    def _open_by_connection(self, upath: UPath) -> None:
        if self._conn_id is not None:
            # The only place where UPath takes a file system that is open already. Its options would be shown, and
            # pickled, with the path.
            store = attach(upath.protocol or "file", self._conn_id, storage_options=dict(upath.storage_options))
            upath._fs_cached = AtFirstUse(store)  # noqa: SLF001 - as above

    @property
    def conn_id(self) -> str | None:
        """The connection whose login opens the store."""
        return self._conn_id

    @property
    def fs(self) -> Any:
        """The store's file system, as fsspec has it."""
        return attach(self.protocol or "file", self.conn_id).fs if self.conn_id is not None else self.__wrapped__.fs

    @property
    def bucket(self) -> str:
        """The bucket or container; empty for a local file."""
        return urlsplit(str(self.__wrapped__)).netloc if self.protocol else ""

    container = bucket

    @property
    def key(self) -> str:
        """The path inside of the bucket, without a leading slash."""
        text = str(self.__wrapped__)
        return (urlsplit(text).path if self.protocol else text).lstrip(self.sep)

    @property
    def namespace(self) -> str:
        """The scheme and the bucket."""
        return f"{self.protocol}://{self.bucket}" if self.bucket else self.protocol

    def __str__(self) -> str:
        """Returns the URL with the id of the connection, so that a path can be made from it again."""
        text = str(self.__wrapped__)
        if self.conn_id is None or not self.protocol:
            return text
        return f"{self.protocol}://{self.conn_id}@{text.partition('://')[2] or self.path}"

    def __eq__(self, other: object) -> bool:
        """Tells whether both are one path, opened by one connection."""
        return isinstance(other, ObjectStoragePath) and self.samestore(other) and str(self) == str(other)

    def __hash__(self) -> int:
        """Returns the hash of its text."""
        return hash(str(self))

    def samestore(self, other: object) -> bool:
        """Tells whether another path is in the same kind of store, and opened by the same connection."""
        return (
            isinstance(other, ObjectStoragePath) and self.protocol == other.protocol and self.conn_id == other.conn_id
        )

    def samefile(self, other_path: object) -> bool:
        """Tells whether both are the same file."""
        if not isinstance(other_path, ObjectStoragePath):
            return False
        if self == other_path:
            return True
        own, other = self.stat(), other_path.stat()
        inode = own.get("ino")
        return bool(inode) and self.samestore(other_path) and inode == other.get("ino")

    def open(self, mode: str = "r", **kwargs: Any) -> Any:  # type: ignore[override]
        """Opens the file. Arguments beside ``mode`` are fsspec's, such as ``compression="infer"``."""
        if (buffering := kwargs.pop("buffering", None)) is not None:
            kwargs.setdefault("block_size", buffering)
        return self.fs.open(self.path, mode=mode, **kwargs)

    def stat(self, **_: Any) -> stat_result:  # type: ignore[override]
        """Returns what the store knows of the file."""
        return stat_result(self.fs.stat(self.path), protocol=self.protocol, conn_id=self.conn_id)

    def replace(self, target: Any) -> Self:
        """Renames the file, over another one too; returns the new path."""
        return self.rename(target)

    @classmethod
    def cwd(cls) -> Self:
        """Returns the current folder of this process."""
        return cls(UPath.cwd())

    @classmethod
    def home(cls) -> Self:
        """Returns the home folder of this process's user."""
        return cls(UPath.home())

    # --- what object stores have beyond pathlib ---

    def ukey(self) -> str:
        """Returns a text that changes with the file."""
        return str(self.fs.ukey(self.path))

    def checksum(self) -> int:
        """Returns a number that changes with the file."""
        return int(self.fs.checksum(self.path))

    def read_block(self, offset: int, length: int | None, delimiter: bytes | None = None) -> bytes:
        """Reads ``length`` bytes from ``offset`` on, up to the end for None, from one ``delimiter`` to another."""
        return bytes(self.fs.read_block(self.path, offset=offset, length=length, delimiter=delimiter))

    def sign(self, expiration: int = 100, **kwargs: Any) -> str:
        """Returns a URL that opens the file without a login for ``expiration`` seconds, where the store has that."""
        return str(self.fs.sign(self.path, expiration=expiration, **kwargs))

    def size(self) -> int:
        """Returns the number of bytes."""
        return int(self.fs.size(self.path))

    def copy(self, dst: Any, recursive: bool = False, **kwargs: Any) -> None:  # type: ignore[override]
        """Copies the file, or with ``recursive`` the folder, to another path in any store."""
        target = _path(dst)
        if self.samestore(target):
            self.fs.copy(self.path, target.path, recursive=recursive, **kwargs)
        elif _is_local(self):
            target.fs.put(self.path, target.path, recursive=recursive, **kwargs)
        elif _is_local(target):
            self.fs.get(self.path, target.path, recursive=recursive, **kwargs)
        else:
            self._copy_through_here(target, recursive=recursive)

    def copy_into(self, target_dir: Any, recursive: bool = False, **kwargs: Any) -> None:  # type: ignore[override]
        """Copies it into a folder, under its own name."""
        self.copy(_folder(target_dir) / self.name, recursive=recursive, **kwargs)

    def move(self, path: Any, recursive: bool = False, **kwargs: Any) -> None:  # type: ignore[override]
        """Moves the file, or with ``recursive`` the folder, to another path in any store."""
        target = _path(path)
        if self.samestore(target):
            self.fs.move(self.path, target.path, recursive=recursive, **kwargs)
            return
        self.copy(target, recursive=recursive, **kwargs)
        self.fs.rm(self.path, recursive=recursive)

    def move_into(self, target_dir: Any, recursive: bool = False, **kwargs: Any) -> None:  # type: ignore[override]
        """Moves it into a folder, under its own name."""
        self.move(_folder(target_dir) / self.name, recursive=recursive, **kwargs)

    def serialize(self) -> dict[str, Any]:
        """Returns what ``deserialize`` makes it from again."""
        return {"path": str(self), "conn_id": self.conn_id, "kwargs": dict(self.storage_options)}

    @classmethod
    def deserialize(cls, data: dict[str, Any], version: int) -> Self:
        """Makes a path from what ``serialize`` gave; raises ValueError for a newer ``version``."""
        if version > cls.__version__:
            raise ValueError(f"a path of version {version} cannot be read: this SDK knows up to {cls.__version__}")
        return cls(data["path"], conn_id=data.get("conn_id"), **data.get("kwargs", {}))

    def _copy_through_here(self, target: "ObjectStoragePath", *, recursive: bool) -> None:
        """Copies from one store to another: piece by piece, through this process."""
        if not self.is_dir():
            if not self.exists():
                raise FileNotFoundError(f"{self} does not exist")
            _stream(self, target / self.name if target.is_dir() else target)
            return
        if not recursive:
            raise IsADirectoryError(f"{self} is a folder; copy it with recursive=True")
        if target.is_file():
            raise NotADirectoryError(f"{target} is a file: a folder cannot be copied to it")
        for path in self.fs.find(self.path):
            source = type(self)(path, protocol=self.protocol, conn_id=self.conn_id)
            relative = source.path.removeprefix(self.path).lstrip(self.sep)
            copied = target / relative
            copied.parent.mkdir(parents=True, exist_ok=True)
            _stream(source, copied)


def _is_local(path: ObjectStoragePath) -> bool:
    return path.protocol in ("", "file", "local")


def _stream(source: ObjectStoragePath, target: ObjectStoragePath) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer)


def _path(path: Any) -> ObjectStoragePath:
    return path if isinstance(path, ObjectStoragePath) else ObjectStoragePath(path)


def _folder(path: Any) -> ObjectStoragePath:
    folder = _path(path)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    return folder


def _without_connection(url: str) -> tuple[str, str | None]:
    """Returns a URL without the part before ``@``, and that part. Pure."""
    scheme, separator, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if not separator or not at:
        return url, None
    return f"{scheme}://{host}{slash}{path}", user or None
