"""Generic sources: `webhooks.generic.<name>` of the configuration, each with a token, a signature, or both."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bot.domain.alert_mapping import GenericSource
from bot.domain.alerts import AlertBatch, Skipped
from bot.inbound.alerts import reading as r
from bot.inbound.alerts import sns
from bot.inbound.alerts.mapping import Mapper, with_preset
from bot.inbound.alerts.source import Access, Doors, decoded, header_bytes, is_one_of

_DIGESTS: Final[Mapping[str, Callable[..., Any]]] = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}
_UNREAD: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that no expression sees."""


class Generic:
    """One configured source: its secrets and its compiled mapping."""

    def __init__(self, name: str, source: GenericSource, secrets: Mapping[str, str]) -> None:
        """Compile `source`; `secrets` is the environment, in which it names its variables."""
        self.name = name
        self.config = with_preset(source)
        self.mapper = Mapper(name, self.config)
        self._tokens = _secrets(secrets, self.config.token_env)
        self._keys = _secrets(secrets, self.config.hmac.secret_env)

    def __repr__(self) -> str:
        return f"Generic({self.name!r})"

    @property
    def setting(self) -> str:
        """The variables that let somebody in; the configuration's key if it names none."""
        named = [one for one in (self.config.token_env, self.config.hmac.secret_env) if one]
        return " and ".join(named) or f"webhooks.generic.{self.name}.token_env"

    @property
    def unset(self) -> list[str]:
        """The variables that are named, but not set."""
        wanted = ((self.config.token_env, self._tokens), (self.config.hmac.secret_env, self._keys))
        return [name for name, found in wanted if name and not found]

    @property
    def is_open(self) -> bool:
        """True if somebody can be let in."""
        return bool(self._tokens or self._keys) and not self.unset

    def has_token(self, headers: Mapping[str, str], in_url: str) -> bool:
        """Whether one of the tokens is presented: with any scheme word, as basic password, or where allowed, in the
        address."""
        scheme, _, credentials = headers.get("Authorization", "").strip().partition(" ")
        given = [header_bytes(credentials.strip())]
        if scheme.lower() == "basic":
            pair = decoded(given[0])
            given = [pair, pair.partition(b":")[2]]
        if self.config.token_in_url:
            given.append(header_bytes(in_url))
        good = False
        for one in given:
            good |= is_one_of(one, self._tokens)
        return good

    def has_signature(self, raw: bytes, headers: Mapping[str, str]) -> bool:
        """Whether one of the secrets signed these very bytes."""
        how = self.config.hmac
        header = headers.get(how.header, "").strip()
        if not header.startswith(how.prefix):
            return False
        text = header[len(how.prefix) :]
        given = header_bytes(text.lower() if how.encoding == "hex" else text)
        good = False
        for key in self._keys:
            digest = hmac.new(key, raw, _DIGESTS[how.algorithm]).digest()
            wanted = digest.hex().encode() if how.encoding == "hex" else base64.b64encode(digest)
            good |= hmac.compare_digest(given, wanted)
        return good


class Delivery:
    """One request to a generic source, in the shape that the door takes: a Source."""

    lenient = False

    def __init__(self, source: Generic, token: str = "") -> None:
        """`token` is what stands in the address as `?token=`."""
        self.source = source
        self.name = source.name
        self.setting = source.setting
        self._token = token

    def access(self, raw: bytes, headers: Mapping[str, str], doors: Doors) -> Access:
        """All that is configured must hold: the token, the signature, or both."""
        if not self.source.is_open:
            return "closed"
        good = True
        if self.source.config.token_env:
            good &= self.source.has_token(headers, self._token)
        if self.source.config.hmac.secret_env:
            good &= self.source.has_signature(raw, headers)
        return "granted" if good else "denied"

    def parse(self, raw: bytes, headers: Mapping[str, str]) -> AlertBatch:
        """Map any JSON. Raises Unusable if it is none, or no list of alerts is to be had from it."""
        body, topics = r.read_any_json(raw), self.source.config.sns.topics
        if topics and (other := sns.other_topic(body, headers, topics)):
            return AlertBatch(source=self.name, skipped=(Skipped(reason=other),))
        signature = self.source.config.hmac.header.lower()
        shown = {k.lower(): v for k, v in headers.items() if k.lower() not in _UNREAD and k.lower() != signature}
        return self.source.mapper.read(body, shown)

    def delivery_id(self, raw: bytes, headers: Mapping[str, str]) -> str:
        """None: states are compared, so a repeat changes nothing."""
        return ""


def generic_sources(configured: Mapping[str, GenericSource], secrets: Mapping[str, str]) -> dict[str, Generic]:
    """Return the configured sources by name."""
    return {name: Generic(name, source, secrets) for name, source in configured.items()}


def _secrets(environment: Mapping[str, str], name: str) -> tuple[bytes, ...]:
    parts: Iterable[str] = environment.get(name, "").split(",") if name else ()
    return tuple(part.strip().encode() for part in parts if part.strip())
