"""The exports of a release: its tables in open formats beside the database, and what says what they are.

``content`` reads from the release what the exports say, and a module each writes a format. Here: the order in which
they are written. Not here: the database, the gate, and naming a release current (``warehouse.release``).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from warehouse.bundle.checksums import check, write_checksums
from warehouse.bundle.content import Content
from warehouse.bundle.datapackage import write_datapackage
from warehouse.bundle.dcat import write_dcat
from warehouse.bundle.parquet import write_parquet
from warehouse.bundle.prov import write_prov
from warehouse.bundle.sdmx_csv import write_data
from warehouse.bundle.sdmx_structures import write_structures
from warehouse.description import TableDescription

__all__ = ["check", "write_bundle", "write_checksums"]


def write_bundle(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[TableDescription],
    version: str,
    inputs: Mapping[str, Sequence[str]],
    previous: str | None = None,
) -> None:
    """Write ``parquet/``, ``sdmx/``, ``datapackage.json``, ``prov.jsonld`` and ``dcat.jsonld`` into ``folder``.

    ``connection``: to the release's database, in which the names of ``tables`` resolve; it is only read. ``inputs``:
    for each table, those that it is made from. ``previous``: the version before this one. The same release gives the
    same bytes. Raises DarkfigureError where a country's statement is not the text that its hash names.
    """
    content = Content.of(connection, tables, version)
    data = [*write_parquet(connection, folder, content), *write_data(connection, folder, content)]
    structures = write_structures(connection, folder, content)
    package = write_datapackage(folder, content, data)
    lineage = write_prov(folder, content, inputs)
    write_dcat(connection, folder, content, [*data, structures, package, lineage], previous)
