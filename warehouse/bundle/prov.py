"""``prov.jsonld``: what a release was made from, in the words of PROV-O: files of publishers, tables, the release.

The context is in the file: nothing is loaded to read it. Not here: from which cell a number is
(``warehouse.lineage``).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import darkfigure
from warehouse.bundle.content import Content, File, Source, Statement, release_id, write_json

PATH = "prov.jsonld"
_CONTEXT = {
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def write_prov(folder: Path, content: Content, inputs: Mapping[str, Sequence[str]]) -> File:
    """Write ``prov.jsonld``. ``inputs``: for each table, those that it is made from."""
    release, activity = release_id(content.version), f"{release_id(content.version)}:made"
    software = f"urn:darkfigure:software:{darkfigure.__version__}"
    tables = [_table(name, content, release, activity, inputs.get(name, ())) for name in _tables(content, inputs)]
    graph = [
        {"@id": software, "@type": "prov:SoftwareAgent", "rdfs:label": f"darkfigure {darkfigure.__version__}"},
        {
            "@id": activity,
            "@type": "prov:Activity",
            "rdfs:label": f"The making of release {content.version}",
            "prov:wasAssociatedWith": {"@id": software},
            "prov:used": [{"@id": source.urn} for source in content.sources],
        },
        {
            "@id": release,
            "@type": ["prov:Entity", "prov:Collection"],
            "rdfs:label": f"Release {content.version}",
            "prov:wasGeneratedBy": {"@id": activity},
            "prov:hadMember": [{"@id": f"{release}:{table.name}"} for table in content.tables],
        },
        *tables,
        *(_snapshot(source) for source in content.sources),
        *(_statement(statement) for statement in content.statements),
    ]
    write_json(folder / PATH, {"@context": _CONTEXT, "@graph": graph})
    return File.at(
        folder,
        PATH,
        title="What the release was made from",
        media_type="application/ld+json",
        conforms_to="http://www.w3.org/ns/prov#",
    )


def _tables(content: Content, inputs: Mapping[str, Sequence[str]]) -> list[str]:
    """The released tables, and all that those were made from."""
    found: set[str] = set()
    left = [table.name for table in content.tables]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += inputs.get(name, ())
    return sorted(found)


def _table(name: str, content: Content, release: str, activity: str, made_from: Sequence[str]) -> dict[str, Any]:
    described = content.table(name)
    derived = [f"{release}:{table}" for table in sorted(made_from)]
    derived += [source.urn for source in content.sources_of.get(name, ())]
    return {
        "@id": f"{release}:{name}",
        "@type": "prov:Entity",
        "rdfs:label": name,
        **({"rdfs:comment": described.description} if described else {}),
        "prov:wasGeneratedBy": {"@id": activity},
        "prov:wasDerivedFrom": [{"@id": urn} for urn in derived],
        # What a country says stands beside a table: no figure is derived from it.
        "prov:wasInfluencedBy": [{"@id": it.urn} for it in content.statements_on.get(name, ())],
    }


def _snapshot(source: Source) -> dict[str, Any]:
    return {
        "@id": source.urn,
        "@type": "prov:Entity",
        "rdfs:label": f"{source.table_title}, {source.edition}, {source.vintage}",
        "dcterms:identifier": source.snapshot_id,
        "dcterms:publisher": source.publisher,
        "dcterms:hasVersion": source.vintage,
        "dcterms:rights": source.licence,
        "dcterms:bibliographicCitation": source.citation,
        **({"prov:atLocation": {"@id": source.url}} if source.url else {}),
        "prov:generatedAtTime": {"@value": source.retrieved_at, "@type": "xsd:dateTime"},
        "spdx:checksumValue": {"@value": source.sha256, "@type": "xsd:hexBinary"},
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "@id": statement.urn,
        "@type": "prov:Entity",
        "rdfs:label": f"Statement of {statement.area_name} on {statement.about}",
        "prov:wasAttributedTo": {"@type": "prov:Agent", "rdfs:label": statement.author},
        "prov:value": {"@value": statement.text, "@language": statement.language},
        "spdx:checksumValue": {"@value": statement.sha256, "@type": "xsd:hexBinary"},
    }
