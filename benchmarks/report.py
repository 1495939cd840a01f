"""How every benchmark prints: a table for people, and with `--json` one object, last on stdout, for programs."""

import json
from collections.abc import Mapping, Sequence

Figures = Mapping[str, float]


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table; every column is as wide as its widest cell."""
    widths = [max(len(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    for row in (headers, ["-" * width for width in widths], *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_figures(figures: Figures, *, wanted: Mapping[str, str] | None = None) -> None:
    """One line per figure, with what is wanted of it where that is known."""
    rows = [[name, f"{value:.4g}", (wanted or {}).get(name, "")] for name, value in figures.items()]
    print_table(["figure", "value", "wanted"], rows)


def print_json(benchmark: str, *, figures: Figures, peers: Mapping[str, Figures], method: str) -> None:
    """The object that programs read: numbers under flat names."""
    print(
        json.dumps(
            {
                "benchmark": benchmark,
                "figures": {name: round(value, 4) for name, value in figures.items()},
                "peers": {peer: {name: round(value, 4) for name, value in its.items()} for peer, its in peers.items()},
                "method": method,
            }
        ),
        flush=True,
    )
