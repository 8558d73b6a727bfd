"""The grammar: one table of verbs drives parsing, help, completion and the documentation."""

from bot.domain.verbs.model import OpenForm, ParseContext, Parsed, Query, Undo, UseRunbook, UseSilence, Verb, Wish
from bot.domain.verbs.parsing import parse
from bot.domain.verbs.permitting import permissions_for, verb_of
from bot.domain.verbs.table import VERBS, completions

__all__ = [
    "VERBS",
    "OpenForm",
    "ParseContext",
    "Parsed",
    "Query",
    "Undo",
    "UseRunbook",
    "UseSilence",
    "Verb",
    "Wish",
    "completions",
    "parse",
    "permissions_for",
    "verb_of",
]
