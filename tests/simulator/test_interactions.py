"""Clicks, modals, shortcuts and response URLs, with the real Bolt at the other end."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from tests.simulator.conftest import HURRIED, Clock, Company, Open, Person, named

PLAIN = {"type": "plain_text", "text": "Go"}
BUTTON = {"type": "button", "action_id": "inc.ack", "text": PLAIN, "value": "42"}
BLOCKS = [{"type": "actions", "block_id": "b", "elements": [BUTTON]}]
TITLE = {
    "type": "input",
    "block_id": "title",
    "label": PLAIN,
    "element": {"type": "plain_text_input", "action_id": "v"},
}
MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "inc.declare",
    "title": PLAIN,
    "submit": PLAIN,
    "blocks": [TITLE],
}


class App:
    """A Bolt app that keeps what it hears and does what a test says."""

    def __init__(self, bolt: AsyncApp) -> None:
        self.bolt = bolt
        self.heard: list[dict[str, Any]] = []
        self.answer: Any = None

    async def listen(self, ack: Any, body: dict[str, Any]) -> None:
        """Keep the body, do as told, acknowledge."""
        self.heard.append(body)
        if callable(self.answer):
            await self.answer(body)
            await ack()
        elif isinstance(self.answer, dict):
            await ack(**self.answer)
        else:
            await ack()


async def app_of(company: Company) -> App:
    """Connect an app that listens to every interaction."""
    app = App(company.bolt())
    bolt = app.bolt
    bolt.action("inc.ack")(app.listen)
    bolt.action("v")(app.listen)
    bolt.view("inc.declare")(app.listen)
    bolt.view_closed("inc.declare")(app.listen)
    bolt.shortcut("inc.declare")(app.listen)
    bolt.shortcut("inc.timeline_add")(app.listen)
    bolt.command("/incident")(app.listen)
    bolt.options("inc.service")(app.listen)
    await company.connect(bolt)
    return app


async def modal(company: Company, app: App, view: dict[str, Any] | None = None) -> str:
    """Open a modal by command and return its id."""

    async def show(body: dict[str, Any]) -> None:
        await app.bolt.client.views_open(trigger_id=body["trigger_id"], view=view or MODAL)

    app.answer = show
    await company.person().do("send", channel="C0005", text="/incident declare")
    app.answer = None
    views = (await company.person().get("state"))["views"]
    return str(views[-1]["id"])


async def click(person: Person, ts: str, channel: str = "C0003") -> dict[str, Any]:
    """Press the button."""
    return await person.post(
        "action", channel=channel, ts=ts, block_id="b", action_id="inc.ack", value={"type": "button"}
    )


async def code(call: Any) -> str | None:
    """Return a call's refusal, or None."""
    try:
        await call
    except SlackApiError as refused:
        return str(refused.response["error"])
    return None


async def test_a_click_has_slacks_payload(acme: Company) -> None:
    """In a message, and in an ephemeral one, which is not told."""
    app, anna = await app_of(acme), acme.person()
    ts = (await acme.slack.chat_postMessage(channel="C0003", text="x", blocks=BLOCKS))["ts"]
    assert (await click(anna, ts))["ok"]
    model = named("block_actions.json", "button")
    assert set(app.heard[0]) == set(model)
    assert set(app.heard[0]["container"]) == set(model["container"])
    assert set(app.heard[0]["user"]) == set(model["user"])
    assert set(app.heard[0]["actions"][0]) == set(model["actions"][0]) - {"style"}
    quiet = await acme.slack.chat_postEphemeral(channel="C0003", user="U0001", text="x", blocks=BLOCKS)
    assert (await click(anna, quiet["message_ts"]))["ok"]
    assert set(app.heard[1]) == set(named("block_actions.json", "ephemeral message"))
    assert app.heard[1]["container"]["is_ephemeral"]
    gone = await click(acme.person("U0002"), quiet["message_ts"])
    assert (gone["status"], gone["error"]) == (404, "message_not_found")


async def test_a_silent_app_is_told_to_the_person(found: Open) -> None:
    """In words, with a status."""
    company = await found(pace=HURRIED)
    app, anna = await app_of(company), company.person()
    ts = (await company.slack.chat_postMessage(channel="C0003", text="x", blocks=BLOCKS))["ts"]

    async def sleep(_body: dict[str, Any]) -> None:
        await asyncio.sleep(0.15)

    app.answer = sleep
    answer = await click(anna, ts)
    assert (answer["status"], answer["error"]) == (504, "timeout")


