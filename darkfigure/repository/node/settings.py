"""What a node may be told, from ``node.toml`` in its folder: whose it is, its limits, its certificate. And its key.

The key that signs tokens is not among the settings' text: it is read from the environment, or from a file that nobody
else may read, and no representation shows it.
"""

import os
import re
import secrets
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.structure import is_country

FILE, KEY_FILE, HOLDINGS_FILE = "node.toml", "token.key", "holdings.duckdb"
KEY_VARIABLE = "DARKFIGURE_NODE_KEY"
_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Settings:
    """One node's settings. Rates are requests a second that last, and ``burst`` how many may come at once before."""

    area: str  # ISO 3166-1 alpha-3: the nation
    key: bytes = field(repr=False)
    callers_per_second: float = 100.0  # for each subject of a valid token
    callers_burst: int = 500
    strangers_per_second: float = 5.0  # for each address without a valid token
    strangers_burst: int = 50
    at_once: int = 64  # requests
    longest_url: int = 4_000  # bytes
    greatest_body: int = 10 * 2**20  # bytes
    greatest_page: int = 10_000  # rows; clients of this project ask for 5,000 at a time
    query_seconds: float = 10.0
    certificate: str = ""  # a PEM file, beside the settings unless it is given from the root
    certificate_key: str = ""


def read(folder: Path) -> Settings:
    """The settings of the node in ``folder``. Raises DarkfigureError, in one line, where they do not hold."""
    file = folder / FILE
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DarkfigureError(f"{file}: is not there; make a node with 'darkfigure node init'") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise DarkfigureError(f"{file}: cannot be read as TOML ({type(exc).__name__}); correct it") from None
    known = {f.name: f for f in fields(Settings) if f.name != "key"}
    for name, value in given.items():
        if name not in known:
            raise DarkfigureError(f"{file}: {name}: is no setting; known are {', '.join(known)}")
        _check(file, name, value, known[name].default)
    if not isinstance(given.get("area"), str) or not is_country(given["area"]):
        raise DarkfigureError(f'{file}: area: is no code of three capital letters; write it as area = "FIN"')
    for name in ("certificate", "certificate_key"):
        if given.get(name):
            given[name] = str(folder / given[name])
    return Settings(key=read_key(folder), **given)


def _check(file: Path, name: str, value: object, default: object) -> None:
    number = isinstance(default, int | float)
    right = isinstance(value, int | float) and not isinstance(value, bool) if number else isinstance(value, str)
    if right and isinstance(default, int):
        right = isinstance(value, int)
    if not right:
        raise DarkfigureError(f"{file}: {name}: must be a {'number' if number else 'text'} as {default!r} is one")
    if number and not float(str(value)) > 0:
        raise DarkfigureError(f"{file}: {name}: must be above 0")


def make(folder: Path, area: str) -> None:
    """A new node's folder, with its settings and a key of its own. Raises DarkfigureError where one is there."""
    if not is_country(area):
        raise DarkfigureError(f"{area}: is no code of three capital letters (ISO 3166-1)")
    file = folder / FILE
    if file.exists():
        raise DarkfigureError(f"{file}: is there already; name another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(secrets.token_hex(32) + "\n")
    file.write_text(f'area = "{area}"\n', encoding="utf-8")


def read_key(folder: Path) -> bytes:
    """The key of the node's tokens. Raises DarkfigureError where it is missing, weak, or open to others."""
    file = folder / KEY_FILE
    text = os.environ.get(KEY_VARIABLE, "")
    place = KEY_VARIABLE if text else str(file)
    if not text:
        try:
            if file.stat().st_mode & 0o077:
                raise DarkfigureError(f"{file}: others may read it; chmod 600, and make a new key if they could have")
            text = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as exc:
            raise DarkfigureError(f"{file}: cannot be read ({type(exc).__name__}); give it or {KEY_VARIABLE}") from None
    if not _KEY.fullmatch(text.strip()):
        raise DarkfigureError(f"{place}: is no key; write 64 hexadecimal digits drawn at random")
    return bytes.fromhex(text.strip())
