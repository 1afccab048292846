"""``dcat.jsonld``: the release in the words of DCAT 3, for catalogues of data to take in.

The context is in the file: nothing is loaded to read it. The database is named without size and hash, which differ
from one writing of the same rows to the next; they stand in ``checksums.sha256``. Not here: where a release is put on
the web, which whoever does it says.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.bundle.content import Content, File, Source, Statement, release_id, write_json
from warehouse.release import FILE_NAME

PATH = "dcat.jsonld"
SERIES = "urn:darkfigure:series:cybercrime"
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types"
_CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcterms": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "oa": "http://www.w3.org/ns/oa#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def write_dcat(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    content: Content,
    files: Sequence[File],
    previous: str | None,
) -> None:
    """Write ``dcat.jsonld``: a catalogue of one data set, with the database and ``files`` as its distributions."""
    write_json(
        folder / PATH,
        {
            "@context": _CONTEXT,
            "@id": "urn:darkfigure:catalogue",
            "@type": "dcat:Catalog",
            "dcterms:title": _english("darkfigure"),
            "dcterms:description": _english("Releases of comparable cybercrime statistics."),
            "dcterms:publisher": _PUBLISHER,
            "dcat:dataset": [
                {
                    "@id": SERIES,
                    "@type": "dcat:DatasetSeries",
                    "dcterms:title": _english("Comparable cybercrime statistics"),
                    "dcterms:description": _english("All releases, of which none is ever changed."),
                },
                _dataset(connection, content, files, previous),
            ],
        },
    )


def _dataset(
    connection: duckdb.DuckDBPyConnection, content: Content, files: Sequence[File], previous: str | None
) -> dict[str, Any]:
    dataset = {
        "@id": release_id(content.version),
        "@type": "dcat:Dataset",
        "dcterms:identifier": content.version,
        "dcterms:title": _english(f"Comparable cybercrime statistics, {content.version}"),
        "dcterms:description": _english(
            "What countries publish about cybercrime, and what victims tell surveys, as figures that can be compared, "
            "with an interval round what was never reported. Recorded and estimated figures never share a column."
        ),
        "dcterms:publisher": _PUBLISHER,
        "dcterms:language": sorted({"en", *(source.language for source in content.sources)}),
        "dcat:keyword": [_english(word) for word in ("cybercrime", "crime statistics", "victim surveys")],
        "dcat:version": content.version,
        "dcat:inSeries": {"@id": SERIES},
        "dcterms:temporal": _temporal(connection),
        "dcterms:spatial": _spatial(connection),
        "dcterms:rights": [_rights(terms, content.sources) for terms in sorted({s.licence for s in content.sources})],
        "dcterms:source": [{"@id": source.urn} for source in content.sources],
        "dqv:hasQualityAnnotation": [_annotation(statement, content) for statement in content.statements],
        "dcat:distribution": [_DATABASE, *(_distribution(file) for file in files)],
    }
    return dataset | ({"dcat:previousVersion": {"@id": release_id(previous)}} if previous else {})


def _temporal(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    ((first, last),) = connection.execute(
        "SELECT min(start_date)::VARCHAR, max(end_date)::VARCHAR FROM published.observation"
    ).fetchall()
    return {
        "@type": "dcterms:PeriodOfTime",
        "dcat:startDate": {"@value": first, "@type": "xsd:date"},
        "dcat:endDate": {"@value": last, "@type": "xsd:date"},
    }


def _spatial(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The countries and areas that figures are about; parts of a country are covered by it."""
    areas = connection.execute(
        "SELECT DISTINCT ref_area, area_name FROM published.observation WHERE parent_area = '' ORDER BY ALL"
    ).fetchall()
    return [
        {"@type": "dcterms:Location", "dcterms:identifier": code, "skos:prefLabel": _english(name)}
        for code, name in areas
    ]


def _rights(terms: str, sources: Iterable[Source]) -> dict[str, Any]:
    """The terms of one licence in the publishers' words, and whose figures are under it."""
    whose = sorted({f"{source.publisher}: {source.table_title}" for source in sources if source.licence == terms})
    return {"@type": "dcterms:RightsStatement", "rdfs:label": terms, "dcterms:description": whose}


def _annotation(statement: Statement, content: Content) -> dict[str, Any]:
    tables = [name for name, statements in content.statements_on.items() if statement in statements]
    return {
        "@id": statement.urn,
        "@type": ["oa:Annotation", "dqv:UserQualityFeedback"],
        "oa:hasTarget": [{"@id": f"{release_id(content.version)}:{name}"} for name in tables],
        "dcterms:subject": statement.about,
        "dcterms:spatial": {
            "@type": "dcterms:Location",
            "dcterms:identifier": statement.ref_area,
            "skos:prefLabel": _english(statement.area_name),
        },
        "dcterms:creator": statement.author,
        "dcterms:dateSubmitted": statement.received_at,
        "dcterms:description": {"@value": statement.text, "@language": statement.language},
        "spdx:checksum": _checksum(statement.sha256),
    }


def _distribution(file: File) -> dict[str, Any]:
    return {
        "@id": file.path,
        "@type": "dcat:Distribution",
        "dcterms:title": _english(file.title),
        **({"dcterms:description": _english(file.table.description)} if file.table else {}),
        "dcat:downloadURL": {"@id": file.path},
        "dcat:mediaType": {"@id": f"{_MEDIA_TYPES}/{file.media_type.partition(';')[0]}"},
        "dcat:byteSize": {"@value": str(file.size), "@type": "xsd:nonNegativeInteger"},
        "dcterms:conformsTo": {"@id": file.conforms_to},
        "spdx:checksum": _checksum(file.sha256),
    }


def _checksum(digest: str) -> dict[str, Any]:
    return {
        "@type": "spdx:Checksum",
        "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
        "spdx:checksumValue": {"@value": digest, "@type": "xsd:hexBinary"},
    }


def _english(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "en"}


_PUBLISHER = {"@id": "urn:darkfigure:publisher", "@type": "foaf:Organization", "foaf:name": "darkfigure"}
_DATABASE = {
    "@id": FILE_NAME,
    "@type": "dcat:Distribution",
    "dcterms:title": _english("The whole release as a DuckDB database"),
    "dcat:downloadURL": {"@id": FILE_NAME},
    "dcat:mediaType": {"@id": f"{_MEDIA_TYPES}/application/vnd.duckdb"},
    "rdfs:seeAlso": {"@id": "checksums.sha256"},
}
