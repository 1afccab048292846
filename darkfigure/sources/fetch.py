"""Bringing one publisher's file here: whole or not at all, and only when it has changed.

Here: one address, the network's failures, and the file under the hash of its bytes.
Not here: which addresses (``source``), when to look (the pipeline), or what the bytes mean (the modules beside this).
"""

import hashlib
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import responses as status_phrases
from pathlib import Path
from urllib.parse import unquote
from uuid import uuid4

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from darkfigure import __version__
from darkfigure.errors import FetchError

MAX_REDIRECTS = 10
MAX_WAIT_SECONDS = 60.0  # between two attempts, whether by back-off or because the server asks for it
_RETRIED_STATUSES = {429, 500, 502, 503, 504}
_RETRIED_ERRORS = (httpx.TimeoutException, httpx.NetworkError, httpx.ProxyError, httpx.RemoteProtocolError)
_BY_HAND = "download the file in a browser and load it with --from"
_LATER = f"check the connection and try again later, or {_BY_HAND}"
_MOVED = f"look for the file's new address on the publisher's site, or {_BY_HAND}"
_BACK_OFF = wait_random_exponential(multiplier=1, max=MAX_WAIT_SECONDS)

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Validators:
    """What a server said of the copy we hold, verbatim; sent back so that it may answer 'unchanged'."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A whole file. ``url`` is the final one, without userinfo; its query may be a redirect's short-lived signature."""

    path: Path  # <into>/<sha256>
    sha256: str  # of the bytes at ``path``, lower-case hex
    size: int  # bytes
    etag: str | None  # verbatim, as is ``last_modified``: for the next call's Validators
    last_modified: str | None
    url: str
    name: str  # a file name to suggest; never empty, never a path
    retrieved_at: datetime  # UTC, when the last byte had arrived


class _Failure(Exception):
    """One attempt's failure. ``again``: another attempt may succeed; ``after``: no sooner than so many seconds."""

    def __init__(self, problem: str, remedy: str, *, again: bool = False, after: float = 0.0) -> None:
        super().__init__(problem)
        self.problem, self.remedy, self.again, self.after = problem, remedy, again, after


