"""The structures of the dataflows as SDMX-ML 3.0: concepts, code lists, data structures.

Written by pysdmx. Columns whose codes are no SDMX ids (labels of publishers, several acts joined by |) are text;
the lists that those are taken from stand beside. Not here: which column is what (``sdmx_flows``).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from darkfigure.exchange.structure import COMPONENTS
from warehouse.bundle.content import Content, File
from warehouse.bundle.sdmx_flows import AGENCY, MEASURE_ID, VERSION, Flow, flows
from warehouse.description import ColumnDescription

if TYPE_CHECKING:
    from pysdmx.model import Codelist, Component, ConceptScheme, Dataflow, DataStructureDefinition, ItemReference

PATH = "sdmx/structures.xml"
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
#: To which measure an attribute belongs. There is one: the standard lets this be left out, and sdmx1 stops at it.
_TO_WHICH_MEASURE = re.compile(r"\s*<str:MeasureRelationship>.*?</str:MeasureRelationship>", re.DOTALL)
#: Columns with more codes than a contract lists: their lists are of what occurs.
_AS_THEY_OCCUR = ("source_id", "ref_area", "unit_measure", "currency")

Codes = dict[str, str]


def write_structures(connection: duckdb.DuckDBPyConnection, folder: Path, content: Content) -> File:
    """Write ``sdmx/structures.xml``: a concept scheme, code lists, and a data structure for each dataflow."""
    from pysdmx.io.xml.sdmx30.writer.structure import write
    from pysdmx.model import Organisation
    from pysdmx.model.message import Header

    made = flows(content)
    lists = {name: _codelist(name, codes) for name, codes in _codes(connection, made).items()}
    structures = [structure for flow in made for structure in _structure(flow, lists)]
    header = Header(
        id=f"{AGENCY}-{content.version}",
        prepared=datetime.fromisoformat(max(source.retrieved_at for source in content.sources)),
        sender=Organisation(id=AGENCY),
    )
    message = write([_concepts(made), *lists.values(), *_beside(connection), *structures], header=header) or ""
    (folder / PATH).write_text(_TO_WHICH_MEASURE.sub("", message), encoding="utf-8", newline="\n")
    return File.at(
        folder,
        PATH,
        title="Structures of the SDMX-CSV files",
        media_type="application/vnd.sdmx.structure+xml;version=3.0.0",
        conforms_to="https://sdmx.org/standards-2/",
    )


def _concepts(made: Iterable[Flow]) -> "ConceptScheme":
    from pysdmx.model import Concept
    from pysdmx.model.concept import ConceptScheme

    columns: dict[str, ColumnDescription] = {}
    for flow in made:
        for column in (*flow.dimensions, flow.measure, *flow.attributes):
            columns.setdefault(column.name, column)
    items = [Concept(id=name.upper(), name=_words(name), description=it.description) for name, it in columns.items()]
    return ConceptScheme(id="CONCEPTS", name="Concepts", agency=AGENCY, version=VERSION, items=items)


def _codes(connection: duckdb.DuckDBPyConnection, made: Iterable[Flow]) -> dict[str, Codes]:
    """The codes of each coded column with their names: those of all dataflows that have it together."""
    found: dict[str, Codes] = {}
    for flow in made:
        for column in (*flow.dimensions, *flow.attributes):
            if column.name in _AS_THEY_OCCUR:
                codes: Mapping[str, str] = _occurring(connection, flow, column.name)
            elif all(_ID.fullmatch(code) for code in column.codes if code):
                # Members of an enumeration are texts too, but pysdmx writes them as Python shows them.
                plain = [str.__str__(code) for code in column.codes if code]
                codes = {code: _name(column.name, code) for code in plain}
            else:
                codes = {}
            if codes:
                found.setdefault(column.name, {}).update(codes)
    return found


def _occurring(connection: duckdb.DuckDBPyConnection, flow: Flow, column: str) -> Codes:
    table = flow.table.name
    if column == "ref_area":
        query = f"SELECT DISTINCT ref_area, area_name FROM {table}"
    elif column == "source_id":
        query = f"""
        SELECT source_id, min(s.publisher || ': ' || s.table_title)
        FROM published.source AS s SEMI JOIN {table} USING (source_id) GROUP BY source_id
        """
    else:
        query = f"SELECT DISTINCT {column}, NULL FROM {table}"
    rows = connection.execute(f"{query} ORDER BY ALL").fetchall()
    return {code: name or _name(column, code) for code, name in rows}


def _beside(connection: duckdb.DuckDBPyConnection) -> "list[Codelist]":
    """The lists that texts are taken from: the acts, and publishers' schemes of offences that have codes."""
    acts = dict(connection.execute("SELECT act, act_name FROM published.act ORDER BY act").fetchall())
    lists = [_codelist("act", acts)]
    schemes = connection.execute(
        """
        SELECT scheme, list((code, label) ORDER BY code)
        FROM (
            SELECT scheme, code, arg_max(code_label, valid_from) AS label FROM published.crosswalk GROUP BY scheme, code
        )
        GROUP BY scheme
        ORDER BY scheme
        """
    ).fetchall()
    for scheme, rows in schemes:
        if all(_ID.fullmatch(code) for code, _ in rows):
            name = f"offence_{re.sub(r'[^A-Za-z0-9]+', '_', scheme)}"
            lists.append(_codelist(name, {code: label or code for code, label in rows}, f"Offences: {scheme}"))
    return lists


