"""Finds the folders that people edit without touching Python: runbooks, templates, migrations."""

from pathlib import Path
from typing import Final, Literal, TypeAlias

Asset: TypeAlias = Literal["runbooks", "templates", "migrations"]

_PACKAGE: Final = Path(__file__).resolve().parent


def asset_dir(name: Asset) -> Path:
    """Return the folder `name`: inside an installed wheel, else at the top of the checkout.

    Raises FileNotFoundError, saying where it looked, when the installation is incomplete.
    """
    places = (_PACKAGE / "_assets" / name, _PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    looked = " and ".join(str(place) for place in places)
    raise FileNotFoundError(f"No folder {name!r} at {looked}. Install Tocsin again.")
