"""Puts the folders that live beside the package into the wheel, where bot/assets.py looks."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = ("runbooks", "templates", "migrations")


class AssetsHook(BuildHookInterface[Any]):
    """Adds the asset folders to a wheel; an editable install reads them in the checkout."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        for name in ASSETS:
            folder = Path(self.root, name)
            if folder.is_dir():
                build_data["force_include"][str(folder)] = f"bot/_assets/{name}"
