"""The grammar: one table of verbs drives parsing, help, completion and the documentation."""

from bot.domain.verbs.model import OpenForm, ParseContext, Parsed, Query, UseRunbook, Verb, Wish
from bot.domain.verbs.parsing import parse, permissions_for
from bot.domain.verbs.table import VERBS, completions

__all__ = [
    "VERBS",
    "OpenForm",
    "ParseContext",
    "Parsed",
    "Query",
    "UseRunbook",
    "Verb",
    "Wish",
    "completions",
    "parse",
    "permissions_for",
]
