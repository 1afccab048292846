"""Layouts changed as publishers change them, and what must hold of every change: the same figures, or a clear refusal.

A layout is a list of sheets, each a name and a grid of cells; a delimited text is a layout of one sheet. A mutation
takes a layout and a source of chance and gives another; it does not know what the cells mean. ``check`` demands that
the file is then refused in one line, or gives the same figures, or fewer with the rest rejected: never another figure.
Codes that the layout did not have before are unknown codes, as they would be to the reference tables. Free text beside
a figure (its origin, its labels) is no part of what is compared.
"""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from hypothesis import settings

from darkfigure.errors import SourceError
from darkfigure.sources.accept import KnownCodes, check_returns
from darkfigure.sources.returns import Parsed
from tests.unit import layouts

Grid = list[list[Any]]


class Sheet(NamedTuple):
    name: str
    grid: Grid


Layout = list[Sheet]
Mutation = Callable[[Layout, Random], Layout]
Parse = Callable[[bytes, str], Parsed]
Render = Callable[[Layout], bytes]


def as_workbook(layout: Layout) -> bytes:
    return layouts.workbook({sheet.name: sheet.grid for sheet in layout})


def as_text(delimiter: str = ",", encoding: str = "utf-8") -> Render:
    def render(layout: Layout) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(layout[0].grid)
        return text.getvalue().encode(encoding)

    return render


def _changed(layout: Layout, chance: Random, change: Callable[[Grid], Grid]) -> Layout:
    place = chance.randrange(len(layout))
    return [
        sheet._replace(grid=change([list(row) for row in sheet.grid])) if number == place else sheet
        for number, sheet in enumerate(layout)
    ]


def _width(grid: Grid) -> int:
    return max(map(len, grid), default=1)


def blank_row(layout: Layout, chance: Random) -> Layout:
    """An empty row somewhere."""

    def change(grid: Grid) -> Grid:
        grid.insert(chance.randrange(len(grid) + 1), [""] * _width(grid))
        return grid

    return _changed(layout, chance, change)


def note_row(layout: Layout, chance: Random) -> Layout:
    """A row of prose in its first cell somewhere."""
    note = chance.choice(
        ["1. A note on method that was not there before.", "Source: the office", "(p) provisional", "*"]
    )

    def change(grid: Grid) -> Grid:
        grid.insert(chance.randrange(len(grid) + 1), [note] + [""] * (_width(grid) - 1))
        return grid

    return _changed(layout, chance, change)


def preamble(layout: Layout, chance: Random) -> Layout:
    """Some rows of prose above everything."""
    count = chance.randint(1, 4)
    return _changed(
        layout,
        chance,
        lambda grid: [["The office, its tables"] + [""] * (_width(grid) - 1) for _ in range(count)] + grid,
    )


def blank_column(layout: Layout, chance: Random) -> Layout:
    """An empty column somewhere."""

    def change(grid: Grid) -> Grid:
        place = chance.randrange(_width(grid) + 1)
        return [[*row[:place], "", *row[place:]] for row in grid]

    return _changed(layout, chance, change)


def moved_column(layout: Layout, chance: Random) -> Layout:
    """One column taken out and put in elsewhere."""

    def change(grid: Grid) -> Grid:
        width = _width(grid)
        source, target = chance.randrange(width), chance.randrange(width)
        moved = []
        for row in grid:
            cells = row + [""] * (width - len(row))
            cells.insert(target, cells.pop(source))
            moved.append(cells)
        return moved

    return _changed(layout, chance, change)


def moved_row(layout: Layout, chance: Random) -> Layout:
    """One row taken out and put in elsewhere."""

    def change(grid: Grid) -> Grid:
        grid.insert(chance.randrange(len(grid)), grid.pop(chance.randrange(len(grid))))
        return grid

    return _changed(layout, chance, change)


def fused_footnote(layout: Layout, chance: Random) -> Layout:
    """The number of a footnote, fused to a text."""
    mark = chance.choice(["6", " [note 3]", "1)", "*", " (2)", "¹"])

    def change(grid: Grid) -> Grid:
        texts = [
            (r, c) for r, row in enumerate(grid) for c, cell in enumerate(row) if isinstance(cell, str) and _wordy(cell)
        ]
        if texts:
            r, c = chance.choice(texts)
            grid[r][c] += mark
        return grid

    return _changed(layout, chance, change)


def _wordy(text: str) -> bool:
    return sum(map(str.isalpha, text)) > 2


