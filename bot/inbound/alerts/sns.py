"""Amazon SNS asks, before it sends anything, whether the subscription is wanted. Yes, if the topic is configured.

https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from bot.inbound.alerts import reading as r

TYPE: Final = "x-amz-sns-message-type"
TOPIC: Final = "x-amz-sns-topic-arn"
CONFIRMATION: Final = "SubscriptionConfirmation"
_HOST: Final = re.compile(r"sns\.([a-z0-9-]{1,40})\.amazonaws\.com(\.cn)?")


class Opener(Protocol):
    """Who visits the address that confirms."""

    async def __call__(self, url: str) -> int:
        """Return the HTTP status of a GET without redirects. Raises ConnectionError if there is no answer."""
        ...


def is_confirmation(headers: Mapping[str, str]) -> bool:
    """Whether this request asks for a confirmation."""
    return headers.get(TYPE, "") == CONFIRMATION


def address(raw: bytes, topics: tuple[str, ...]) -> str:
    """Return the address to visit. Raises Unusable: for another topic, or if it is not SNS's own address.

    Whoever has the token may send any body, so the address is believed only if it is the SNS of the topic's own
    region, and confirms that topic: nobody gets us to visit anything else.
    """
    data = r.read_json(raw)
    topic = data.get("TopicArn")
    if data.get("Type") != CONFIRMATION or not isinstance(topic, str):
        raise r.Unusable("not a subscription confirmation of SNS")
    if topic not in topics:
        raise r.Unusable(f"the topic {r.text(topic, 300)} is not listed under sns.topics, so it is not confirmed")
    url = r.web_url(data.get("SubscribeURL"))
    if not _leads_to(url, topic):
        raise r.Unusable("SubscribeURL is not the address of SNS in the topic's region that confirms this topic")
    return url


def other_topic(data: Any, headers: Mapping[str, str], topics: tuple[str, ...]) -> str:
    """Return why this notification is not taken: it names a topic that is not configured. "" if it may be.

    With raw message delivery only the header names the topic. `tocsin explain` has no headers: nothing is said then.
    """
    topic = data.get("TopicArn") if isinstance(data, dict) and "TopicArn" in data else headers.get(TOPIC)
    if topic is None or topic in topics:
        return ""
    return f"the topic {r.text(topic, 300)} is not listed under sns.topics"


def _leads_to(url: str, topic: str) -> bool:
    try:
        parts = urlsplit(url)
        usual = parts.scheme == "https" and parts.port in (None, 443) and parts.username is None
    except ValueError:
        return False
    host = _HOST.fullmatch(parts.hostname or "")
    asked = parse_qs(parts.query)
    return (
        usual
        and host is not None
        and host[1] == topic.split(":")[3]
        and asked.get("Action") == ["ConfirmSubscription"]
        and asked.get("TopicArn") == [topic]
    )
