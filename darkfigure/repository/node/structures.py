"""The structure of a return as SDMX-ML 3.0: its concepts, code lists, data structure and dataflow, written by pysdmx.

Drawn from ``darkfigure.exchange.structure`` whole, and the same at every node. pysdmx is loaded at the first question.
Not here: the structures of a release's tables, which are others (``warehouse.bundle.sdmx_structures``).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from darkfigure.exchange.structure import COMPONENTS, Component
from darkfigure.repository.node.refusals import Refusal

if TYPE_CHECKING:
    from pysdmx.model import Codelist, ConceptScheme, Dataflow, DataStructureDefinition

XML = "application/vnd.sdmx.structure+xml;version=3.0.0"
#: STRUCTURE_ID in its parts; a test holds the two together.
AGENCY, ID, VERSION = "DARKFIGURE", "RETURN", "1.0"
ARTEFACTS = ("datastructure", "dataflow", "conceptscheme", "codelist", "*")
_Kinds = dict[str, tuple[str, ...]]
#: Which kinds of structure go with one that was asked for.
_CHILDREN: _Kinds = {"dataflow": ("datastructure",), "datastructure": ("conceptscheme", "codelist")}
_PARENTS: _Kinds = {"datastructure": ("dataflow",), "conceptscheme": ("datastructure",), "codelist": ("datastructure",)}
_DESCENDANTS: _Kinds = {
    "dataflow": ("datastructure", "conceptscheme", "codelist"),
    "datastructure": ("conceptscheme", "codelist"),
}
_REFERENCES: dict[str, _Kinds] = {
    "none": {},
    "children": _CHILDREN,
    "descendants": _DESCENDANTS,
    "parents": _PARENTS,
}
REFERENCES = (*_REFERENCES, "all")
_ORDER = ("conceptscheme", "codelist", "datastructure", "dataflow")
#: To which measure an attribute belongs. There is one: the standard lets this be left out, and sdmx1 stops at it.
_TO_WHICH_MEASURE = re.compile(r"\s*<str:MeasureRelationship>.*?</str:MeasureRelationship>", re.DOTALL)
#: When this version of the structure was made: the same question gets the same bytes.
_PREPARED = datetime(2026, 1, 1, tzinfo=UTC)


def is_ours(agency: str, ident: str, version: str, known: Iterable[str]) -> bool:
    """Whether an identification, with the standard's wildcards and lists, is of what this node has."""
    versions = {"*", "+", "~", "latest", VERSION, f"{VERSION}.0", f"{VERSION}+", "1+.0"}
    return (
        bool({AGENCY, "*", "all"} & set(agency.split(",")))
        and bool({*known, "*", "all"} & set(ident.split(",")))
        and bool(versions & set(version.split(",")))
    )


@lru_cache(maxsize=64)
def written(kind: str, ident: str, references: str) -> bytes:
    """The structures of a kind ('*': of every kind) by id ('*': all), with what they refer to. Raises Refusal."""
    from pysdmx.io.xml.sdmx30.writer.structure import write
    from pysdmx.model import Organisation
    from pysdmx.model.message import Header

    every = artefacts()
    kinds = _ORDER if kind == "*" else (kind,)
    chosen = {
        part: [one for one in every[part] if part in kinds and set(ident.split(",")) & {"*", "all", one.id}]
        for part in _ORDER
    }
    if not any(chosen.values()):
        raise Refusal(404, "There is no such structure here; ask for the dataflow RETURN with references=descendants.")
    for part in [part for part in _ORDER if chosen[part]]:
        for other in _beside(part, references):
            chosen[other] = every[other]
    header = Header(id=f"{AGENCY}-{ID}", prepared=_PREPARED, sender=Organisation(id=AGENCY))
    message = write([one for part in _ORDER for one in chosen[part]], header=header) or ""
    return _TO_WHICH_MEASURE.sub("", message).encode()


def _beside(kind: str, references: str) -> Iterable[str]:
    if references == "all":
        return [part for part in _ORDER if part != kind]
    return _REFERENCES[references].get(kind, ())


@cache
def artefacts() -> dict[str, list[Any]]:
    """Every structure, by kind."""
    lists = {name: _codelist(it) for name, it in COMPONENTS.items() if it.codes is not None and name != "UNIT_MEASURE"}
    structure = _structure(lists)
    return {
        "conceptscheme": [_concepts()],
        "codelist": list(lists.values()),
        "datastructure": [structure],
        "dataflow": [_dataflow(structure)],
    }


def _concepts() -> "ConceptScheme":
    from pysdmx.model import Concept
    from pysdmx.model.concept import ConceptScheme

    items = [Concept(id=name, name=_words(name)) for name in COMPONENTS]
    return ConceptScheme(id="CONCEPTS", name="Concepts of a return", agency=AGENCY, version=VERSION, items=items)


def _codelist(component: Component) -> "Codelist":
    from pysdmx.model import Code, Codelist

    items = [Code(id=code, name=meaning) for code, meaning in (component.codes or {}).items()]
    return Codelist(id=f"CL_{component.id}", name=_words(component.id), agency=AGENCY, version=VERSION, items=items)


def _structure(lists: "dict[str, Codelist]") -> "DataStructureDefinition":
    from pysdmx.model import Components, DataStructureDefinition

    roles = ("dimension", "measure", "attribute")
    # SDMX has time as the last of the dimensions.
    in_order = sorted(COMPONENTS.values(), key=lambda it: (roles.index(it.role), it.id == "TIME_PERIOD"))
    return DataStructureDefinition(
        id=ID,
        name="Return of cybercrime figures",
        agency=AGENCY,
        version=VERSION,
        components=Components([_component(it, lists) for it in in_order]),
    )


def _component(component: Component, lists: "dict[str, Codelist]") -> Any:
    from pysdmx.model import Component as SdmxComponent
    from pysdmx.model import DataType, ItemReference, Role

    codes = lists.get(component.id)
    number = DataType.LONG if component.id == "UNIT_MULT" else DataType.DOUBLE
    plain = number if component.number else DataType.STRING
    return SdmxComponent(
        id=component.id,
        required=component.role == "dimension" or component.id in {"OBS_STATUS", "CONF_STATUS", "UNIT_MULT"},
        role=Role({"dimension": "D", "measure": "M", "attribute": "A"}[component.role]),
        concept=ItemReference(sdmx_type="Concept", agency=AGENCY, id="CONCEPTS", version=VERSION, item_id=component.id),
        local_codes=codes,
        # Currencies are units too, and no list here has them.
        local_dtype=DataType.PERIOD if component.id == "TIME_PERIOD" else None if codes else plain,
        attachment_level="O" if component.role == "attribute" else None,
    )


def _dataflow(structure: "DataStructureDefinition") -> "Dataflow":
    from pysdmx.model import Dataflow

    return Dataflow(id=ID, name=structure.name, agency=AGENCY, version=VERSION, structure=structure)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