def fetch(
    url: str,
    into: Path,
    *,
    known: Validators | None = None,
    max_bytes: int = 512 * 2**20,
    progress: Progress | None = None,
    attempts: int = 5,
    timeout: float = 30.0,
    max_seconds: float = 1800.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched | None:
    """Download ``url`` to ``<into>/<sha256 of its bytes>``; None if the server says it is as ``known`` describes it.

    ``progress(done, total)`` hears bytes, from 0 again in each attempt; ``total`` is None where the server gives no
    length. ``timeout`` bounds each silence and ``max_seconds`` each attempt's body, in seconds. ``into`` is made if
    missing. Raises FetchError, one line, with nothing of it left in ``into``.
    """
    part = into / f".{uuid4().hex}.part"
    headers = {"User-Agent": f"darkfigure/{__version__}", "Accept-Encoding": "identity"}
    known = known or Validators()
    for header, value in (("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified)):
        if value and value.isascii() and value.isprintable():  # what a server once sent may not be fit to send back
            headers[header] = value
    retrying = Retrying(
        stop=stop_after_attempt(attempts), wait=_wait, retry=retry_if_exception(_retried), sleep=sleep, reraise=True
    )
    try:
        _check_address(httpx.URL(url))
        into.mkdir(parents=True, exist_ok=True)
        with httpx.Client(
            headers=headers,
            timeout=timeout,
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            event_hooks={"response": [_check_redirect]},
        ) as client:
            return retrying(_attempt, client, url, part, max_bytes, max_seconds, progress)
    except (_Failure, httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        problem, remedy = _explain(exc)
        tried = retrying.statistics.get("attempt_number", 0)
        counted = f" (after {tried} attempts)" if tried > 1 else ""
        raise FetchError(" ".join(f"{_shown(url)}: {problem}{counted}; {remedy}".split())) from exc
    finally:
        with suppress(OSError):
            part.unlink()


def _attempt(
    client: httpx.Client, url: str, part: Path, max_bytes: int, max_seconds: float, progress: Progress | None
) -> Fetched | None:
    deadline = time.monotonic() + max_seconds
    digest, size = hashlib.sha256(), 0
    with client.stream("GET", url) as response:
        if response.status_code == 304 and {"if-none-match", "if-modified-since"} & client.headers.keys():
            return None
        _check_status(response)
        encoded = _encoding(response) != "identity"
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and not encoded else None
        if total is not None and total > max_bytes:
            raise _too_large(max_bytes)
        with part.open("wb") as file:
            for chunk in _body(response):
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                if time.monotonic() > deadline:
                    raise _Failure(f"still arriving after {max_seconds:g} s, {size} bytes so far", _LATER)
                digest.update(chunk)
                file.write(chunk)
                if progress:
                    progress(size, total)
            # The name will vouch for the bytes for ever, so they are on the disk before they bear it.
            file.flush()
            os.fsync(file.fileno())
    path = part.with_name(digest.hexdigest())
    os.replace(part, path)
    return Fetched(
        path=path,
        sha256=path.name,
        size=size,
        etag=response.headers.get("ETag"),
        last_modified=response.headers.get("Last-Modified"),
        url=str(response.url.copy_with(userinfo=b"")),
        name=_name(response),
        retrieved_at=datetime.now(UTC),
    )


def _body(response: httpx.Response) -> Iterator[bytes]:
    # httpx itself raises when fewer bytes come than Content-Length or the last chunk promised, but it takes a
    # broken-off gzip stream for whole, and passes encodings that it does not know as if they were the file.
    encoding = _encoding(response)
    if encoding == "identity":
        yield from response.iter_raw()
        return
    if encoding not in {"gzip", "x-gzip"}:
        raise _Failure(f"was sent in the encoding '{encoding[:40]}', though none was asked for", _BY_HAND)
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for chunk in response.iter_raw():
            yield inflater.decompress(chunk)
    except zlib.error as exc:
        raise _Failure(f"was sent with a damaged gzip encoding ({exc})", _LATER, again=True) from exc
    if not inflater.eof or inflater.unused_data:
        raise _Failure("was sent with a gzip encoding that does not end where the body does", _LATER, again=True)


def _encoding(response: httpx.Response) -> str:
    return response.headers.get("Content-Encoding", "").strip().lower() or "identity"


def _check_address(url: httpx.URL) -> None:
    if url.scheme not in {"http", "https"} or not url.host:
        raise _Failure("not an http or https address", "correct the address")


def _check_redirect(response: httpx.Response) -> None:
    if not response.has_redirect_location:
        return
    target = response.url.join(response.headers["Location"])
    if target.scheme not in {"http", "https"} or (response.url.scheme, target.scheme) == ("https", "http"):
        raise _Failure(f"redirects from {response.url.scheme} to {target.scheme}, which is not followed", _MOVED)


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    problem = f"answered {status} {status_phrases.get(status, '')}".strip()
    if status not in _RETRIED_STATUSES:
        raise _Failure(problem, _MOVED)
    after = _retry_after(response)
    if after > MAX_WAIT_SECONDS:  # asking again sooner than told to would be rude, and waiting would look like hanging
        raise _Failure(problem, f"the server asks for {after:.0f} s of patience: try again then, or {_BY_HAND}")
    raise _Failure(problem, _LATER, again=True, after=after)


def _retry_after(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    try:
        return float(int(value)) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0


def _too_large(max_bytes: int) -> _Failure:
    limit = f"{max_bytes / 2**20:.4g} MB"
    return _Failure(f"is larger than {limit}", "check that this is the table and not an archive, or raise max_bytes")


def _retried(exc: BaseException) -> bool:
    return exc.again if isinstance(exc, _Failure) else isinstance(exc, _RETRIED_ERRORS)


def _wait(state: RetryCallState) -> float:
    exc = state.outcome.exception() if state.outcome else None
    return max(_BACK_OFF(state), exc.after if isinstance(exc, _Failure) else 0.0)


def _explain(exc: Exception) -> tuple[str, str]:
    match exc:
        case _Failure():
            return exc.problem, exc.remedy
        case httpx.InvalidURL():  # its text may quote a part of the address that is secret
            return "not a valid address, or redirects to one that is not", "correct the address"
        case httpx.TooManyRedirects():
            return f"redirects more than {MAX_REDIRECTS} times", _MOVED
        case httpx.TimeoutException():
            return "no answer in time", _LATER
        case httpx.RemoteProtocolError():
            return f"broke off ({exc})", _LATER
        case OSError():
            return f"cannot be written here ({exc.strerror or exc})", "make room, or give another folder"
        case _:
            return f"cannot be reached ({exc or type(exc).__name__})", _LATER


def _shown(url: str) -> str:
    """``url`` without what may be secret: userinfo, query, fragment."""
    return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", url, maxsplit=1)[0])


def _name(response: httpx.Response) -> str:
    disposition = Message()
    disposition["Content-Disposition"] = response.headers.get("Content-Disposition", "")
    return _plain(disposition.get_filename() or "") or _plain(unquote(response.url.path)) or "download"


def _plain(name: str) -> str:
    """The last part of ``name`` as a file name for any system, or '' if nothing is left. It may be hostile."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*')
    return kept.encode(errors="ignore")[-200:].decode(errors="ignore").strip(". ")
