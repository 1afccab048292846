"""The exports of a small release: they hold its rows, say what its contracts say, and carry statements unedited."""

import csv
import hashlib
import io
import json
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from darkfigure.errors import DarkfigureError
from validations.contracts import described
from warehouse.bundle import check, write_bundle, write_checksums
from warehouse.candidate import in_release

TABLES = [
    in_release(described(f"published.{name}"))
    for name in (
        "source", "observation", "indicator", "loss", "reporting_rate", "dark_figure", "incidence", "act", "crosswalk",
        "revision", "statement",
    )
]  # fmt: skip
INPUTS = {
    "published.observation": ("harmonised.observation",),
    "harmonised.observation": ("returns.observation",),
    "published.source": ("raw.snapshot",),
}
TEXTS = {
    "S-arabic": ("ara", "هذه الأرقام «أولية»، وتشمل ١٢ ولاية فقط"),
    "S-chinese": ("zh", "本表只包括已立案的案件；不可与其他国家比较。"),
    "S-emoji": ("en", "See the note 🇫🇮👩🏽‍💻, then compare"),
    "S-lines": ("fr", 'Première ligne\r\n\r\n"deuxième", ligne;\n\ttroisième\u2028quatrième\n'),
    "S-formula": ("en", '=HYPERLINK("http://example.org","figures")'),
    "S-composed": ("es", unicodedata.normalize("NFC", "Año de transición")),
    "S-decomposed": ("es", unicodedata.normalize("NFD", "Año de transición")),
    "S-markup": ("en", "  <script>&amp;</script> 'it''s' $x$ \\n {} %s  "),
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def put(connection: duckdb.DuckDBPyConnection, name: str, **given: Any) -> None:
    """A row of a table; what is not given is the plainest that its contract takes."""
    plain = {
        "VARCHAR": "x",
        "DOUBLE": 1.0,
        "BIGINT": 1,
        "BOOLEAN": True,
        "DATE": "2021-01-01",
        "TIMESTAMP": "2031-05-17",
    }
    table = next(table for table in TABLES if table.name == f"published.{name}")
    row = {c.name: None if c.nullable else c.codes[-1] if c.codes else plain[c.type] for c in table.columns}
    row |= {"first_released": "v0", "statement_ids": ""} | given
    connection.execute(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(row))})", [*row.values()])


def make_release(folder: Path, *, backwards: bool = False) -> Path:
    """A database of a release: six observations of Finland and Sweden, what is made of one of them, all statements."""
    folder.mkdir(parents=True)
    rows: list[tuple[str, dict[str, Any]]] = [
        ("source", {"snapshot_id": "aaa", "source_id": "office", "edition": "all", "vintage": "2023", "licence": "CC BY 4.0", "sha256": "a" * 64, "url": "https://example.org/table", "publisher": "An office", "table_title": "Table 1"}),
        ("source", {"snapshot_id": "bbb", "source_id": "office", "edition": "all", "vintage": "2022", "licence": "CC BY 4.0", "sha256": "b" * 64, "latest": False, "url": ""}),
        ("source", {"snapshot_id": "ccc", "source_id": "other", "edition": "all", "vintage": "2023", "licence": "Terms & conditions", "sha256": "c" * 64}),
        ("act", {"act": "A1", "act_name": "Illegal access"}),
        ("act", {"act": "B1", "act_name": "Fraud & forgery"}),
        ("crosswalk", {"scheme": "PKS", "code": "897000", "code_label": "Computerbetrug", "act": "B1"}),
        ("crosswalk", {"scheme": "Labels", "code": "False billing", "code_label": "False billing", "act": "B1"}),
        ("indicator", {"indicator_id": "I-1", "observation_id": "H-0", "source_id": "office", "ref_area": "FIN", "area_name": "Finland", "time_period": "2020", "act": "A1|B1", "rate_per_100k": 0.1 + 0.2}),
        ("loss", {"observation_id": "H-9", "source_id": "office", "ref_area": "FIN", "area_name": "Finland", "time_period": "2020", "currency": "EUR", "amount": 123456789012.5}),
        ("incidence", {"estimate_id": "E-1", "source_id": "office", "ref_area": "FIN", "area_name": "Finland", "time_period": "2021-04-01/P1Y", "act": "", "incident_count_lower": 5.0, "incident_count_upper": float("inf")}),
        ("revision", {"source_id": "office", "vintage_before": "2022", "vintage_after": "2023"}),
    ]  # fmt: skip
    for place, (area, name) in enumerate([("FIN", "Finland"), ("SWE", "Sweden")] * 3):
        said = {0: "S-lines", 1: "S-formula S-arabic"}.get(place, "")
        rows.append(
            ("observation", {
                "observation_id": f"H-{place}", "source_id": "office", "ref_area": area, "area_name": name, "parent_area": "", "time_period": f"202{place}",
                "offence": "False billing, and 'other'", "obs_value": None if place == 5 else place * 1.5, "obs_status": "O" if place == 5 else "A",
                "unit_measure": "NR", "act": "B1", "obs_statuses": "A", "comment_codes": "", "start_date": f"202{place}-01-01", "end_date": f"202{place}-12-31", "statement_ids": said,
            })
        )  # fmt: skip
    for key, (language, text) in TEXTS.items():
        about = "published.indicator" if key == "S-chinese" else ""
        rows.append(("statement", {"statement_id": key, "ref_area": "FIN", "area_name": "Finland", "about": about, "language": language, "author": "Statistics office", "statement_text": text, "sha256": sha256(text)}))  # fmt: skip
    with duckdb.connect(str(folder / "cybercrime.duckdb")) as connection:
        connection.execute("CREATE SCHEMA published")
        for table in TABLES:
            columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
            connection.execute(f"CREATE TABLE {table.name} ({columns})")
        for name, row in reversed(rows) if backwards else rows:
            put(connection, name, **row)
    return folder


