"""Publishers' layouts, built by our own code with our own figures: what the pipeline tests feed in."""

import csv
import io
import zipfile
from pathlib import Path

import openpyxl

from darkfigure.sources import sesnsp
from warehouse import REFERENCE

SESNSP_NAME = "incidencia_estatal_2025-02-20.csv"
CTS_NAME = "data_cts_corruption_and_economic_crime.xlsx"
EUROSTAT_NAME = "estat_crim_off_cat.tsv"
INCIDENTS_NAME = "RS_Session_267_AU_528_A_to_B_0.csv"
POPULATION_NAME = "world_bank_population.csv"


def states() -> list[str]:
    """The 32 states of Mexico, as SESNSP names them."""
    with (REFERENCE / "area_code" / "sesnsp.csv").open(encoding="utf-8") as file:
        return [row["code"] for row in csv.DictReader(file) if not row["note"]]


def sesnsp_file(monthly: int = 10, years: tuple[int, ...] = (2023, 2024), encoding: str = "latin-1") -> bytes:
    """A state file in which every state has ``monthly`` case files of each offence in each month."""
    months = sesnsp._MONTHS
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(
        ["Año", "Clave_Ent", "Entidad", "Bien jurídico afectado", "Tipo de delito", "Subtipo de delito", "Modalidad"]
        + list(months)
    )
    for year in years:
        for number, state in enumerate(states(), start=1):
            for subtype in sesnsp.SUBTYPES:
                writer.writerow([year, number, state, "El patrimonio", subtype, subtype, subtype, *[monthly] * 12])
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
    """The long csv, with one year more than the one that the project carries."""
    rows = "".join(f"Finland,FIN,{year},{finland}\n" for year in range(2015, 2027))
    return f"Country Name,Country Code,Year,Value\n{rows}".encode()


def incidents_file(last: int, count: int) -> bytes:
    """CERT-In's incidents of six years, ``count`` in each."""
    years = "".join(f"{year},{count}\n" for year in range(last - 5, last + 1))
    return f"Year,Number of cyber security incidents\n{years}".encode()


def bomb(size: int = 2 * 2**30) -> bytes:
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
