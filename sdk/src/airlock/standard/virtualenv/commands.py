"""The commands that make an environment and fill it, with pip or uv: plain data."""

from collections.abc import Sequence


def create(directory: str, python: str, *, system_site_packages: bool, uv: bool) -> list[str]:
    """Returns the command that makes an environment in a folder."""
    system = ["--system-site-packages"] if system_site_packages else []
    if uv:
        return ["uv", "venv", "--allow-existing", "--seed", "--python", python, *system, directory]
    # As a command and not as a module of this Python: the environment may have another version.
    return [python, "-m", "venv", directory, *system]


def install(directory: str, packages: Sequence[str], options: Sequence[str], *, uv: bool) -> list[str]:
    """Returns the command that installs packages; ``-r`` and a file are packages too."""
    if uv:
        return ["uv", "pip", "install", "--python", f"{directory}/bin/python", *options, *packages]
    return [f"{directory}/bin/pip", "install", *options, *packages]


def pip_conf(index_urls: Sequence[str]) -> str:
    """Returns a pip.conf that names the indexes; an empty list allows none."""
    if not index_urls:
        return "[global]\nno-index = true"
    lines = ["[global]", f"index-url = {index_urls[0]}"]
    if index_urls[1:]:
        lines.append(f"extra-index-url = {' '.join(index_urls[1:])}")
    return "\n".join(lines)


def uv_variables(index_urls: Sequence[str] | None) -> dict[str, str]:
    """Returns the variables by which uv knows the indexes."""
    if not index_urls:
        return {}
    others = {"UV_INDEX": " ".join(index_urls[1:])} if index_urls[1:] else {}
    return {"UV_DEFAULT_INDEX": index_urls[0], **others}
