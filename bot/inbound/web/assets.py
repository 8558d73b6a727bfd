"""Style sheets, scripts and icons: read once at start, named by their content, so that browsers may keep them."""

import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_KEEP = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    kind: str


class Assets:
    """The files in `web/static/` of the template folders; the first folder that has a name wins."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._files: dict[str, _Asset] = {}
        self._names: dict[str, str] = {}
        for folder in folders:
            for path in sorted((folder / "web" / "static").glob("*.*")):
                if path.name not in self._names:
                    self._add(path)

    def _add(self, path: Path) -> None:
        body = path.read_bytes()
        hashed = f"{path.stem}.{hashlib.sha256(body).hexdigest()[:12]}{path.suffix}"
        self._names[path.name] = hashed
        self._files[hashed] = _Asset(body, mimetypes.guess_type(path.name)[0] or "application/octet-stream")

    def path(self, name: str) -> str:
        """Return where the file `name` is served, such as `/assets/site.3f2a….css`."""
        return f"/assets/{self._names[name]}"

    async def serve(self, request: web.Request) -> web.Response:
        """`GET /assets/{name}`. The name changes with the content, so it may be kept for ever."""
        asset = self._files.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        charset = "utf-8" if asset.kind.startswith("text/") or asset.kind.endswith(("javascript", "xml")) else None
        return web.Response(body=asset.body, content_type=asset.kind, charset=charset, headers={"Cache-Control": _KEEP})
