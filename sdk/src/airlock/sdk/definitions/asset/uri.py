"""The one spelling of a URI: two spellings of one URI are one asset, and the same one as in Airflow."""

import warnings


def normal(uri: str) -> str:
    """
    Returns a URI in the spelling by which it is known. Text that does not look like a URI stays as it is.

    The scheme is made lower case, the query is sorted, and a fragment and slashes at the end are removed. A password is
    removed together with its user, with a UserWarning. Raises ValueError for the reserved scheme ``airflow``.
    """
    if ":" not in uri and not uri.startswith("//"):
        return uri
    from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit  # deferred: costs milliseconds

    parts = urlsplit(uri)
    scheme = parts.scheme.lower()
    if not scheme or scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise ValueError(f"Asset: the scheme of {uri!r} is reserved; choose another")
    netloc = parts.netloc
    if parts.password:
        warnings.warn(
            "Asset: a URI must not hold a password; its user and password were removed. Keep them in a connection.",
            UserWarning,
            stacklevel=3,
        )
        netloc = netloc.rpartition("@")[2]
    query = urlencode(sorted(parse_qsl(parts.query))) if parts.query else ""
    return urlunsplit((scheme, netloc, parts.path.rstrip("/") or "/", query, ""))


def scheme_of(uri: str) -> str:
    """Returns the scheme of a URI in lower case; empty if it has none."""
    from urllib.parse import urlsplit  # deferred: costs milliseconds

    return urlsplit(uri).scheme.lower()
