"""What a table of records, and one of cells, must keep: contracts of pandera, checked by the engine in one query.

A breach says which column, what was demanded, and how many rows do not keep it. Here: the contracts, drawn from the
declaration, and holding a table against one. Not here: setting bad rows aside (``reduction.rejected``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pyarrow as pa
from pandera.api.ibis.types import IbisData
from pandera.engines.ibis_engine import Engine
from pandera.ibis import Check, Column, DataFrameSchema

from darkfigure.errors import DarkfigureError
from darkfigure.records import declaration
from darkfigure.records.declaration import RecordReturn
from darkfigure.records.reduction import CELL_KEY, FATES
from darkfigure.records.sketch import GAMMA

_ROUNDING = 1e-9  # of powers of GAMMA in binary


@dataclass(frozen=True)
class Breach:
    """A term that is not kept. ``row_count`` is 0 where the column itself is missing or of another type."""

    column: str  # the key's columns, where that is meant; empty where a row is
    term: str
    row_count: int

    def __str__(self) -> str:
        place = f"{self.column}: " if self.column else ""
        return f"{place}{self.term}: " + (f"{self.row_count:,} rows" if self.row_count else "the whole column")


def records_contract(ret: RecordReturn) -> DataFrameSchema:
    """What the declaration demands of each record: columns, types, what may be null, codes, and what numbers.

    More columns may stand beside them. A row that breaks a term is one that ``reduction.rejected`` sets aside.
    """
    columns = {column.name: _column(column) for column in ret.columns}
    return DataFrameSchema(columns, name=ret.id, description=ret.name)


def _column(column: declaration.Column) -> Column:
    checks = []
    if column.codes:
        checks.append(_among(column.codes, f"code {column.name}"))
    if column.least is not None:
        checks.append(_from(column.least, f"least {column.name}"))
    if column.most is not None:
        checks.append(_to(column.most, f"most {column.name}"))
    return Column(ibis.dtype(column.type), checks, nullable=column.nullable, description=column.meaning)


# Pandera's own checks give tables; a column of the table that is checked can be asked for together with others.
def _among(codes: Iterable[str], name: str) -> Check:
    return Check(lambda data: data.table[data.key].isin(list(codes)), name=name)


def _from(least: int, name: str) -> Check:
    return Check(lambda data: data.table[data.key] >= least, name=name)


def _to(most: int, name: str) -> Check:
    return Check(lambda data: data.table[data.key] <= most, name=name)


def _of_its_bin(data: IbisData) -> ir.BooleanValue:
    rows = data.table
    greatest = ibis.literal(GAMMA).pow(rows.loss_bin - 1) * rows.units * (1 + _ROUNDING)
    within = (rows.loss_total <= greatest) & (rows.loss_total >= greatest / GAMMA * (1 - 2 * _ROUNDING))
    return ibis.ifelse(rows.loss_bin.fill_null(0) == 0, rows.loss_total == 0, within)


_MONTH = Check(lambda data: data.table[data.key].re_search(r"^[0-9]{4}-(0[1-9]|1[0-2])$"), name="a month")

#: Of ``reduction.cells``, and so of what a state keeps.
CELLS = DataFrameSchema(
    {
        "fate": Column(dt.string, _among(FATES, "a fate"), description="What became of the records"),
        "ref_area": Column(dt.string, description="Part of the country, as recorded"),
        "time_period": Column(dt.string, _MONTH, description="Month"),
        "offence": Column(dt.string, description="Act, or the national code where the fate came before it"),
        "currency": Column(dt.string, nullable=True, description="ISO 4217 code of the losses"),
        "loss_bin": Column(dt.int32, _from(0, "0 or more"), nullable=True, description="Size of the loss, if known"),
        "units": Column(dt.int64, _from(1, "1 or more"), description="Units of count"),
        "records": Column(dt.int64, description="Records behind them"),
        "late": Column(dt.int64, _from(0, "0 or more"), description="Units counted in the month of their report"),
        "loss_total": Column(dt.int64, _from(0, "0 or more"), description="Sum of the losses, in hundredths"),
    },
    checks=[
        Check(lambda data: data.table.records >= data.table.units, name="a record or more for each unit"),
        Check(lambda data: data.table.late <= data.table.units, name="no more late units than units"),
        Check(_of_its_bin, name="the sum of the losses is one of its bin"),
    ],
    unique=list(CELL_KEY),
    strict=True,
    name="cells",
)


def check_cells(cells: pa.Table) -> None:
    """Raise DarkfigureError where cells do not keep their contract, with each broken term and its number of rows."""
    found = breaches(ibis.memtable(cells), CELLS)
    if found:
        raise DarkfigureError(f"cells: {'; '.join(map(str, found))}; make the cells anew from all files")


def breaches(rows: ir.Table, contract: DataFrameSchema) -> list[Breach]:
    """Every term of the contract that does not hold: none where all hold. One query, of one row, and one for a key.

    Nulls break no check but that there be none. Where a column is missing or of another type nothing else is asked.
    """
    shape = list(_shape(rows, contract))
    if shape:
        return shape
    terms = dict(_terms(rows, contract))
    asked = {f"term_{at}": broken.fill_null(False).sum() for at, broken in enumerate(terms.values())}
    counts = rows.aggregate(**asked).to_pyarrow().to_pylist()[0].values() if asked else ()
    found = [Breach(*term, count) for term, count in zip(terms, counts, strict=True) if count]
    return found + _twice(rows, contract)


def _shape(rows: ir.Table, contract: DataFrameSchema) -> Iterator[Breach]:
    for name, column in contract.columns.items():
        if name not in rows.columns:
            yield Breach(name, "the column is there", 0)
        elif not column.dtype.check(Engine.dtype(rows[name].type())):
            yield Breach(name, f"its type is {column.dtype}, not {rows[name].type()}", 0)
    if contract.strict:
        yield from (Breach(name, "no such column", 0) for name in rows.columns if name not in contract.columns)


def _terms(rows: ir.Table, contract: DataFrameSchema) -> Iterator[tuple[tuple[str, str], ir.BooleanValue]]:
    """Column and term, with where it is broken."""
    for name, column in contract.columns.items():
        if not column.nullable:
            yield (name, f"missing {name}"), rows[name].isnull()
        for check in column.checks:
            yield (name, check.name), ~_said(check, IbisData(rows, name))
    for check in contract.checks:
        yield ("", check.name), ~_said(check, IbisData(rows))


def _said(check: Check, data: IbisData) -> ir.BooleanValue:
    return check.get_backend(data.table)(check).check_fn(data)


def _twice(rows: ir.Table, contract: DataFrameSchema) -> list[Breach]:
    if not contract.unique:
        return []
    keys = rows.group_by(contract.unique).aggregate(_n=rows.count())
    count = keys.filter(keys._n > 1)._n.sum().to_pyarrow().as_py()
    return [Breach(", ".join(contract.unique), "no two rows of one key", count)] if count else []