async def test_a_modal_is_opened_filled_and_submitted(acme: Company) -> None:
    """The client refuses an empty field; the app refuses in words; then it closes."""
    app, anna = await app_of(acme), acme.person()
    view_id = await modal(acme, app)
    empty = await anna.do("submit", view_id=view_id, values={})
    assert empty["errors"] == {"title": "Please complete this required field."}
    for odd in ({"title": ["v"]}, {"title": {"v": "x"}}, {"nowhere": {"v": {}}}):
        assert (await anna.do("submit", view_id=view_id, values=odd))["errors"]
    filled = {"title": {"v": {"type": "plain_text_input", "value": "checkout"}}}
    app.answer = {"response_action": "errors", "errors": {"title": "Say more."}}
    refused = await anna.do("submit", view_id=view_id, values=filled)
    assert (refused["errors"], refused["closed"]) == ({"title": "Say more."}, False)
    app.answer = None
    assert (await anna.do("submit", view_id=view_id, values=filled))["closed"]
    heard = app.heard[-1]
    model = named("view_submission.json", "declare")
    assert set(heard) == set(model)
    assert set(heard["view"]) == set(model["view"])
    assert heard["view"]["state"]["values"] == filled
    assert (await anna.get("state"))["views"] == []


async def test_modals_stack_three_high(acme: Company) -> None:
    """Pushed, updated, refused, and cleared."""
    app, anna = await app_of(acme), acme.person()
    view_id = await modal(acme, app)
    filled = {"title": {"v": {"type": "plain_text_input", "value": "x"}}}
    app.answer = {"response_action": "push", "view": MODAL}
    second = (await anna.do("submit", view_id=view_id, values=filled))["view"]
    assert (second["previous_view_id"], second["root_view_id"]) == (view_id, view_id)
    third = (await anna.do("submit", view_id=second["id"], values=filled))["view"]
    fourth = await anna.post("submit", view_id=third["id"], values=filled)
    assert (fourth["error"], "push_limit_reached" in fourth["message"]) == ("invalid_response", True)
    app.answer = {"response_action": "update", "view": MODAL | {"callback_id": "other"}}
    updated = (await anna.do("submit", view_id=third["id"], values=filled))["view"]
    assert (updated["id"], updated["callback_id"]) == (third["id"], "other")
    app.answer = {"response_action": "clear"}
    await anna.do("submit", view_id=second["id"], values=filled)
    assert (await anna.get("state"))["views"] == []


async def test_a_view_is_updated_by_id_and_hash(acme: Company) -> None:
    """An old hash is refused; what was typed stays."""
    app, anna = await app_of(acme), acme.person()
    acts = {"type": "actions", "block_id": "b", "elements": [BUTTON]}
    view_id = await modal(acme, app, MODAL | {"blocks": [TITLE, acts]})
    value = {"type": "plain_text_input", "value": "typed"}
    place = {"view_id": view_id, "block_id": "b", "action_id": "inc.ack"}
    await anna.do("action", value={"type": "button"}, **place)
    heard = app.heard[-1]
    # Slack's page shows no state beside the view's own:
    # https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
    assert set(heard) == set(named("block_actions.json", "in a modal")) - {"state"}
    assert heard["container"] == {"type": "view", "view_id": view_id}
    await anna.do("action", view_id=view_id, block_id="title", action_id="v", value=value)
    update = acme.slack.views_update
    view = (await update(view_id=view_id, view=MODAL))["view"]
    assert view["state"]["values"]["title"]["v"] == value
    assert await code(update(view_id=view_id, hash="1.0", view=MODAL)) == "hash_conflict"
    assert await code(update(view_id=view_id, hash=view["hash"], view=MODAL)) is None


async def test_a_closed_modal_is_told_if_asked_for(acme: Company) -> None:
    """`notify_on_close`."""
    app, anna = await app_of(acme), acme.person()
    view_id = await modal(acme, app)
    await anna.do("close", view_id=view_id)
    assert app.heard[-1]["command"]
    view_id = await modal(acme, app, MODAL | {"notify_on_close": True})
    await anna.do("close", view_id=view_id)
    assert set(app.heard[-1]) == set(named("view_submission.json", "closed by the user"))


