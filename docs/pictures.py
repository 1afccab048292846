"""Draws the README's picture from the current release: ``.venv/bin/python docs/pictures.py``."""

from pathlib import Path

import duckdb

from pipelines.home import home

PICTURE = Path(__file__).parent / "mexico_fraud.svg"

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 400, 60, 250, 56, 44
HIGHEST = 14
SERIES = (
    ("denounced_pct", "#b3541e", "denounced, say victims", 0.0),
    ("case_file_pct", "#7a5195", "with a case file, say victims", 0.12),
    ("administrative_pct", "#1f6f8b", "recorded over surveyed", -0.12),
)
_QUERY = """
SELECT time_period::INTEGER, {name}, {name}_lower, {name}_upper FROM published.reporting_gap
WHERE ref_area = 'MEX' AND offence = 'Fraude' AND {name} IS NOT NULL ORDER BY time_period
"""


def draw(connection: duckdb.DuckDBPyConnection) -> str:
    """Fraud in Mexico, per 100 surveyed crimes: three quantities by year, each with its 95 % interval."""
    lines = {name: connection.execute(_QUERY.format(name=name)).fetchall() for name, *_ in SERIES}
    years = sorted({row[0] for rows in lines.values() for row in rows})
    first, last = years[0] - 0.5, years[-1] + 0.5

    def x(year: float) -> float:
        return LEFT + (year - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(pct: float) -> float:
        return HEIGHT - BOTTOM - pct / HIGHEST * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="Fraud in Mexico per 100 surveyed crimes, by year" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="24" font-size="16" font-weight="bold">Fraud in Mexico: of 100 crimes that victims tell, '
        "how many came to light</text>",
        f'<text x="{LEFT}" y="43" fill="#555">Points with 95 % intervals. Years without a point: no edition of the '
        "survey is carried.</text>",
    ]
    for pct in range(0, HIGHEST + 1, 2):
        parts.append(f'<path d="M{LEFT} {y(pct):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(pct) + 4:.1f}" text-anchor="end" fill="#555">{pct}</text>')
    for year in range(years[0], years[-1] + 1, 2):
        parts.append(f'<text x="{x(year):.1f}" y="{HEIGHT - 20}" text-anchor="middle" fill="#555">{year}</text>')
    for name, colour, label, shift in SERIES:
        points = [(x(year + shift), y(pct)) for year, pct, *_ in lines[name]]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.5" points="'
            + " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
            + '"/>'
        )
        for (a, b), (_, _, lower, upper) in zip(points, lines[name], strict=True):
            parts.append(f'<path d="M{a:.1f} {y(lower):.1f}V{y(upper):.1f}" stroke="{colour}" stroke-width="2"/>')
            parts.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>')
        parts.append(f'<text x="{points[-1][0] + 16:.1f}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{label}</text>')
    parts.append(
        f'<text x="{LEFT}" y="{HEIGHT - 4}" font-size="11" fill="#555">Sources: INEGI, ENVIPE, chapter III; SESNSP, '
        "incidencia delictiva del fuero común. Estimates: darkfigure.</text>"
    )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    with home().releases.read() as released:
        PICTURE.write_text(draw(released), encoding="utf-8")
