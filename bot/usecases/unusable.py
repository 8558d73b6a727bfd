"""The case of a delivery that nothing could be made of: kept for a while, so that somebody can look at it."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.ports.store import Answer, Changes, Claim, Keys, Loaded, Unusable

BODY_KEPT: Final = 64 * 1024
"""Bytes of a body that are kept; what is wrong with it shows at its beginning."""


@dataclass(frozen=True, slots=True)
class KeepUnusable:
    """Keep the body of a delivery of `source`, whose signature was right. The same bytes are kept once, and counted."""

    source: str
    reason: str
    raw: bytes = field(repr=False)
    command_id: str = field(default="", init=False)

    def keys(self) -> Keys:
        return Keys()

    def claims(self) -> Sequence[Claim]:
        return ()

    def run(self, loaded: Loaded, now: datetime) -> Changes:
        """Write it down."""
        digest = hashlib.sha256(self.source.encode() + b"\0" + self.raw).hexdigest()
        body = base64.b64encode(self.raw[:BODY_KEPT]).decode()
        kept = Unusable(digest, self.source, self.reason, len(self.raw), body, now)
        return Changes(Answer(kind="kept"), unusable=[kept])
