"""Matchers, as Prometheus and Alertmanager write them."""

import pytest

from bot.domain.matchers import Matcher, matches, parse


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('severity="critical"', [("severity", "=", "critical")]),
        ('severity = "critical"', [("severity", "=", "critical")]),
        ("severity=critical", [("severity", "=", "critical")]),
        ('a!="b", c=~"d|e",f!~"g.*"', [("a", "!=", "b"), ("c", "=~", "d|e"), ("f", "!~", "g.*")]),
        ('{a="b", c="d",}', [("a", "=", "b"), ("c", "=", "d")]),
        ('"my label"="x", "größe"=~"l|xl"', [("my label", "=", "x"), ("größe", "=~", "l|xl")]),
        ('a="x, y=\\"z\\""', [("a", "=", 'x, y="z"')]),
        ('a=~"\\d+\\\\.\\d+"', [("a", "=~", "\\d+\\.\\d+")]),
        ('a="line\\nbreak"', [("a", "=", "line\nbreak")]),
        ("team=~pay(ments|roll)", [("team", "=~", "pay(ments|roll)")]),
        ('a=""', [("a", "=", "")]),
        ("a=", [("a", "=", "")]),
    ],
)
def test_a_matcher_string_is_read_as_alertmanager_writes_it(source: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(m.name, m.op, m.value) for m in parse(source)] == expected


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "no matcher"),
        ("{}", "no matcher"),
        ("severity", "expected one of = != =~ !~ at column 9"),
        ('severity=="critical"', "a quote in the middle of a value at column 11"),
        ('severity="critical', "the quote is not closed at column 10"),
        ('="critical"', "expected a label name at column 1"),
        ('a="b" c="d"', "expected a comma at column 7"),
        ('{a="b"', "expected } at column 7"),
        ('a=~"("', "not a regular expression"),
        ('a="b"}', "expected a comma at column 6"),
        ("a=" + "b" * 2000, "at most 2000 characters"),
    ],
)
def test_an_unreadable_matcher_says_what_is_wrong_and_where(source: str, complaint: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(source)
    assert complaint in str(caught.value)


def test_all_matchers_must_hold_and_expressions_are_anchored() -> None:
    labels = {"severity": "critical", "team": "payments"}
    assert matches('severity="critical", team=~"pay.*"', labels)
    assert not matches('severity="critical", team=~"pay"', labels)
    assert not matches('severity!="critical"', labels)
    assert matches('team!~"pay"', labels)


def test_an_absent_label_reads_as_empty() -> None:
    assert matches('team=""', {})
    assert matches('team!="x"', {})
    assert matches('team=~".*"', {})
    assert not matches('team=~".+"', {})


def test_a_matcher_prints_so_that_it_reads_back() -> None:
    for matcher in (Matcher("a", "=", 'say "x"\n'), Matcher("my label", "!~", "\\d|\\\\")):
        assert parse(str(matcher)) == (matcher,)
