"""`tocsin runbook …` and `tocsin explain`: what would serve which alert, without a database."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.output import Failure, say, say_json, table
from bot.domain.severity import Severity, parse_severity

Json = Annotated[bool, typer.Option("--json", help="for a machine")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="Runbooks: list, lint, match, coverage.")
    group.command("list", help="The runbooks there are.")(list_)
    group.command(help="Check every runbook; fails if one is wrong.")(lint)
    group.command(help="Which runbook serves the alerts in PAYLOAD.json, and why.")(match)
    group.command(help="Which alert rules in RULES.json have a runbook.")(coverage)
    app.add_typer(group, name="runbook")


def _library(context: typer.Context, folder: Path | None = None) -> Any:
    from bot.settings import read_settings
    from bot.wiring.tools import open_library

    settings = read_settings(context.obj)
    return settings, open_library(settings, folder)


def list_(context: typer.Context, as_json: Json = False) -> None:
    """Print name, title, owner and age of the last review."""
    _, library = _library(context)
    books = [library.get(name) for name in library.names()]
    if as_json:
        say_json(
            [
                {"name": b.name, "title": b.title, "owner": b.owner, "matches": list(b.matches), "steps": len(b.steps),
                 "last_reviewed": b.last_reviewed.isoformat() if b.last_reviewed else None}
                for b in books
            ]
        )  # fmt: skip
        return
    table(
        [[b.name, b.title, b.owner, str(len(b.steps)), str(b.last_reviewed or "never")] for b in books],
        ["NAME", "TITLE", "OWNER", "STEPS", "REVIEWED"],
    )


def lint(
    context: typer.Context, folder: Annotated[Path | None, typer.Argument()] = None, as_json: Json = False
) -> None:
    """Print each problem with file and line; exit 1 if any is an error."""
    from bot.settings import read_settings
    from bot.wiring.tools import lint_folder

    settings = read_settings(context.obj)
    problems = lint_folder(settings, folder)
    if as_json:
        say_json([vars_of(problem) for problem in problems])
    else:
        for problem in problems:
            say(str(problem))
    errors = [problem for problem in problems if problem.level == "error"]
    if errors:
        raise Failure(f"{len(errors)} problems in the runbooks; mend them as said above")
    if not as_json:
        say("All runbooks are fine." if not problems else f"No errors; {len(problems)} warnings.")


def vars_of(problem: Any) -> dict[str, Any]:
    """Return a problem as JSON-safe data."""
    from dataclasses import asdict

    return {key: str(value) if isinstance(value, Path) else value for key, value in asdict(problem).items()}


def read_json(path: Path) -> Any:
    """Return the JSON in a file. Raises Failure saying what is wrong with it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise Failure(f"{path}: cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise Failure(f"{path}: not JSON: {exc}") from exc


def match(context: typer.Context, payload: Path, as_json: Json = False) -> None:
    """Print the runbook for each alert of a webhook payload."""
    from bot.inbound.alerts import SOURCES
    from bot.inbound.alerts.reading import Unusable

    _, library = _library(context)
    read_json(payload)
    try:
        batch = SOURCES["alertmanager"].parse(payload.read_bytes(), {})
    except Unusable as exc:
        raise Failure(f"{payload}: {exc}") from exc
    found = []
    for alert in batch.alerts:
        book, reason = library.match(alert.labels, alert.annotations, alert.labels.get("service"), Severity.SEV3)
        found.append({"alert": alert.name, "runbook": book.name if book else None, "reason": reason})
    if as_json:
        say_json(found)
    else:
        table([[f["alert"], f["runbook"] or "none", f["reason"]] for f in found], ["ALERT", "RUNBOOK", "WHY"])


def coverage(context: typer.Context, rules: Path, as_json: Json = False) -> None:
    """Print which alert rules have a runbook of their own (the default does not count)."""
    settings, library = _library(context)
    default = settings.config.runbooks.default
    found = []
    for rule in _rules(read_json(rules)):
        labels = {"alertname": rule["alert"], **({"severity": rule["severity"]} if rule.get("severity") else {})}
        annotations = {"runbook_url": rule["runbook_url"]} if rule.get("runbook_url") else {}
        book, reason = library.match(
            labels, annotations, None, parse_severity(rule.get("severity") or "") or Severity.SEV3
        )
        own = book.name if book and book.name != default else None
        found.append({"alert": rule["alert"], "runbook": own, "link": rule.get("runbook_url"), "reason": reason})
    covered = sum(1 for f in found if f["runbook"])
    if as_json:
        say_json({"rules": len(found), "covered": covered, "alerts": found})
        return
    table(
        [[f["alert"], f["runbook"] or "-", f["link"] or "-"] for f in found],
        ["ALERT", "RUNBOOK", "LINK FROM THE ALERT"],
    )
    say(f"{covered} of {len(found)} rules have a runbook of their own.")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _rules(data: Any) -> list[dict[str, Any]]:
    """Return alert rules from our own list shape, or from Prometheus's `/api/v1/rules` or rule-file shape."""
    if isinstance(data, dict) and "data" in data:
        data = data["data"]
    if isinstance(data, dict) and "groups" in data:
        data = [rule for group in _objects(data["groups"]) for rule in _objects(group.get("rules"))]
    elif isinstance(data, dict):
        data = data.get("rules")
    rules = []
    for rule in _objects(data):
        labels, notes = ({**part} if isinstance(part := rule.get(k), dict) else {} for k in ("labels", "annotations"))
        found = {
            "alert": rule.get("alert") or rule.get("name"),
            "severity": rule.get("severity") or labels.get("severity"),
            "runbook_url": rule.get("runbook_url") or notes.get("runbook_url"),
        }
        words = {key: value for key, value in found.items() if isinstance(value, str)}
        if words.get("alert"):
            rules.append(words)
    if not rules:
        raise Failure("there are no alert rules in that file; expected a list of rules, or Prometheus's rule groups")
    return rules
