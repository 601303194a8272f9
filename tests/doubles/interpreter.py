"""An interpreter that any user of this machine can enter, with our members and what they need beside it."""

import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_MEMBERS = ("wire", "sdk", "runner", "sidecar", "server")


def enterable(path: Path) -> bool:
    """Whether any user may come to ``path`` and read it."""
    real = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in real.parents) and bool(real.stat().st_mode & 0o004)


def make(folder: Path) -> Path:
    """A virtual environment in ``folder`` (which any user can enter): its interpreter."""
    base = _base(folder)
    subprocess.run([base, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    for line in (ROOT / "requirements" / "runtime.txt").read_text().splitlines():
        if line[:1].isalnum():
            _copy_distribution(line.partition("==")[0], site)
    for member in _MEMBERS:
        shutil.copytree(ROOT / member / "src", site, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return python


def _base(folder: Path) -> Path:
    """An interpreter of this very version whose folders any user can enter; else a copy of our own."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = Path(sys.base_prefix, "bin", name)
    if enterable(own) and enterable(Path(sysconfig.get_paths()["stdlib"])):
        return own
    for found in (Path("/usr/bin", name), Path("/usr/local/bin", name)):
        if found.exists() and enterable(found):
            return found
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        # Its library would be looked for where it was installed, which is what another user cannot enter.
        raise RuntimeError(f"{own} cannot be entered or copied for another user: install {name} below /usr")
    skipped = shutil.ignore_patterns("site-packages", "test", "tests", "idlelib", "__pycache__", "*.a", "share")
    shutil.copytree(sys.base_prefix, folder / "base", symlinks=True, ignore=skipped)
    return folder / "base" / "bin" / name


def _copy_distribution(name: str, site: Path) -> None:
    try:
        files = metadata.distribution(name).files or []
    except metadata.PackageNotFoundError:
        return  # The lock names it for another platform.
    for file in files:
        if file.parts[0] != ".." and file.suffix != ".pyc":
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
