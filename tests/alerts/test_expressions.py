"""Expressions: what they can say, and that neither who writes them nor who sends the data can make them explode."""

import time
import tracemalloc
from typing import Any

import pytest

from bot.domain.expressions import TEXT_MAX, BadExpression, Expression, Failed

BODY: dict[str, Any] = {
    "items": [{"k": 1, "n": "a"}, {"k": 2, "n": "b"}],
    "tags": "env:prod, service:shop,flag,a:b:c",
    "pairs": [
        ["env", "prod"],
        ["x", None],
        "y:z",
        [1, 2],
        "odd",
        {"name": "n", "value": "v"},
        {"key": "k", "value": 0},
    ],
    "nothing": None,
    "inner": '{"a": {"b": 1}}',
    "long": "x" * 50_000,
    "get": "a field of that name",
    "title": "Disk full",
}


def value(source: str) -> Any:
    return Expression(source).value(item=BODY["items"][0], body=BODY, headers={"x-event": "push"})


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("body.items[1].n", "b"),
        ("item.k + 1", 2),
        ("body['title'] | lower", "disk full"),
        ("body.title.startswith('Disk')", True),
        ("body.title.split(' ')[1]", "full"),
        ("body.nowhere.at.all", None),
        ("body.nothing.at.all | default('x')", "x"),
        ("body.nothing | default('x')", "x"),
        ("'firing' if item.k == 1 else 'resolved'", "firing"),
        ("headers['x-event']", "push"),
        ("body.items | map(attribute='n') | join('+')", "a+b"),
        ("body.items | selectattr('k', 'gt', 1) | map(attribute='n') | first", "b"),
        ("body.items | map(attribute='n')", ["a", "b"]),
        ("(body.tags | as_labels).service", "shop"),
        ("body.tags | as_labels", {"env": "prod", "service": "shop", "a": "b:c"}),
        ("body.pairs | as_labels", {"env": "prod", "y": "z", "n": "v", "k": 0}),
        ("body.nothing | as_labels", {}),
        ("(body.inner | from_json).a.b", 1),
        ("{'a': 1, 'b': 2} | merged({'b': 3, 'a': ''})", {"a": 1, "b": 3}),
        ("body.title | replace(' ', '-')", "Disk-full"),
        ("body.get", "a field of that name"),
        ("{'fatal': 'critical'}.get('error', 'x')", "x"),
        ("'metric:' ~ item.k", "metric:1"),
    ],
)
def test_an_expression_finds_its_value(source: str, wanted: Any) -> None:
    assert value(source) == wanted


@pytest.mark.parametrize(
    "path",
    ["item", "body.items", "body.get", "body.title", "body.title.x", "body.nothing", "body.nothing.x", "item.k",
     "item.k.x",
     "body.nowhere", "body.nowhere.x.y", "headers.x", "body.items.x", "item.keys", "body.pairs"],
)  # fmt: skip
def test_a_plain_path_is_the_same_by_the_short_way_and_by_jinjas(path: str) -> None:
    assert value(path) == value(f"{path} | default(none)")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("item.", "expected name"),
        ("", "Expected an expression"),
        ("firing", "'firing' is unknown"),
        ("range(9)", "'range' is unknown"),
        ("self.x", "'self' is unknown"),
        ("body | nofilter", "No filter named 'nofilter'"),
        ("body is sameas item", "No test named 'sameas'"),
        ("body }} {{ item", "not a single expression"),
        ("body }}{% for x in body %}{% endfor %}{{ item", "expression"),
        ("# x", "expression"),
        ("x" * 2001, "at most 2000 characters"),
        ("~".join(["body.long"] * 40), "put together"),
        ("(" * 900 + "1" + ")" * 900, "recursion"),
        ("body | format('x')", "No filter named 'format'"),
        ("body | attr('x')", "No filter named 'attr'"),
        ("body | center(1000000000)", "No filter named 'center'"),
        ("1 | round(999999999)", "No filter named 'round'"),
    ],
)
def test_what_cannot_be_used_is_refused_when_it_is_written(source: str, why: str) -> None:
    with pytest.raises(BadExpression) as caught:
        Expression(source)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "source",
    [
        "'a' * 1000000000",
        "[0] * 1000000000",
        "10 ** 10 ** 10",
        "9223372036854775807 * 9223372036854775807 * 2",
        "'%1000000000d' % 1",
        "body.long + body.long + body.long",
        "body.long | replace('x', body.long)",
        "1 // 0",
        "body.title + 1",
        "body.nowhere()",
        "body.title.format('x')",
        "body.title.__class__()",
        "'x'.ljust(1000000000)",
        "'x'.zfill(1000000000)",
        "body.title | from_json",
        "{}[body.items]()",
        "body.title > 1",
    ],
)
def test_a_bomb_or_a_mistake_fails_at_once_with_a_reason(source: str) -> None:
    started = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(Failed) as caught:
            value(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0 < len(str(caught.value)) < 200
    assert peak < 20_000_000
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "source",
    ["item.__class__", "''.__class__.__mro__", "body.get.__self__", "body.title.join", "body.items.append",
     "item.__init__.__globals__", "headers.__dict__", "body['__class__']", "item.keys"],
)  # fmt: skip
def test_nothing_of_python_is_to_be_had(source: str) -> None:
    found = Expression(source).value(item={}, body={"title": "x", "items": []}, headers={})
    assert found is None


def test_what_is_put_together_is_bounded() -> None:
    assert len(value("[body.long, body.long, body.long, body.long] | join(body.long)")) <= TEXT_MAX


def test_a_reason_holds_no_more_of_the_data_than_a_line() -> None:
    with pytest.raises(Failed) as caught:
        Expression("body.x.y + 1 if body[0] else body | from_json | int + body").value(
            item={}, body={"x": {"y": "\u202e\n<!channel>" * 100}}, headers={}
        )
    assert "\n" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 200