def _codelist(column: str, codes: Codes, name: str = "") -> "Codelist":
    from pysdmx.model import Code, Codelist

    items = [Code(id=code, name=meaning) for code, meaning in codes.items()]
    return Codelist(id=f"CL_{column.upper()}", name=name or _words(column), agency=AGENCY, version=VERSION, items=items)


def _structure(flow: Flow, lists: "Mapping[str, Codelist]") -> "tuple[DataStructureDefinition, Dataflow]":
    from pysdmx.model import Components, Dataflow, DataStructureDefinition, Role

    components = [_component(column, Role.DIMENSION, lists) for column in flow.dimensions]
    components.append(_component(flow.measure, Role.MEASURE, lists))
    components += [_component(column, Role.ATTRIBUTE, lists) for column in flow.attributes]
    structure = DataStructureDefinition(
        id=flow.id,
        name=_words(flow.id),
        description=flow.table.description,
        agency=AGENCY,
        version=VERSION,
        components=Components(components),
    )
    return structure, Dataflow(
        id=flow.id,
        name=structure.name,
        description=structure.description,
        agency=AGENCY,
        version=VERSION,
        structure=structure,
    )


def _component(column: ColumnDescription, role: str, lists: "Mapping[str, Codelist]") -> "Component":
    from pysdmx.model import Component, DataType, Role

    types = {
        "VARCHAR": DataType.STRING,
        "DOUBLE": DataType.DOUBLE,
        "BIGINT": DataType.LONG,
        "INTEGER": DataType.INTEGER,
        "BOOLEAN": DataType.BOOLEAN,
    }
    codes = lists.get(column.name)
    # A text that is not null may still be empty, and then is blank here.
    listed = codes is not None and not column.nullable and "" not in column.codes
    return Component(
        id=MEASURE_ID if role == Role.MEASURE else column.name.upper(),
        required=role == Role.DIMENSION or (role == Role.ATTRIBUTE and listed),
        role=Role(role),
        concept=_concept(column),
        local_codes=codes,
        local_dtype=DataType.PERIOD if column.name == "time_period" else None if codes else types[column.type],
        attachment_level="O" if role == Role.ATTRIBUTE else None,
    )


def _concept(column: ColumnDescription) -> "ItemReference":
    from pysdmx.model import ItemReference

    return ItemReference(
        sdmx_type="Concept", agency=AGENCY, id="CONCEPTS", version=VERSION, item_id=column.name.upper()
    )


def _name(column: str, code: str) -> str:
    known = COMPONENTS[column.upper()].codes if column.upper() in COMPONENTS else None
    return (known or {}).get(code) or _words(code)


def _words(id: str) -> str:
    """An id as words; what is no words in capitals or small letters stays."""
    words = id.replace("_", " ").strip()
    return words.capitalize() if "_" in id or len(id) > 3 else words
