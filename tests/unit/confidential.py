"""Firms' returns with planted secrets, and the search for them: what the tests of the confidential store share."""

import base64
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from darkfigure.exchange.firm_return import FirmReading, read
from warehouse.confidential.contributions import acts
from warehouse.confidential.key import Key
from warehouse.confidential.store import ConfidentialStore

KEY_BYTES = bytes(range(7, 39))
KEY = base64.b64encode(KEY_BYTES).decode()
HEADS = "RESPONDENT,REF_AREA,TIME_PERIOD,OFFENCE,SECTOR,SIZE_EMP,INCIDENTS,AMOUNT_LOST,CURRENCY,NOTE"
INCIDENTS, AMOUNT, NOTE = 7_654_321_234, 98_765_432.1234, "Planted: the vault of Nordhus was opened"


def store_in(folder: Path, key: str = KEY) -> ConfidentialStore:
    return ConfidentialStore(folder / "confidential", Key(key))


def line(respondent: str, **values: object) -> str:
    row = {
        "RESPONDENT": respondent, "REF_AREA": "FIN", "TIME_PERIOD": "2024", "OFFENCE": "B1", "SECTOR": "K",
        "SIZE_EMP": "GE250", "INCIDENTS": INCIDENTS, "AMOUNT_LOST": AMOUNT, "CURRENCY": "EUR", "NOTE": NOTE,
    }  # fmt: skip
    return ",".join(str(value) for value in (row | values).values())


def sent(*lines: str) -> bytes:
    return "\n".join([HEADS, *lines, ""]).encode()


def reading(*lines: str) -> FirmReading:
    return read(sent(*lines), "file 1", acts())


def secrets_of(ids: Iterable[str]) -> Mapping[str, bytes]:
    """Every planted secret in the forms in which it could lie somewhere."""
    key = Key(KEY)
    forms = {"key": KEY_BYTES, "file": key.derived("file"), "log": key.derived("audit log")}
    planted = {"note": NOTE.encode(), "part of the note": b"Nordhus", "note in UTF-16": NOTE.encode("utf-16-le")}
    planted |= {f"id {number}": respondent[2:].encode() for number, respondent in enumerate(ids)}
    planted |= {"incidents": str(INCIDENTS).encode(), "incidents in binary": struct.pack("<q", INCIDENTS)}
    planted |= {
        "amount": b"98765432",
        "amount, in groups": b"98,765,432",
        "amount in binary": struct.pack("<d", AMOUNT),
    }
    for name, raw in forms.items():
        planted |= {f"{name} key": raw, f"{name} key in hex": raw.hex().encode()}
        planted |= {f"{name} key in base64": base64.b64encode(raw)[:40]}
    return planted


def found(data: bytes, ids: Iterable[str]) -> list[str]:
    return [name for name, secret in secrets_of(ids).items() if secret in data]


def found_below(folder: Path, ids: Iterable[str]) -> list[str]:
    ids, files = list(ids), [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [f"{name} in {path.name}" for path in files for name in found(path.read_bytes(), ids)]
