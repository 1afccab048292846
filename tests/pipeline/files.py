"""Publishers' layouts, built by our own code with our own figures: what the pipeline tests feed in."""

import csv
import io
import zipfile
from pathlib import Path

import openpyxl

from darkfigure.sources import sesnsp
from warehouse import REFERENCE, carried

SESNSP_NAME = "incidencia_estatal_2025-02-20.csv"
CTS_NAME = "data_cts_corruption_and_economic_crime.xlsx"
EUROSTAT_NAME = "estat_crim_off_cat.tsv"
INCIDENTS_NAME = "RS_Session_267_AU_528_A_to_B_0.csv"
POPULATION_NAME = "world_bank_population.csv"


def states() -> list[str]:
    """The 32 states of Mexico, as SESNSP names them."""
    with (REFERENCE / "area_code" / "sesnsp.csv").open(encoding="utf-8") as file:
        return [row["code"] for row in csv.DictReader(file) if not row["note"]]


def carried_figures(source: str) -> list[dict[str, object]]:
    """The figures of a source's newest file that the project carries."""
    newest = max((each for each in carried.snapshots() if each.source_id == source), key=lambda each: each.vintage)
    return newest.load().returns.select(["ref_area", "time_period", "offence", "obs_value"]).to_pylist()


def sesnsp_file(added: int = 10, encoding: str = "latin-1") -> bytes:
    """The state file of a month later, with ``added`` case files more of each offence in each state and month of 2023."""
    months = sesnsp._MONTHS
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        ["Año", "Clave_Ent", "Entidad", "Bien jurídico afectado", "Tipo de delito", "Subtipo de delito", "Modalidad"]
        + list(months)
    )
    numbers = {state: number for number, state in enumerate(states(), start=1)}
    series: dict[tuple[str, object, object], list[float]] = {}
    for row in carried_figures("sesnsp"):
        year = str(row["time_period"])[:4]
        figures = series.setdefault((year, row["ref_area"], row["offence"]), [])
        # The last month had not been counted yet.
        figures.append(figures[-1] if row["obs_value"] is None else row["obs_value"] + added * (year == "2023"))
    for (year, state, subtype), figures in series.items():
        filled = [*map(int, figures), *[int(figures[-1])] * (12 - len(figures))]
        writer.writerow([year, numbers[str(state)], state, "El patrimonio", subtype, subtype, subtype, *filled])
    return text.getvalue().encode(encoding)


def cts_file(rows: list[list[object]] | None = None) -> bytes:
    """A UN-CTS workbook, released the day after the one that the project carries."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["UNODC", None])
    sheet.append(["17/05/2024", None])
    sheet.append(
        ["Iso3_code", "Country", "Region", "Subregion", "Indicator", "Dimension", "Category", "Sex", "Age", "Year"]
        + ["Unit of measurement", "VALUE", "Source"]
    )
    for row in rows if rows is not None else [cts_row(), cts_row(year=2021, value=80)]:
        sheet.append(row)
    return _bytes_of(book)


def cts_row(area: str = "FIN", offence: str = "Fraud", year: int = 2022, value: object = 100) -> list[object]:
    """A row of a UN-CTS workbook."""
    names = ["Finland", "Europe", "Northern Europe", "Offences", "by type of offence"]
    return [area, *names, offence, "Total", "Total", year, "Counts", value, "CTS"]


def eurostat_file(value: str = "100", code: str = "ICCS0903", geo: str = "FI", again: bool = False) -> bytes:
    """A TSV with one series of two years."""
    line = f"A,{code},NR,{geo}\t{value} \t: \n"
    return f"freq,iccs,unit,geo\\TIME_PERIOD\t2024 \t2025 \n{line}{line if again else ''}".encode()


def population_file(finland: int = 5_600_000) -> bytes:
    """The long csv, with two years more of Finland than the one that the project carries."""
    figures = {
        (row["ref_area"], row["time_period"]): row["obs_value"] for row in carried_figures("worldbank_population")
    }
    figures |= {("FIN", str(year)): finland for year in range(2015, 2027)}
    rows = "".join(f"{area},{area},{year},{n:.0f}\n" for (area, year), n in figures.items() if n is not None)
    return f"Country Name,Country Code,Year,Value\n{rows}".encode()


#: CERT-In's own figures, in its reply to the Rajya Sabha (session 267, question 528).
INCIDENTS = {2020: 1_158_208, 2021: 1_402_809, 2022: 1_391_457, 2023: 1_592_917, 2024: 2_041_360}


def incidents_file(last: int, count: int) -> bytes:
    """CERT-In's incidents of six years: as they are carried, and ``count`` in years that are not."""
    years = "".join(f"{year},{INCIDENTS.get(year, count)}\n" for year in range(last - 5, last + 1))
    return f"Year,Number of cyber security incidents\n{years}".encode()


def bomb(size: int = 512 * 2**20) -> bytes:
    """A workbook of a few megabytes that inflates to ``size`` bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            zeros = bytes(16 * 2**20)
            for _ in range(size // len(zeros)):
                member.write(zeros)
    return packed.getvalue()


def give(folder: Path, files: dict[str, bytes]) -> Path:
    """Put files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _bytes_of(book: openpyxl.Workbook) -> bytes:
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
