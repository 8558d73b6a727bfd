"""Medians and spread, as a table."""

from collections.abc import Sequence
from statistics import median


def row(name: str, values: Sequence[float], unit: str, target: str = "") -> list[str]:
    """Return one line of the table."""
    middle, low, high = median(values), min(values), max(values)
    return [name, f"{middle:,.2f} {unit}", f"{low:,.2f} – {high:,.2f}", str(len(values)), target]


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print the table as Markdown."""
    head = ["what", "median", "min – max", "runs", "target"]
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for n, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if n == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
