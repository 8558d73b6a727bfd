"""The last look before Slack: each limit is held, and what is too long is cut safely."""

from typing import Any

import pytest

from bot.render.slack import legal, limits
from bot.render.slack.message import actions, button, context, header, section
from tests.render.slack_witness import objections

TEXT = {"type": "mrkdwn", "text": "x"}
PLAIN = {"type": "plain_text", "text": "x"}


def button_(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": PLAIN, **changes}


def section_(**changes: Any) -> dict[str, Any]:
    return {"type": "section", "text": TEXT, **changes}


def in_actions(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": list(elements)}]


def menu(kind: str, choices: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    return in_actions({"type": kind, "action_id": "a", "options": choices, **more})


def long(n: int, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": "x" * n}


def options(n: int, **changes: Any) -> list[dict[str, Any]]:
    return [{"text": PLAIN, "value": str(i), **changes} for i in range(n)]


ILLEGAL: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no block": ([], "0, from 1 to 50"),
    "too many blocks": ([section_()] * 51, "51, from 1 to 50"),
    "unknown block": ([{"type": "carousel"}], "unknown type 'carousel'"),
    "unknown key": ([section_(colour="red")], "unknown key colour"),
    "section too long": ([section_(text=long(3001, "mrkdwn"))], "3001 characters, at most 3000"),
    "field too long": ([{"type": "section", "fields": [long(2001)]}], "fields[0]: 2001"),
    "too many fields": ([{"type": "section", "fields": [TEXT] * 11}], "fields: 11"),
    "section without anything": ([{"type": "section"}], "neither text nor fields"),
    "empty text": ([section_(text={"type": "mrkdwn", "text": " "})], "empty text"),
    "header in mrkdwn": ([{"type": "header", "text": TEXT}], "must be plain_text"),
    "header too long": ([{"type": "header", "text": long(151)}], "151 characters"),
    "too many context elements": ([{"type": "context", "elements": [TEXT] * 11}], "11, from 1 to 10"),
    "too many controls": (in_actions(*(button_(action_id=str(n)) for n in range(26))), "26, from 1 to 25"),
    "button text too long": (in_actions(button_(text=long(76))), "76 characters"),
    "button value too long": (in_actions(button_(value="x" * 2001)), "2001 characters"),
    "button style": (in_actions(button_(style="loud")), "style"),
    "no action id": (in_actions(button_(action_id="")), "no action_id"),
    "action id too long": (in_actions(button_(action_id="x" * 256)), "256 characters"),
    "action id twice": (in_actions(button_(), button_()), "'a' twice"),
    "block id twice": ([section_(block_id="b"), section_(block_id="b")], "'b' twice"),
    "block id too long": ([section_(block_id="b" * 256)], "256"),
    "unknown element": (in_actions({"type": "slider", "action_id": "a"}), "unknown type 'slider'"),
    "option text": (menu("static_select", options(1, text=long(76)), placeholder=PLAIN), "76 characters"),
    "option value": (menu("overflow", options(1, value="x" * 151)), "151 characters"),
    "question without an answer": (in_actions(button_(confirm={"title": PLAIN, "text": TEXT})), "confirm.confirm"),
    "question too long": (
        in_actions(button_(confirm={"title": long(101), "text": TEXT, "confirm": PLAIN, "deny": PLAIN})),
        "confirm.title: 101 characters",
    ),
    "question with a strange key": (
        in_actions(button_(confirm={"title": PLAIN, "text": TEXT, "confirm": PLAIN, "deny": PLAIN, "colour": "red"})),
        "unknown key colour",
    ),
    "too many overflow options": (menu("overflow", options(6)), "6, from 1 to 5"),
    "option value twice": (menu("overflow", options(2, value="v")), "twice"),
    "foreign initial option": (
        in_actions(
            {"type": "static_select", "action_id": "a", "placeholder": PLAIN, "options": options(1)}
            | {"initial_option": {"text": PLAIN, "value": "9"}}
        ),
        "none of the options",
    ),
    "key of another element": (in_actions(button_(initial_value="x")), "unknown key initial_value"),
    "text with a strange key": ([section_(text=TEXT | {"colour": "red"})], "unknown key colour"),
    "verbatim in plain text": (in_actions(button_(text=PLAIN | {"verbatim": True})), "takes no such key"),
    "emoji in mrkdwn": ([section_(text=TEXT | {"emoji": True})], "takes no such key"),
    "option without a value": (menu("overflow", [{"text": PLAIN}]), "no value"),
    "option with a strange key": (menu("overflow", options(1, colour="red")), "unknown key colour"),
    "option in mrkdwn": (menu("static_select", options(1, text=TEXT), placeholder=PLAIN), "must be plain_text"),
    "menu without options": (menu("static_select", [], placeholder=PLAIN), "0, from 1 to 100"),
    "no text object": (in_actions(button_(text="Go")), "no text object"),
    "text field among buttons": (in_actions({"type": "plain_text_input", "action_id": "a"}), "can stand here"),
    "button as an input": ([{"type": "input", "label": PLAIN, "element": button_()}], "can stand here"),
    "placeholder too long": (in_actions({"type": "users_select", "action_id": "a", "placeholder": long(151)}), "151"),
    "too much in all": ([section_(text=long(2900, "mrkdwn"))] * 5, "14500 characters in all"),
}  # fmt: skip


@pytest.mark.parametrize("case", ILLEGAL)
def test_slack_would_refuse(case: str) -> None:
    blocks, reason = ILLEGAL[case]
    with pytest.raises(legal.IllegalPayload) as caught:
        legal.check(blocks)
    assert any(reason in breach for breach in caught.value.breaches), caught.value.breaches


def test_the_witness_objects_to_what_slacks_library_knows() -> None:
    for case in ("section too long", "header too long", "button style", "too many context elements", "unknown block"):
        assert objections(ILLEGAL[case][0]), case
    assert objections([section_(), *in_actions(button_())]) == []


def test_every_breach_is_listed_with_its_place() -> None:
    with pytest.raises(legal.IllegalPayload) as caught:
        legal.check([section_(text=long(3001, "mrkdwn")), {"type": "header", "text": TEXT}])
    assert {breach.split(":")[0] for breach in caught.value.breaches} >= {"blocks[0].text", "blocks[1].text"}


def modal(**changes: Any) -> dict[str, Any]:
    field = {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input", "action_id": "a"}}
    return {"type": "modal", "title": PLAIN, "submit": PLAIN, "blocks": [field], **changes}


def test_a_legal_view_passes() -> None:
    legal.check(modal())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": long(25)}, "title: 25"),
        ({"submit": long(25)}, "submit: 25"),
        ({"private_metadata": "x" * 3001}, "private_metadata"),
        ({"callback_id": "x" * 256}, "callback_id"),
        ({"type": "sheet"}, "unknown type"),
        ({"colour": "red"}, "unknown key colour"),
        ({"blocks": [section_()] * 101}, "101, from 1 to 100"),
    ],
)
def test_slack_would_refuse_the_view(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(legal.IllegalPayload, match=reason):
        legal.check(modal(**changes))


def test_inputs_need_a_submit_button() -> None:
    view = modal()
    del view["submit"]
    with pytest.raises(legal.IllegalPayload, match="no submit"):
        legal.check(view)


def test_a_message_that_is_too_long_is_cut_and_says_so() -> None:
    made = legal.fit([header("h"), *(section("&amp;" * 590) for _ in range(6)), actions(button("a", "b", 1))])
    assert legal.characters(made) <= limits.MESSAGE_CHARACTERS
    assert len(made) == 8
    cut = [b["text"]["text"] for b in made if b["type"] == "section" and b["text"]["text"].endswith(legal.CUT_NOTICE)]
    assert cut
    assert all(text.removesuffix(legal.CUT_NOTICE).replace("&amp;", "") == "" for text in cut)


def test_what_cannot_be_cut_is_refused_here_and_not_by_slack() -> None:
    with pytest.raises(legal.IllegalPayload, match="characters in all"):
        legal.fit([context(*["x" * 2900] * 5)])