def spaces(layout: Layout, chance: Random) -> Layout:
    """Stray space round every text, of the breaking kind or not."""
    space = chance.choice([" ", "\u00a0", "  "])
    return [
        sheet._replace(
            grid=[[f"{c}{space}" if isinstance(c, str) and _wordy(c) else c for c in row] for row in sheet.grid]
        )
        for sheet in layout
    ]


def repeated_row(layout: Layout, chance: Random) -> Layout:
    """One row twice."""

    def change(grid: Grid) -> Grid:
        place = chance.randrange(len(grid))
        grid.insert(place, list(grid[place]))
        return grid

    return _changed(layout, chance, change)


def new_sheet(layout: Layout, chance: Random) -> Layout:
    """A sheet more, that is no table."""
    layout = list(layout)
    layout.insert(chance.randrange(len(layout) + 1), Sheet("Notes 2031", [["Notes"], ["Nothing to see"]]))
    return layout


def renamed_sheet(layout: Layout, chance: Random) -> Layout:
    """A sheet under another name."""
    place = chance.randrange(len(layout))
    return [s._replace(name=f"{s.name} new"[:31]) if n == place else s for n, s in enumerate(layout)]


def moved_sheet(layout: Layout, chance: Random) -> Layout:
    """The sheets in another order."""
    layout = list(layout)
    chance.shuffle(layout)
    return layout


#: What may be done to a text of one table, and to a workbook.
TO_TEXT: tuple[Mutation, ...] = (
    blank_row, note_row, preamble, blank_column, moved_column, moved_row, fused_footnote, spaces, repeated_row,
)  # fmt: skip
TO_WORKBOOK: tuple[Mutation, ...] = (*TO_TEXT, new_sheet, renamed_sheet, moved_sheet)

#: For every test of mutants. ``DARKFIGURE_MUTANTS=1000 pytest -k "mutat or changed"`` tries more of them, and prints what
#: became of each.
mutants = settings(max_examples=int(os.environ.get("DARKFIGURE_MUTANTS", "25")), deadline=None)
#: Where each is a large workbook.
mutants_of_workbooks = settings(mutants, max_examples=int(os.environ.get("DARKFIGURE_MUTANTS", "10")))

#: What became of the mutants of each parser, in this process.
OUTCOMES: Counter[tuple[str, str]] = Counter()

#: Codes and figures of the layouts as they were before any change.
_UNCHANGED: dict[tuple[str, str, str, str], tuple[KnownCodes, set[tuple[Any, ...]]]] = {}


def check(
    parse: Parse,
    layout: Layout,
    render: Render,
    chance: Random,
    mutations: tuple[Mutation, ...] = TO_WORKBOOK,
    file: str = "given.file",
) -> str:
    """Change the layout once or twice: the same figures, fewer with the rest rejected, or refused. Says which."""
    key = parse.__module__, render.__qualname__, file, repr(layout)
    if key not in _UNCHANGED:  # which is made and read once
        original = parse(render(layout), file)
        codes = (set(original.returns[name].to_pylist()) for name in ("ref_area", "offence"))
        _UNCHANGED[key] = KnownCodes(*codes), _figures(original)
    known, expected = _UNCHANGED[key]

    def read(data: bytes) -> Parsed:
        parsed = parse(data, file)
        check_returns(parsed, known, file)
        return parsed

    mutant, names = layout, []
    for mutation in chance.choices(mutations, k=chance.randint(1, 2)):
        mutant, names = mutation(mutant, chance), [*names, mutation.__name__]
    outcome = _outcome(read, render(mutant), expected, " then ".join(names))
    OUTCOMES[parse.__module__, outcome] += 1
    return outcome


def _outcome(read: Callable[[bytes], Parsed], data: bytes, expected: set[tuple[Any, ...]], what: str) -> str:
    try:
        parsed = read(data)
    except SourceError as refusal:
        assert str(refusal).count("\n") == 0 and refusal.remedy, f"{what}: refused in one line, with a remedy"
        return "refused"
    got = _figures(parsed)
    assert got <= expected, f"{what}: other figures: {sorted(map(str, got - expected))[:3]}"
    if got == expected:
        return "same"
    assert parsed.rejected.num_rows, f"{what}: {len(expected - got)} figures lost without a word"
    return "some rejected"


def _figures(parsed: Parsed) -> set[tuple[Any, ...]]:
    texts = ["origin", "period_label", "ref_area_label", "offence_label"]
    return layouts.figures(replace(parsed, returns=parsed.returns.drop_columns(texts)))
