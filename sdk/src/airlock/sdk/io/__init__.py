"""
Files in object stores, by path. It needs the extra ``io``: ``pip install 'airlock-sdk[io]'``.

    from airlock.sdk import ObjectStoragePath

    path = ObjectStoragePath("s3://my_conn@bucket/folder") / "file.csv"
    path.write_text("a,b")

The part before ``@`` is a connection, whose login opens the store. It is asked for at the first use of the path, so a
path may be made while a DAG file is imported.
"""

try:
    from airlock.sdk.io.filesystems import ObjectStore, attach, get_fs, has_fs, register_fs
    from airlock.sdk.io.path import ObjectStoragePath
except ModuleNotFoundError as e:
    if e.name not in ("fsspec", "upath"):
        raise
    raise ImportError(
        f"paths of object stores need the package {e.name}, which this environment does not have; add it to the image: "
        "pip install 'airlock-sdk[io]'"
    ) from e

__all__ = ["ObjectStoragePath", "ObjectStore", "attach", "get_fs", "has_fs", "register_fs"]
