"""Finds the programs that some tests start, and says by name what is missing."""

import os
import shutil
from pathlib import Path

POSTGRES_MISSING = "PostgreSQL's server programs are not on this machine (apt-get install postgresql)"
CHROMIUM_MISSING = "Chromium is not on this machine (apt-get install chromium)"
ALERTMANAGER_MISSING = "Alertmanager is not on this machine (apt-get install prometheus-alertmanager)"


def postgres_bin() -> Path | None:
    """Return the folder with initdb and postgres, the newest version first; None without one."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: [int(part) for part in path.parts[4].split(".") if part.isdigit()],
        reverse=True,
    )
    on_path = shutil.which("initdb")
    candidates = [path.parent for path in found]
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    return next((path for path in candidates if (path / "postgres").exists()), None)


def chromium() -> Path | None:
    """Return Chromium's program, or None. TOCSIN_CHROMIUM names another one."""
    return _first(os.environ.get("TOCSIN_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")


def alertmanager() -> Path | None:
    """Return Alertmanager's program, or None."""
    return _first("prometheus-alertmanager", "alertmanager")


def amtool() -> Path | None:
    """Return Alertmanager's own tool, or None."""
    return _first("amtool")


def _first(*names: str | None) -> Path | None:
    paths = (shutil.which(name) for name in names if name)
    return next((Path(path) for path in paths if path), None)