async def test_a_trigger_lives_three_seconds_and_works_once(found: Open) -> None:
    """By the workspace's clock."""
    clock = Clock()
    company = await found(clock=clock)
    app = await app_of(company)
    codes: list[str | None] = []

    async def late(body: dict[str, Any]) -> None:
        show = app.bolt.client.views_open
        clock.at += 2.9
        codes.append(await code(show(trigger_id=body["trigger_id"], view=MODAL)))
        codes.append(await code(show(trigger_id=body["trigger_id"], view=MODAL)))

    async def too_late(body: dict[str, Any]) -> None:
        clock.at += 3.1
        codes.append(await code(app.bolt.client.views_open(trigger_id=body["trigger_id"], view=MODAL)))

    for answer in (late, too_late):
        app.answer = answer
        await company.person().do("send", channel="C0005", text="/incident declare")
    assert codes == [None, "exchanged_trigger_id", "expired_trigger_id"]
    stranger = company.slack.views_open(trigger_id="1.2.3", view=MODAL)
    assert await code(stranger) == "invalid_trigger_id"


async def test_shortcuts_have_slacks_payload(acme: Company) -> None:
    """Global, and on a message."""
    app, anna = await app_of(acme), acme.person()
    await anna.do("shortcut", callback_id="inc.declare")
    ts = (await anna.do("send", channel="C0003", text="rolled back"))["ts"]
    await anna.do("shortcut", callback_id="inc.timeline_add", channel="C0003", ts=ts)
    name = {"name"}
    for heard, model in zip(app.heard, ("global shortcut", "message shortcut: pin to timeline"), strict=True):
        expected = named("shortcuts.json", model)
        assert set(heard) == set(expected)
        assert set(heard["user"]) | name >= set(expected["user"])
    unknown = await anna.post("shortcut", callback_id="nothing")
    assert unknown["error"] == "unknown_shortcut"


async def test_an_external_menu_asks_the_app(acme: Company) -> None:
    """block_suggestion, answered with options."""
    app, anna = await app_of(acme), acme.person()
    menu = {"type": "external_select", "action_id": "inc.service", "placeholder": PLAIN}
    blocks = [{"type": "actions", "block_id": "b", "elements": [menu]}]
    ts = (await acme.slack.chat_postMessage(channel="C0003", text="x", blocks=blocks))["ts"]
    option = {"text": PLAIN, "value": "checkout"}
    app.answer = {"options": [option]}
    place = {"channel": "C0003", "ts": ts, "block_id": "b", "action_id": "inc.service"}
    answer = await anna.do("options", value="che", **place)
    assert answer["options"] == [option]
    assert (app.heard[0]["type"], app.heard[0]["value"]) == ("block_suggestion", "che")


async def test_app_home_is_opened_and_published(acme: Company) -> None:
    """Nothing at first; then what the app published."""
    anna = acme.person()
    assert (await anna.get("home"))["view"] is None
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await acme.slack.views_publish(user_id="U0001", view=home)
    view = (await acme.slack.views_publish(user_id="U0001", view=home))["view"]
    assert (await anna.get("home"))["view"]["id"] == view["id"]
    conflict = acme.slack.views_publish(user_id="U0001", view=home, hash="1.0")
    assert await code(conflict) == "hash_conflict"
    assert (await acme.person("U0002").get("home"))["view"] is None


async def test_a_response_url_answers_five_times_within_thirty_minutes(found: Open) -> None:
    """To one person, to all, over the original; then never again."""
    clock = Clock()
    company = await found(clock=clock)
    app, anna, ben = await app_of(company), company.person(), company.person("U0002")

    async def post(url: str, **body: Any) -> int:
        async with company.http.post(url, json=body) as answer:
            return answer.status

    await anna.do("send", channel="C0005", text="/incident list")
    url = app.heard[0]["response_url"]
    assert await post(url, text="for you") == 200
    assert await post(url, text="for all", response_type="in_channel") == 200
    assert await post(url) == 400
    assert await post(url, text="x", nonsense=1) == 400
    assert (await anna.texts("C0005"))[-2:] == ["for you", "for all"]
    assert "for you" not in await ben.texts("C0005")
    assert [await post(url, text=str(n)) for n in range(3)] == [200, 200, 404]
    ts = (await company.slack.chat_postMessage(channel="C0003", text="x", blocks=BLOCKS))["ts"]
    await click(anna, ts)
    url = app.heard[1]["response_url"]
    assert await post(url, text="taken", replace_original=True) == 200
    assert (await ben.texts("C0003"))[-1] == "taken"
    assert await post(url, delete_original=True) == 200
    assert "taken" not in await ben.texts("C0003")
    clock.at += 31 * 60
    assert await post(url, text="late") == 404
    assert await post(f"{company.base}/slack/response/unknown", text="x") == 404
