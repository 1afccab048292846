"""``report.html``: a release for people who would rather look than read, as one file that needs no network.

Here: the report. ``queries/`` holds every number in it, a file each; ``numbers`` says how they are written, ``charts``
how they are drawn, ``template.html`` and ``sections/`` what is said about them, and ``page`` puts them together. Not
here: how any number is made, which is the release's, and files for other programs.
"""

from pathlib import Path

import duckdb


def write_report(connection: duckdb.DuckDBPyConnection, path: Path, version: str) -> None:
    """Write the report of a release to ``path``, the same bytes for the same release.

    ``connection``: the release's database, in which ``published.<table>`` resolves; ``version``: the release's name.
    What a release has nothing of is said in a sentence; a table that is not there is an error.
    """
    from warehouse.report.page import page  # what draws charts takes seconds to load

    path.write_bytes(page(connection, version).encode())
