"""Visits the address by which a subscription to an Amazon SNS topic is confirmed."""

import aiohttp

WITHIN = aiohttp.ClientTimeout(total=5)
"""SNS waits 15 s for our answer: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"""


class Visitor:
    """A GET on the shared session. No redirect is followed: the address was checked, where it leads was not."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def __call__(self, url: str) -> int:
        """Return the status. Raises ConnectionError, without the address: it holds a token."""
        try:
            async with self._http.get(url, allow_redirects=False, timeout=WITHIN) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ConnectionError(type(exc).__name__) from None
