"""The exports of a release of all figures carried: SDMX that both readers read whole, and tables that are the database's."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.bundle import check

FLOWS = {
    "observation": "obs_value",
    "indicator": "rate_per_100k",
    "loss": "amount",
    "reporting_rate": "rate",
    "dark_figure": "dark_count",
    "incidence": "incident_count",
}
#: Who reads it row by row takes a minute over the observations: it is given one row of so many.
ONE_IN = {"observation": 50}
#: Figures of Germany as their publishers print them: Bundeskriminalamt, Polizeiliche Kriminalstatistik 2024, table 01, key
#: 897000 (committed in the country); Eurostat, crim_off_cat, ICCS0903.
PRINTED = {("bka_pks", "897000", "2024"): 131391, ("eurostat_crim", "ICCS0903", "2022"): 16566}


@pytest.fixture
def folder(released) -> Path:
    return released.home.releases.database().parent


@pytest.fixture
def connection(folder) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(folder / "cybercrime.duckdb"), read_only=True) as opened:
        yield opened


@pytest.fixture
def structures(folder) -> dict[str, Any]:
    import pysdmx.io

    message = pysdmx.io.read_sdmx(folder / "sdmx" / "structures.xml", validate=True)
    return {structure.id: structure for structure in message.get_data_structure_definitions()}


def read(folder: Path, name: str) -> str:
    """SQL that reads the data of a dataflow as they are written, blanks as nulls."""
    return f"read_csv('{folder / 'sdmx' / name}.csv', all_varchar=true, header=true, nullstr='')"


def test_no_file_is_other_than_its_checksum(folder):
    assert check(folder) == []


def test_parquet_holds_the_tables(connection, folder):
    tables = [
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'published'"
        ).fetchall()
    ]
    assert {f"{name}.parquet" for name in tables} == {path.name for path in (folder / "parquet").iterdir()}
    for name in tables:
        file = folder / "parquet" / f"{name}.parquet"
        there, here = (
            f"SELECT count(*), bit_xor(hash(t)) FROM {source} AS t" for source in (f"published.{name}", f"'{file}'")
        )
        assert connection.execute(there).fetchall() == connection.execute(here).fetchall(), name


@pytest.mark.parametrize("name", FLOWS)
class TestEachDataflow:
    def test_dimensions_are_all_there_and_tell_rows_apart(self, connection, folder, structures, name):
        dimensions = [component.id for component in structures[name.upper()].components.dimensions]
        rows, keys, whole = connection.execute(
            f"""
            SELECT count(*), count(DISTINCT row({", ".join(dimensions)})),
                count(*) FILTER ({" AND ".join(f"{each} IS NOT NULL" for each in dimensions)})
            FROM {read(folder, name)}
            """
        ).fetchall()[0]
        ((expected,),) = connection.execute(f"SELECT count(*) FROM published.{name}").fetchall()
        assert rows == keys == whole == expected > 0

    def test_every_code_is_in_its_list(self, connection, folder, structures, name):
        coded = {c.id: c for c in structures[name.upper()].components if c.enumeration is not None}
        assert {"SOURCE_ID", "REF_AREA", "RELATION"} <= coded.keys() or name == "loss"
        connection.execute(f"CREATE TEMP TABLE data AS SELECT {', '.join(coded)} FROM {read(folder, name)}")
        for column, component in coded.items():
            found = connection.execute(f"SELECT DISTINCT {column} FROM data").fetchall()
            codes = {code.id for code in component.enumeration} | (set() if component.required else {None})
            assert {code for (code,) in found} <= codes, column

    def test_every_act_is_in_the_list_of_acts(self, connection, folder, name):
        import sdmx

        if name == "loss":
            return  # money is not by act
        listed = set(sdmx.read_sdmx(folder / "sdmx" / "structures.xml").codelist["CL_ACT"].items)
        query = f"SELECT DISTINCT unnest(string_split(ACT, '|')) FROM {read(folder, name)} WHERE ACT IS NOT NULL"
        assert {act for (act,) in connection.execute(query).fetchall()} <= listed

    def test_numbers_that_pysdmx_reads_are_those_of_the_database(self, connection, folder, name):
        import pysdmx.io

        (data,) = pysdmx.io.read_sdmx(folder / "sdmx" / f"{name}.csv").data
        assert data.short_urn == f"Dataflow=DARKFIGURE:{name.upper()}(1.0)"
        read_back = sorted(float(value) for value in data.data["OBS_VALUE"] if value != "NaN")
        assert read_back == numbers(connection, f"published.{name}", FLOWS[name])

    def test_sdmx1_reads_values_keys_and_attributes(self, connection, folder, name):
        import sdmx

        structure = sdmx.read_sdmx(folder / "sdmx" / "structures.xml").structure[name.upper()]
        with (folder / "sdmx" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        rows = rows[:: ONE_IN.get(name, 1)]
        text = io.StringIO()
        csv.writer(text).writerows([header, *rows])
        message = sdmx.reader.csv.Reader().convert(io.BytesIO(text.getvalue().encode()), structure=structure)
        (data,) = message.data
        for observation, row in zip(data.obs, rows, strict=True):
            expected = dict(zip(header, row, strict=True))
            assert observation.value == expected["OBS_VALUE"]
            assert all(str(value.value) == expected[column] for column, value in observation.dimension.values.items())
            assert all(str(value.value) == expected[column] for column, value in observation.attached_attribute.items())


def test_printed_figures_are_in_the_sdmx(connection, folder):
    for (source, offence, year), figure in PRINTED.items():
        found = connection.execute(
            f"""
            SELECT OBS_VALUE::DOUBLE FROM {read(folder, "observation")}
            WHERE SOURCE_ID = ? AND OFFENCE = ? AND TIME_PERIOD = ? AND REF_AREA = 'DEU' AND UNIT_MEASURE = 'NR'
                AND MEASURE IN ('recorded_cases', 'recorded_offences')
            """,
            [source, offence, year],
        ).fetchall()
        assert (figure,) in found


def test_every_source_of_the_release_is_in_its_descriptions(connection, folder):
    sources = connection.execute("SELECT snapshot_id, sha256, licence FROM published.source").fetchall()
    package, catalogue, lineage = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("datapackage.json", "dcat.jsonld", "prov.jsonld")
    )
    assert {source["sha256"] for source in package["sources"]} == {sha256 for _, sha256, _ in sources}
    release = catalogue["dcat:dataset"][1]
    assert {rights["rdfs:label"] for rights in release["dcterms:rights"]} == {licence for *_, licence in sources}
    assert len(release["dcterms:spatial"]) > 100
    nodes = {node["@id"]: node for node in lineage["@graph"]}
    assert {f"urn:darkfigure:snapshot:{snapshot}" for snapshot, *_ in sources} <= nodes.keys()
    observation = nodes[f"{release['@id']}:published.observation"]["prov:wasDerivedFrom"]
    assert {"@id": f"{release['@id']}:harmonised.observation"} in observation


def numbers(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> list[float]:
    found = connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1").fetchall()
    return [value for (value,) in found]
