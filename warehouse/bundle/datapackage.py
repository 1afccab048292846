"""``datapackage.json``: the release as a Data Package (version 2 of the standard), a resource for each data file."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from warehouse.bundle.content import Content, File, Source, Statement, release_id, short_name, write_json
from warehouse.bundle.sdmx_flows import MEASURE_ID, Flow, flows
from warehouse.description import ColumnDescription

PATH = "datapackage.json"
_PROFILES = "https://datapackage.org/profiles/2.0"
_TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "number",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


def write_datapackage(folder: Path, content: Content, data: Sequence[File]) -> File:
    """Write ``datapackage.json`` over the files of data, each of one table."""
    of_tables = {flow.path: flow for flow in flows(content)}
    package = {
        "$schema": f"{_PROFILES}/datapackage.json",
        "name": "darkfigure-cybercrime",
        "id": release_id(content.version),
        "version": content.version,
        "title": "Comparable cybercrime statistics",
        "description": "What countries publish about cybercrime, and what victims tell surveys, as figures that can be "
        "compared; recorded and estimated figures never share a column.",
        "keywords": ["cybercrime", "crime statistics", "victim surveys", "dark figure of crime"],
        "contributors": [{"title": "darkfigure", "roles": ["publisher"]}],
        "licenses": _licences(content.sources),
        "sources": [_cited(source) for source in content.sources],
        "statements": [_statement(statement) for statement in content.statements],
        "resources": [_resource(file, content, of_tables.get(file.path)) for file in data],
    }
    write_json(folder / PATH, package)
    return File.at(
        folder,
        PATH,
        title="The release as a Data Package",
        media_type="application/json",
        conforms_to="https://datapackage.org/standard/data-package/",
    )


def _resource(file: File, content: Content, flow: Flow | None) -> dict[str, Any]:
    table = file.table
    assert table is not None
    form = Path(file.path).suffix.lstrip(".")
    resource = {
        "name": short_name(table.name) if flow is None else f"{short_name(table.name)}-sdmx",
        "type": "table",
        "path": file.path,
        "title": file.title,
        "description": table.description,
        "format": form,
        "mediatype": file.media_type,
        "encoding": "utf-8",
        "bytes": file.size,
        "hash": f"sha256:{file.sha256}",
        "schema": _schema_of_table(table.columns, table.key) if flow is None else _schema_of_flow(flow),
    }
    if sources := content.sources_of[table.name]:
        resource |= {"licenses": _licences(sources), "sources": [_source(source) for source in sources]}
    if statements := content.statements_on[table.name]:
        resource["statements"] = [_statement(statement) for statement in statements]
    return resource


def _schema_of_table(columns: Iterable[ColumnDescription], key: Sequence[str]) -> dict[str, Any]:
    # An empty text is a value in Parquet, where what is missing is null.
    schema = {"fields": [_field(column) for column in columns], "missingValues": []}
    return _schema(schema, key)


def _schema_of_flow(flow: Flow) -> dict[str, Any]:
    own = [
        {"name": name, "type": "string", "description": text, "constraints": {"required": True, "enum": [value]}}
        for name, text, value in (
            ("STRUCTURE", "What the structure is", "dataflow"),
            ("STRUCTURE_ID", "The dataflow, in structures.xml", flow.reference),
            ("ACTION", "I: information", "I"),
        )
    ]
    dimensions = [column.name.upper() for column in flow.dimensions]
    fields = [
        *(_field(column, column.name.upper(), required=True) for column in flow.dimensions),
        _field(flow.measure, MEASURE_ID, required=False),
        *(_field(column, column.name.upper(), required=False) for column in flow.attributes),
    ]
    return _schema({"fields": [*own, *fields], "missingValues": [""]}, dimensions)


def _schema(schema: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    return {"$schema": f"{_PROFILES}/tableschema.json", **schema} | ({"primaryKey": [*key]} if key else {})


def _field(column: ColumnDescription, name: str = "", required: bool | None = None) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": name or column.name,
        "type": _TYPES[column.type],
        "description": column.description,
    }
    constraints: dict[str, Any] = {}
    if required or (required is None and not column.nullable):
        constraints["required"] = True
    # In csv an empty text is missing, and so no code.
    if codes := [code for code in column.codes if code or required is None]:
        constraints["enum"] = codes
    return field | ({"constraints": constraints} if constraints else {})


def _licences(sources: Iterable[Source]) -> list[dict[str, str]]:
    """In the publishers' own words; the name, which the standard asks for, is made of them."""
    terms = sorted({source.licence for source in sources})
    return [{"name": re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-"), "title": text} for text in terms]


def _source(source: Source) -> dict[str, str]:
    titled = {"title": f"{source.publisher}: {source.table_title}, {source.edition}, {source.vintage}"}
    return titled | ({"path": source.url} if source.url else {})


def _cited(source: Source) -> dict[str, str]:
    own = {"licence": source.licence, "citation": source.citation, "sha256": source.sha256}
    return {**_source(source), "version": source.vintage, **own}


def _statement(statement: Statement) -> dict[str, str]:
    return {
        "id": statement.id,
        "area": statement.ref_area,
        "areaName": statement.area_name,
        "about": statement.about,
        "author": statement.author,
        "received": statement.received_at,
        "language": statement.language,
        "text": statement.text,
        "sha256": statement.sha256,
    }