def export(folder: Path, previous: str | None = None) -> Path:
    with duckdb.connect(str(folder / "cybercrime.duckdb"), read_only=True) as connection:
        write_bundle(connection, folder, TABLES, "2031-05-17-abc", INPUTS, previous)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release with its exports. Not to be changed."""
    return export(make_release(tmp_path_factory.mktemp("bundle") / "release"), previous="2031-05-16-xyz")


def ask(folder: Path, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "cybercrime.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def read_json(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def read_csv(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "sdmx" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def metadata(folder: Path, name: str) -> dict[str, str]:
    found = pq.read_metadata(folder / "parquet" / f"{name}.parquet").metadata
    return {key.decode(): value.decode() for key, value in found.items()}


def test_two_releases_with_the_same_rows_have_the_same_bytes_in_whatever_order_rows_came(folder, tmp_path):
    again = export(make_release(tmp_path / "again", backwards=True), previous="2031-05-16-xyz")
    names = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} - {Path("cybercrime.duckdb")}
    assert len(names) == len(TABLES) + 6 + 4  # Parquet, SDMX-CSV, structures and three descriptions
    assert [name for name in names if (folder / name).read_bytes() != (again / name).read_bytes()] == []


class TestParquet:
    @pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
    def test_a_table_has_its_rows(self, folder, table):
        file = folder / "parquet" / f"{table.name.split('.')[1]}.parquet"
        assert ask(folder, f"FROM '{file}' EXCEPT ALL FROM {table.name}") == []
        assert ask(folder, f"FROM {table.name} EXCEPT ALL FROM '{file}'") == []

    def test_a_table_says_what_it_and_its_columns_are(self, folder):
        said = metadata(folder, "loss")
        assert (said["release"], said["table"]) == ("2031-05-17-abc", "published.loss")
        assert said["description"] == described("published.loss").description
        assert json.loads(said["columns"])["currency"] == "ISO 4217 code"

    def test_rows_are_in_an_order_in_which_things_are_found(self, folder):
        areas = pq.read_table(folder / "parquet" / "observation.parquet")["ref_area"].to_pylist()
        assert areas == ["FIN"] * 3 + ["SWE"] * 3

    def test_it_is_packed_with_zstd(self, folder):
        assert pq.read_metadata(folder / "parquet" / "observation.parquet").row_group(0).column(0).compression == "ZSTD"


class TestSdmx:
    FLOWS = ("observation", "indicator", "loss", "reporting_rate", "dark_figure", "incidence")

    def test_the_structures_are_valid_sdmx_ml_and_both_readers_see_the_same(self, folder):
        import pysdmx.io
        import sdmx

        file = folder / "sdmx" / "structures.xml"
        ours = pysdmx.io.read_sdmx(file, validate=True)
        theirs = sdmx.read_sdmx(file)
        assert (
            {d.id for d in ours.get_data_structure_definitions()}
            == set(theirs.structure)
            == {name.upper() for name in self.FLOWS}
        )
        for structure in ours.get_data_structure_definitions():
            other = theirs.structure[structure.id]
            assert [c.id for c in structure.components.dimensions] == [c.id for c in other.dimensions]
            assert [c.id for c in structure.components.measures] == [c.id for c in other.measures] == ["OBS_VALUE"]
            assert [c.id for c in structure.components.attributes] == [c.id for c in other.attributes]
        assert {c.id: str(c.name) for c in theirs.codelist["CL_ACT"]} == {
            "A1": "Illegal access",
            "B1": "Fraud & forgery",
        }
        assert {c.id: str(c.name) for c in theirs.codelist["CL_REF_AREA"]} == {"FIN": "Finland", "SWE": "Sweden"}

    def test_publishers_codes_have_a_list_and_publishers_labels_have_none(self, folder):
        import sdmx

        lists = sdmx.read_sdmx(folder / "sdmx" / "structures.xml").codelist
        assert [name for name in lists if "OFFENCE" in name] == ["CL_OFFENCE_PKS"]
        assert str(lists["CL_OFFENCE_PKS"]["897000"].name) == "Computerbetrug"

    def test_codes_are_named_as_the_vocabulary_names_them(self, folder):
        import sdmx

        lists = sdmx.read_sdmx(folder / "sdmx" / "structures.xml").codelist
        assert str(lists["CL_OBS_STATUS"]["Q"].name) == "Missing; suppressed"
        assert str(lists["CL_SEX"]["F"].name) == "Female"
        assert "" not in lists["CL_REFUSAL_CODE"].items

    @pytest.mark.parametrize("name", FLOWS)
    def test_columns_are_what_pysdmx_writes_and_sdmx1_reads(self, folder, name):
        import pandas as pd
        import pysdmx.io
        import sdmx
        from pysdmx.io.csv.sdmx20.writer import write
        from pysdmx.io.pd import PandasDataset
        from pysdmx.model import Schema

        file = folder / "sdmx" / "structures.xml"
        structure = next(d for d in pysdmx.io.read_sdmx(file).get_data_structure_definitions() if d.id == name.upper())
        rows = read_csv(folder, name)
        with (folder / "sdmx" / f"{name}.csv").open(encoding="utf-8", newline="") as opened:
            header = next(csv.reader(opened))
        schema = Schema("dataflow", "DARKFIGURE", name.upper(), structure.components, "1.0")
        data = pd.DataFrame([{k: v for k, v in row.items() if k not in header[:3]} for row in rows], columns=header[3:])
        written = list(csv.reader(io.StringIO(write([PandasDataset(structure=schema, data=data)]), newline="")))
        assert written[0] == header
        # Infinity, which SDMX writes as XML Schema does, it writes as Python does.
        plain = [["INF" if value == "inf" else value for value in row] for row in written[1:]]
        assert [dict(zip(header, row, strict=True)) for row in plain] == rows

        read = sdmx.read_sdmx(folder / "sdmx" / f"{name}.csv", structure=sdmx.read_sdmx(file).structure[name.upper()])
        values = [obs.value for data in read.data for obs in data.obs]
        assert values == [row["OBS_VALUE"] for row in rows]

    def test_numbers_are_those_of_the_database(self, folder):
        assert [float(row["OBS_VALUE"]) for row in read_csv(folder, "indicator")] == [0.1 + 0.2]
        assert [float(row["OBS_VALUE"]) for row in read_csv(folder, "loss")] == [123456789012.5]
        found = {row["OBSERVATION_ID"]: row["OBS_VALUE"] for row in read_csv(folder, "observation")}
        assert found == {"H-0": "0.0", "H-1": "1.5", "H-2": "3.0", "H-3": "4.5", "H-4": "6.0", "H-5": "NaN"}

    def test_infinity_is_written_as_xml_schema_writes_it(self, folder):
        (row,) = read_csv(folder, "incidence")
        assert (row["OBS_VALUE"], row["INCIDENT_COUNT_LOWER"], row["INCIDENT_COUNT_UPPER"]) == ("NaN", "5.0", "INF")

    def test_a_row_names_its_dataflow(self, folder):
        assert {(r["STRUCTURE"], r["STRUCTURE_ID"], r["ACTION"]) for r in read_csv(folder, "loss")} == {
            ("dataflow", "DARKFIGURE:LOSS(1.0)", "I")
        }


class TestStatements:
    def test_texts_that_stand_on_a_row_stand_in_its_row_in_full(self, folder):
        said = {
            row["OBSERVATION_ID"]: (row["STATEMENT"], row["STATEMENT_SHA256"])
            for row in read_csv(folder, "observation")
        }
        assert said["H-0"] == (TEXTS["S-lines"][1], sha256(TEXTS["S-lines"][1]))
        formula, arabic = TEXTS["S-formula"][1], TEXTS["S-arabic"][1]
        assert said["H-1"] == (f"{formula}\n\n{arabic}", f"{sha256(formula)} {sha256(arabic)}")
        assert {said[f"H-{place}"] for place in range(2, 6)} == {("", "")}

    def test_each_text_is_unedited_in_one_row_of_sdmx(self, tmp_path):
        folder = make_release(tmp_path / "release")
        with duckdb.connect(str(folder / "cybercrime.duckdb")) as connection:
            for place, key in enumerate(TEXTS):
                put(
                    connection,
                    "loss",
                    observation_id=f"H-{key}",
                    time_period=f"20{place}",
                    currency="EUR",
                    statement_ids=key,
                )
        rows = [row for row in read_csv(export(folder), "loss") if row["STATEMENT"]]
        assert {row["OBSERVATION_ID"][2:]: row["STATEMENT"] for row in rows} == {
            key: text for key, (_, text) in TEXTS.items()
        }
        assert all(sha256(row["STATEMENT"]) == row["STATEMENT_SHA256"] for row in rows)

    def test_pysdmx_and_sdmx1_read_them_back(self, folder):
        import pysdmx.io
        import sdmx

        text = (folder / "sdmx" / "observation.csv").read_bytes().decode()
        (data,) = pysdmx.io.read_sdmx(text).data
        assert TEXTS["S-lines"][1] in set(data.data["STATEMENT"])
        structure = sdmx.read_sdmx(folder / "sdmx" / "structures.xml").structure["OBSERVATION"]
        read = sdmx.read_sdmx(folder / "sdmx" / "observation.csv", structure=structure)
        said = {str(obs.attached_attribute["STATEMENT"].value) for data in read.data for obs in data.obs}
        # That reader takes line breaks out of every text.
        assert "".join(TEXTS["S-lines"][1].splitlines()) in said

    @pytest.mark.parametrize("key", TEXTS)
    def test_each_text_is_unedited_wherever_statements_are_listed(self, folder, key):
        language, text = TEXTS[key]
        package = read_json(folder, "datapackage.json")
        catalogue = read_json(folder, "dcat.jsonld")["dcat:dataset"][1]["dqv:hasQualityAnnotation"]
        lineage = read_json(folder, "prov.jsonld")["@graph"]
        (listed,) = [said for said in package["statements"] if said["id"] == key]
        (noted,) = [said for said in catalogue if said["@id"].endswith(f":{key}")]
        (entity,) = [node for node in lineage if node["@id"].endswith(f":{key}")]
        assert (listed["language"], listed["text"], listed["sha256"]) == (language, text, sha256(text))
        assert noted["dcterms:description"] == {"@value": text, "@language": language}
        assert noted["spdx:checksum"]["spdx:checksumValue"]["@value"] == sha256(text)
        assert entity["prov:value"] == {"@value": text, "@language": language}
        assert sha256(
            pq.read_table(folder / "parquet" / "statement.parquet", filters=[("statement_id", "==", key)])[
                "statement_text"
            ][0].as_py()
        ) == sha256(text)

    def test_a_file_tells_the_statements_on_its_table_and_no_other(self, folder):
        said = json.loads(metadata(folder, "observation")["statements"])
        assert [(each["id"], each["text"], each["sha256"]) for each in said] == [
            (key, TEXTS[key][1], sha256(TEXTS[key][1])) for key in ("S-arabic", "S-formula", "S-lines")
        ]
        assert [each["id"] for each in json.loads(metadata(folder, "indicator")["statements"])] == ["S-chinese"]
        assert json.loads(metadata(folder, "loss")["statements"]) == []
        resources = {resource["name"]: resource for resource in read_json(folder, "datapackage.json")["resources"]}
        assert [each["id"] for each in resources["indicator-sdmx"]["statements"]] == ["S-chinese"]
        assert "statements" not in resources["loss"]

    def test_one_that_is_not_what_its_hash_names_is_not_passed_on(self, tmp_path):
        folder = make_release(tmp_path / "release")
        with duckdb.connect(str(folder / "cybercrime.duckdb")) as connection:
            connection.execute(
                "UPDATE published.statement SET statement_text = trim(statement_text) WHERE statement_id = 'S-markup'"
            )
        with pytest.raises(DarkfigureError, match=r"published\.statement, S-markup: the text is not the one"):
            export(folder)


class TestDataPackage:
    """The rules of the Data Package standard, version 2, that a package of tables can break."""

    def test_names_paths_and_profiles(self, folder):
        package = read_json(folder, "datapackage.json")
        assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
        assert (package["id"], package["version"]) == ("urn:darkfigure:release:2031-05-17-abc", "2031-05-17-abc")
        names = [package["name"], *(resource["name"] for resource in package["resources"])]
        assert len(names) == len(set(names)) == 1 + len(TABLES) + 6
        for resource in package["resources"]:
            file = folder / resource["path"]
            assert resource["type"] == "table"
            assert resource["bytes"] == file.stat().st_size
            assert resource["hash"] == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
            assert not Path(resource["path"]).is_absolute() and ".." not in resource["path"]
        assert all(contributor["title"] for contributor in package["contributors"])

    def test_licences_have_names_and_sources_titles(self, folder):
        package = read_json(folder, "datapackage.json")
        assert package["licenses"] == [
            {"name": "cc-by-4.0", "title": "CC BY 4.0"},
            {"name": "terms-conditions", "title": "Terms & conditions"},
        ]
        assert [source["sha256"][0] for source in package["sources"]] == ["b", "a", "c"]
        resources = {resource["name"]: resource for resource in package["resources"]}
        assert resources["observation"]["licenses"] == [{"name": "cc-by-4.0", "title": "CC BY 4.0"}]
        assert resources["observation"]["sources"] == [
            {"title": "An office: Table 1, all, 2023", "path": "https://example.org/table"}
        ]
        assert len(resources["revision"]["sources"]) == 2  # it compares vintages

    def test_fields_are_the_columns_of_the_file_in_their_order(self, folder):
        for resource in read_json(folder, "datapackage.json")["resources"]:
            fields = resource["schema"]["fields"]
            columns = [name for name, *_ in ask(folder, f"DESCRIBE FROM '{folder / resource['path']}'")]
            assert [field["name"] for field in fields] == columns, resource["name"]
            assert {field["type"] for field in fields} <= {"string", "number", "integer", "boolean", "date", "datetime"}
            assert all(field["description"] for field in fields)
            assert set(resource["schema"].get("primaryKey", [])) <= set(columns)
            # A list of codes without a code would let nothing pass.
            assert all(field["constraints"].get("enum", [0]) for field in fields if "constraints" in field)

    def test_rows_keep_the_constraints(self, folder):
        with duckdb.connect() as connection:
            for resource in read_json(folder, "datapackage.json")["resources"]:
                file, csv_options = folder / resource["path"], "all_varchar=true, nullstr=''"
                read = f"read_csv('{file}', {csv_options})" if resource["format"] == "csv" else f"'{file}'"
                connection.execute(f"CREATE OR REPLACE TABLE data AS FROM {read}")
                for field in resource["schema"]["fields"]:
                    constraints, name = field.get("constraints", {}), field["name"]
                    values = {value for (value,) in connection.execute(f"SELECT DISTINCT {name} FROM data").fetchall()}
                    assert not constraints.get("required") or None not in values, (resource["name"], name)
                    assert values - {None} <= set(constraints.get("enum", values)), (resource["name"], name)


class TestLinkedData:
    """Both files are JSON-LD that is read without loading anything."""

    @pytest.mark.parametrize("name", ["dcat.jsonld", "prov.jsonld"])
    def test_each_prefix_is_in_the_file(self, folder, name):
        content = read_json(folder, name)
        prefixes = content.pop("@context")
        assert all(iri.startswith("http") and iri[-1] in "#/" for iri in prefixes.values())
        used = set()
        for key in _keys_and_types(content):
            assert key.startswith("@") or ":" in key, key
            used |= {key.split(":")[0]} - {key}
        assert used <= set(prefixes)

    def test_a_release_is_a_version_in_a_series_with_its_span_and_places(self, folder):
        catalogue = read_json(folder, "dcat.jsonld")
        series, release = catalogue["dcat:dataset"]
        assert (series["@type"], release["dcat:inSeries"]["@id"]) == ("dcat:DatasetSeries", series["@id"])
        assert release["dcat:version"] == "2031-05-17-abc"
        assert release["dcat:previousVersion"] == {"@id": "urn:darkfigure:release:2031-05-16-xyz"}
        assert release["dcterms:temporal"]["dcat:startDate"]["@value"] == "2020-01-01"
        assert release["dcterms:temporal"]["dcat:endDate"]["@value"] == "2025-12-31"
        assert [place["dcterms:identifier"] for place in release["dcterms:spatial"]] == ["FIN", "SWE"]
        assert [rights["rdfs:label"] for rights in release["dcterms:rights"]] == ["CC BY 4.0", "Terms & conditions"]

    def test_every_file_is_a_distribution_with_its_size_and_hash(self, folder):
        release = read_json(folder, "dcat.jsonld")["dcat:dataset"][1]
        found = {each["@id"]: each for each in release["dcat:distribution"]}
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert set(found) == there - {"dcat.jsonld"}
        for path in set(found) - {"cybercrime.duckdb"}:
            assert int(found[path]["dcat:byteSize"]["@value"]) == (folder / path).stat().st_size
            digest = found[path]["spdx:checksum"]["spdx:checksumValue"]["@value"]
            assert digest == hashlib.sha256((folder / path).read_bytes()).hexdigest()

    def test_the_first_release_follows_none(self, tmp_path):
        release = read_json(export(make_release(tmp_path / "release")), "dcat.jsonld")["dcat:dataset"][1]
        assert "dcat:previousVersion" not in release

    def test_lineage_leads_from_a_table_to_publishers_files(self, folder):
        nodes = {node["@id"]: node for node in read_json(folder, "prov.jsonld")["@graph"]}
        assert len(nodes) == len(read_json(folder, "prov.jsonld")["@graph"])
        release = "urn:darkfigure:release:2031-05-17-abc"

        def made_from(name: str) -> list[str]:
            return [
                each["@id"].removeprefix(f"{release}:") for each in nodes[f"{release}:{name}"]["prov:wasDerivedFrom"]
            ]

        assert made_from("published.observation") == ["harmonised.observation", "urn:darkfigure:snapshot:aaa"]
        assert made_from("harmonised.observation") == ["returns.observation"]
        assert nodes["urn:darkfigure:snapshot:aaa"]["spdx:checksumValue"]["@value"] == "a" * 64
        assert nodes["urn:darkfigure:snapshot:aaa"]["prov:atLocation"] == {"@id": "https://example.org/table"}
        for node in nodes.values():
            for relation in ("prov:wasDerivedFrom", "prov:hadMember", "prov:used", "prov:wasInfluencedBy"):
                assert all(each["@id"] in nodes for each in node.get(relation, [])), node["@id"]


class TestChecksums:
    @pytest.fixture
    def sealed(self, folder: Path, tmp_path: Path) -> Path:
        copied = shutil.copytree(folder, tmp_path / "release")
        write_checksums(copied)
        return copied

    def test_it_lists_every_other_file_in_order(self, sealed):
        lines = (sealed / "checksums.sha256").read_text().splitlines()
        paths = [line[66:] for line in lines]
        assert paths == sorted(
            p.relative_to(sealed).as_posix() for p in sealed.rglob("*") if p.is_file() and p.name != "checksums.sha256"
        )
        assert "cybercrime.duckdb" in paths
        assert check(sealed) == []

    @pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this machine")
    def test_sha256sum_reads_it(self, sealed):
        assert (
            subprocess.run(
                ["sha256sum", "--strict", "-c", "checksums.sha256"], cwd=sealed, capture_output=True
            ).returncode
            == 0
        )

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            (lambda file: file.write_text("{}"), "prov.jsonld"),
            (lambda file: file.unlink(), "parquet/act.parquet"),
            (lambda file: file.write_text("new"), "parquet/new.txt"),
        ],
        ids=["changed", "gone", "added"],
    )
    def test_it_names_what_does_not_hold(self, sealed, change: Callable[[Path], Any], path: str):
        change(sealed / path)
        assert check(sealed) == [path]

    def test_that_a_release_was_rolled_back_is_no_change_of_it(self, sealed):
        (sealed / "ROLLED_BACK").write_text("a reason")
        assert check(sealed) == []

    def test_without_a_list_it_says_what_to_do(self, tmp_path):
        with pytest.raises(DarkfigureError, match=r"checksums\.sha256: there is no such list; run"):
            check(tmp_path)


def _keys_and_types(content: Any) -> list[str]:
    """All keys of objects within, and all their types."""
    if isinstance(content, list):
        return [key for each in content for key in _keys_and_types(each)]
    if not isinstance(content, dict):
        return []
    types = content.get("@type", [])
    return [*content, *([types] if isinstance(types, str) else types), *_keys_and_types(list(content.values()))]
