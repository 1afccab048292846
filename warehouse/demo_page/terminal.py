"""The scorecard as a terminal shows it. Not here: how numbers are compared, which is ``scorecard``'s."""

from rich.table import Table
from rich.text import Text

from darkfigure.repository.result import DayResult
from warehouse.demo_page.scorecard import SHORT, Line, grouped, lines, models

#: With five models and the columns between them, 100 characters in all.
_MEASURE, _NUMBER = 45, 10


def table(result: DayResult) -> Table:
    """Measures in rows, models in columns, and a star at the best of a row, unless that depends on what one wants."""
    names = models(result)
    made = Table(box=None, header_style="bold", pad_edge=False, caption=_CAPTION, caption_justify="left")
    made.add_column("", max_width=_MEASURE)
    for model in names:
        made.add_column(SHORT[model], justify="right", max_width=_NUMBER, no_wrap=True)
    for number, (group, members) in enumerate(grouped(lines(result))):
        if number:
            made.add_row()
        made.add_row(Text(group.capitalize(), style="bold"))
        for line in members:
            made.add_row(Text(_named(line)), *(_entry(line, model) for model in names))
    return made


_CAPTION = "* best of the row. ~ no best: depends on what you want. – did not occur."


def _named(line: Line) -> str:
    return f"{line.heading} ~" if line.measure.better == "neither" else line.heading


def _entry(line: Line, model: str) -> Text:
    best = model in line.best
    # Every number ends in the same column, whether it has a star or not.
    return Text(f"{line.texts[model]}{'*' if best else ' '}", style="bold" if best else "")
