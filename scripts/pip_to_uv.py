"""
Translates pip's configuration for uv: `pip config list` on stdin, lines for a shell on stdout. Standard library only.

uv does not read pip.conf, so users would have to configure indexes and certificates twice. Variables of uv that are set
already stay as they are.
"""

import ast
import os
import shlex
import sys
from collections.abc import Mapping

#: A later place wins over an earlier, as in pip.
PLACES = ("global", "install", ":env:")
#: pip's options with one value, and the variables that uv reads them from.
SINGLE = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
    "retries": ("UV_HTTP_RETRIES",),
    "no-index": ("UV_NO_INDEX",),
}
#: pip's options with several values, uv's variables, and uv's separator.
SEVERAL = {
    "extra-index-url": ("UV_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "find-links": ("UV_FIND_LINKS", ","),
}
#: Older names of uv's for the same: whoever set one has said it.
OLDER = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def options(listing: str) -> dict[str, str]:
    """
    Returns the options in force, in the output of `pip config list`: lines of place, a dot, option and quoted value.
    """
    ranked: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        place, _, option = name.rpartition(".")
        if place not in PLACES or not value:
            continue
        rank = PLACES.index(place)
        if option not in ranked or rank >= ranked[option][0]:
            ranked[option] = (rank, str(ast.literal_eval(value)) if value[0] in "'\"" else value)
    return {option: value for option, (_, value) in ranked.items()}


def settings(listing: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Returns uv's variables. If pip names no certificates, the system's are trusted, as pip does."""
    variables: dict[str, str] = {}
    for option, value in options(listing).items():
        for name in SINGLE.get(option, ()):
            variables[name] = value.strip()
        if option in SEVERAL:
            name, between = SEVERAL[option]
            # For a missing folder of wheels pip prints a warning, and uv would fail.
            values = [each for each in value.split() if option != "find-links" or "://" in each or os.path.exists(each)]
            if values:
                variables[name] = between.join(values)
    if variables.get("UV_NO_INDEX", "").lower() in ("0", "false", "no", "off"):
        del variables["UV_NO_INDEX"]
    # pip's library reads these two itself; uv does not.
    other = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or ""
    if "SSL_CERT_FILE" not in variables and os.path.isfile(other):
        variables["SSL_CERT_FILE"] = other
    if "SSL_CERT_FILE" not in variables:
        variables["UV_SYSTEM_CERTS"] = "true"
    # pip takes what fits from all indexes alike; every file's hash is in the lock.
    if "UV_INDEX" in variables:
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {
        name: value for name, value in variables.items() if not (environ.get(name) or environ.get(OLDER.get(name, "")))
    }


def main() -> None:
    for name, value in settings(sys.stdin.read(), os.environ).items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()
