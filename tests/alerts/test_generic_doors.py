"""The doors of generic sources: who is let in, what is answered, and how SNS is confirmed."""

import base64
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.domain.alert_mapping import GenericSource
from bot.domain.policy import Policy
from bot.inbound.alerts.bodies import BODY_MAX
from bot.inbound.alerts.generic import Generic
from bot.inbound.alerts.generic_web import add_generic_routes
from bot.inbound.alerts.source import Doors
from bot.inbound.alerts.web import AlertDoor
from bot.outbound.sns import Visitor
from tests.support.doors import Client, Down, Open, Shelves, basic, clients
from tests.support.ears import Ears
from tests.support.generic import OWN, TOKEN, TOPIC, compact, digest, generic, on_file
from tests.support.ledger import Ledger

BEARER = {"Authorization": f"Bearer {TOKEN}"}
FIRING = {"alerts": [{"id": "a1", "title": "Queue is full", "ok": False}]}


class Visits:
    """An opener that only remembers."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.urls: list[str] = []

    async def __call__(self, url: str) -> int:
        self.urls.append(url)
        if self.status is None:
            raise ConnectionError("TimeoutError")
        return self.status


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with clients() as serve:

        async def make(
            *sources: Generic, committer: Any = None, visits: Any = None, ears: Ears | None = None
        ) -> Client:
            app = web.Application()
            door = AlertDoor(committer or Ledger(), Doors(), Policy(), Shelves(), ears or Ears())
            add_generic_routes(app, door, {one.name: one for one in sources or (generic(),)}, visits or Visits())
            return await serve(app)

        yield make


async def post(
    client: Client, body: Any = FIRING, headers: Any = BEARER, path: str = "own"
) -> tuple[int, dict[str, Any]]:
    raw = body if isinstance(body, bytes) else compact(body)
    async with client.post(f"/webhooks/generic/{path}", data=io.BytesIO(raw), headers=headers) as answer:
        assert answer.content_type == "application/json"
        assert answer.headers["X-Request-Id"]
        return answer.status, json.loads(await answer.text())


async def test_a_delivery_is_answered_in_the_same_shape_as_alertmanagers(opened: Open) -> None:
    client = await opened()
    status, told = await post(client, {"alerts": [*FIRING["alerts"], {"title": "no id"}, 7]})
    assert status == 202
    assert (told["outcome"], told["incident"]) == ("opened", "INC-1")
    assert [set(result) for result in told["results"]] == [{"fingerprint", "outcome", "incident", "reason"}] * 3
    assert told["results"][1]["reason"] == "alert 2 has no fingerprint"
    assert (await post(client))[1]["outcome"] == "unchanged"
    resolved = {"alerts": [{"id": "a1", "title": "Queue is full", "ok": True}]}
    assert (await post(client, resolved))[1]["outcome"] == "resolved"


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 202),
        ("Token older", 202),
        (basic(f"anybody:{TOKEN}"), 202),
        (basic("anybody:wrong"), 401),
        (basic(TOKEN), 202),
        ("Basic !!!", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer tökén", 401),
        (TOKEN, 401),
        ("", 401),
    ],
)
async def test_a_token_lets_in(opened: Open, authorization: str, status: int) -> None:
    client = await opened()
    got, told = await post(client, headers={"Authorization": authorization} if authorization else {})
    assert got == status
    if status == 401:
        assert told["error"] == "unauthorized"
        assert "SOME_TOKEN" in told["message"]
        assert TOKEN not in told["message"]


async def test_whoever_is_not_let_in_is_asked_for_a_token_or_a_password(opened: Open) -> None:
    client = await opened()
    async with client.post("/webhooks/generic/own", data=b"{}") as answer:
        assert answer.headers.getall("WWW-Authenticate") == ['Bearer realm="tocsin"', 'Basic realm="tocsin"']


async def test_a_token_in_the_address_counts_only_where_it_was_allowed(opened: Open) -> None:
    client = await opened(generic(), generic("url", token_in_url=True))
    assert (await post(client, headers={}, path=f"own?token={TOKEN}"))[0] == 401
    assert (await post(client, headers={}, path=f"url?token={TOKEN}"))[0] == 202
    assert (await post(client, headers={}, path="url?token=wrong"))[0] == 401
    assert (await post(client, headers={}, path="url?token="))[0] == 401


@pytest.mark.parametrize(
    ("how", "signature"),
    [
        ({}, digest),
        ({}, lambda raw: digest(raw).upper()),
        ({"prefix": "sha256="}, lambda raw: "sha256=" + digest(raw)),
        ({"algorithm": "sha512"}, lambda raw: digest(raw, algorithm="sha512")),
        ({"algorithm": "sha1", "prefix": "sha1="}, lambda raw: "sha1=" + digest(raw, algorithm="sha1")),
        ({"encoding": "base64"}, lambda raw: base64.b64encode(bytes.fromhex(digest(raw))).decode()),
    ],
)
async def test_a_signature_over_the_raw_body_lets_in(
    opened: Open, how: dict[str, str], signature: Callable[[bytes], str]
) -> None:
    source = generic(token_env="", hmac={"header": "X-Sign", "secret_env": "SOME_KEY", **how})
    client = await opened(source)
    raw = compact(FIRING)
    good = signature(raw)
    assert (await post(client, raw, {"X-Sign": good}))[0] == 202
    for bad in ("", "x" + good, good[:-1], digest(raw, key="another"), "sha256=", "ü"):
        assert (await post(client, raw, {"X-Sign": bad}))[0] == 401
    assert (await post(client, raw + b" ", {"X-Sign": good}))[0] == 401
    assert (await post(client, raw, BEARER))[0] == 401


async def test_with_a_token_and_a_signature_both_must_hold(opened: Open) -> None:
    client = await opened(generic(hmac={"secret_env": "SOME_KEY"}))
    raw = compact(FIRING)
    signed = {"X-Signature": digest(raw)}
    assert (await post(client, raw, BEARER))[0] == 401
    assert (await post(client, raw, signed))[0] == 401
    assert (await post(client, raw, BEARER | signed))[0] == 202


async def test_sentry_is_let_in_by_the_signature_it_documents(opened: Open) -> None:
    client = await opened(generic("sentry", preset="sentry", token_env="", hmac={"secret_env": "SOME_KEY"}))
    (sent, *_) = on_file("sentry", "issue-alert")
    signed = {**sent.headers, "Sentry-Hook-Signature": digest(sent.raw)}
    assert (await post(client, sent.raw, signed, "sentry"))[0] == 202
    assert (await post(client, sent.raw, sent.headers, "sentry"))[0] == 401


async def test_a_name_that_is_not_configured_is_not_found_in_words(opened: Open) -> None:
    client = await opened()
    status, told = await post(client, path="nagios")
    assert (status, told["error"]) == (404, "unknown_source")
    assert "webhooks.generic" in told["message"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"token_env": "NOT_SET"}, "NOT_SET"),
        ({"hmac": {"secret_env": "NOT_SET"}}, "NOT_SET"),
        ({"token_env": ""}, "webhooks.generic.own.token_env"),
    ],
)
async def test_a_source_without_its_secret_lets_nobody_in_and_says_what_to_set(
    opened: Open, settings: dict[str, Any], named: str
) -> None:
    client = await opened(generic(**settings))
    status, told = await post(client)
    assert (status, told["error"]) == (503, "not_configured")
    assert named in told["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": NaN}', b"payload=x", b'{"alerts": 7}',
                                 b'{"alerts": "abc"}'])  # fmt: skip
async def test_what_is_no_json_or_holds_no_list_is_refused_with_a_reason(opened: Open, raw: bytes) -> None:
    client = await opened()
    status, told = await post(client, raw)
    assert (status, told["error"]) == (422, "unusable")
    assert told["message"].startswith("Not usable: ")


@pytest.mark.parametrize("body", [{}, {"alerts": []}, {"alerts": None}, [], None, 7, "text", {"alerts": [None, 1, []]}])
async def test_any_other_json_is_taken_and_ignored_with_a_reason(opened: Open, body: Any) -> None:
    client = await opened()
    status, told = await post(client, body)
    assert (status, told["outcome"], told["incident"]) == (202, "ignored", None)
    assert told["reason"]
    assert all(result["reason"] for result in told["results"])


async def test_an_expression_that_fails_costs_its_alert_and_no_other(opened: Open) -> None:
    client = await opened(generic(name="item.title + '!'"))
    alerts = [{"id": "a1", "title": 7}, {"id": "a2", "title": "Disk"}, {"id": "a3"}]
    status, told = await post(client, {"alerts": alerts})
    assert (status, told["outcome"]) == (202, "opened")
    assert [result["outcome"] for result in told["results"]] == ["opened", "ignored", "ignored"]
    assert told["results"][1]["fingerprint"] == "a1"
    assert "alert 1, `name`: SecurityError" in told["results"][1]["reason"]


async def test_a_body_over_the_limit_is_refused(opened: Open) -> None:
    client = await opened()
    status, told = await post(client, b" " * (BODY_MAX + 1))
    assert (status, told["error"]) == (413, "too_large")


async def test_what_could_not_be_saved_is_503_so_that_it_is_sent_again(opened: Open) -> None:
    client = await opened(committer=Down())
    assert (await post(client))[1]["error"] == "not_saved"


async def test_each_delivery_is_counted_under_its_own_name(opened: Open) -> None:
    ears = Ears()
    client = await opened(generic("kuma"), ears=ears)
    await post(client, path="kuma")
    await post(client, headers={}, path="kuma")
    assert ears.of("received") == [("kuma", "opened"), ("kuma", "unauthorized")]


def test_the_secrets_show_in_no_repr() -> None:
    assert TOKEN not in repr(generic())
    assert TOKEN not in repr(vars(generic().config))


def test_what_is_written_replaces_the_preset_key_by_key() -> None:
    said = {"preset": "grafana", "token_env": "SOME_TOKEN", "labels": {"team": "'web'"}, "severity": "'critical'"}
    source = Generic("g", GenericSource.model_validate(said), {})
    assert source.config.labels == {"*": "item.labels", "team": "'web'"}
    assert source.config.severity == "'critical'"
    assert source.config.fingerprint == "item.fingerprint"
    hmac = Generic("s", GenericSource.model_validate({"preset": "sentry", "hmac": {"secret_env": "A"}}), {}).config.hmac
    assert (hmac.header, hmac.secret_env) == ("Sentry-Hook-Signature", "A")


# --- SNS --------------------------------------------------------------------------------------------
def aws(**more: Any) -> Generic:
    return generic("aws", preset="cloudwatch", sns={"topics": [TOPIC]}, **more)


def asking(**changed: Any) -> bytes:
    return compact(json.loads(on_file("cloudwatch", "subscription")[0].raw) | changed)


CONFIRM = {"x-amz-sns-message-type": "SubscriptionConfirmation", "Content-Type": "text/plain; charset=UTF-8"}


async def test_a_subscription_to_a_configured_topic_is_confirmed(opened: Open) -> None:
    visits = Visits()
    client = await opened(aws(), visits=visits)
    status, told = await post(client, asking(), CONFIRM, f"aws?token={TOKEN}")
    assert (status, told["outcome"], told["reason"]) == (202, "ignored", "the subscription is confirmed")
    assert visits.urls == [json.loads(asking())["SubscribeURL"]]


async def test_a_subscription_is_confirmed_for_nobody_without_the_token(opened: Open) -> None:
    visits = Visits()
    client = await opened(aws(), visits=visits)
    assert (await post(client, asking(), CONFIRM, "aws"))[0] == 401
    assert visits.urls == []


@pytest.mark.parametrize(
    "changed",
    [
        {"TopicArn": TOPIC + "-other"},
        {"TopicArn": None},
        {"Type": "Notification"},
        *(
            {"SubscribeURL": url}
            for url in (
                f"http://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://sns.us-east-1.amazonaws.com.evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://evil.example/?x=sns.us-east-1.amazonaws.com&Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://sns.us-east-1.amazonaws.com:8443/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://sns.us-east-1.amazonaws.com@evil.example/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://u:p@sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}",
                f"https://sns.us-east-1.amazonaws.com/?Action=DeleteTopic&TopicArn={TOPIC}",
                f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}-other",
                "https://sns.us-east-1.amazonaws.com/",
                "https://169.254.169.254/latest/meta-data",
                "https://[bad",
                "javascript:alert(1)",
                None,
                7,
            )
        ),
    ],
)
async def test_nothing_but_the_configured_topics_own_address_is_visited(opened: Open, changed: dict[str, Any]) -> None:
    visits = Visits()
    client = await opened(aws(), visits=visits)
    status, told = await post(client, asking(**changed), CONFIRM, f"aws?token={TOKEN}")
    assert (status, told["outcome"]) == (202, "ignored")
    assert "confirm" in told["reason"]
    assert visits.urls == []


@pytest.mark.parametrize("answer", [None, 403, 302, 500])
async def test_a_confirmation_that_fails_is_asked_for_again(opened: Open, answer: int | None) -> None:
    client = await opened(aws(), visits=Visits(answer))
    status, told = await post(client, asking(), CONFIRM, f"aws?token={TOKEN}")
    assert (status, told["error"]) == (503, "not_confirmed")
    assert "Token" not in told["message"]


async def test_any_body_that_claims_to_ask_for_a_confirmation_is_answered_in_words(opened: Open) -> None:
    client = await opened(aws())
    for raw in (b"", b"[]", b"\xff", b"{}", b"[" * 100_000):
        status, told = await post(client, raw, CONFIRM, f"aws?token={TOKEN}")
        assert (status, told["outcome"]) == (202, "ignored")


async def test_sns_sends_its_password_when_it_is_asked(opened: Open) -> None:
    client = await opened(aws())
    (sent, *_) = on_file("cloudwatch", "lifecycle")
    status, told = await post(client, sent.raw, {**sent.headers, "Authorization": basic(f"sns:{TOKEN}")}, "aws")
    assert (status, told["outcome"]) == (202, "opened")


async def test_a_notification_of_another_topic_is_ignored(opened: Open) -> None:
    client = await opened(generic("aws", preset="cloudwatch", sns={"topics": [TOPIC + "-other"]}))
    for sent in (on_file("cloudwatch", "lifecycle")[0], on_file("cloudwatch", "raw-delivery")[0]):
        status, told = await post(client, sent.raw, sent.headers, f"aws?token={TOKEN}")
        assert (status, told["outcome"]) == (202, "ignored")
        assert "sns.topics" in told["reason"]


async def test_the_visitor_follows_no_redirect_and_tells_no_address() -> None:
    seen: list[str] = []

    async def confirm(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        if request.query["Token"] == "moved":
            raise web.HTTPFound("/elsewhere")
        return web.Response()

    app = web.Application()
    app.router.add_get("/{any:.*}", confirm)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        visit = Visitor(http)
        assert await visit(str(server.make_url("/?Token=secret"))) == 200
        assert await visit(str(server.make_url("/?Token=moved"))) == 302
        assert seen == ["/?Token=secret", "/?Token=moved"]
        gone = str(server.make_url("/?Token=secret"))
        await server.close()
        with pytest.raises(ConnectionError) as caught:
            await visit(gone)
    assert "secret" not in str(caught.value)


def test_a_mapping_of_ones_own_needs_what_tells_alerts_apart() -> None:
    for key in ("fingerprint", "status", "name"):
        with pytest.raises(ValueError, match=key):
            GenericSource.model_validate({k: v for k, v in OWN.items() if k != key})
