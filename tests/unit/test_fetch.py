"""fetch against a real server: every failure is told in one line, and leaves nothing behind."""

import gzip
import hashlib
import re
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import darkfigure
from darkfigure.errors import FetchError
from darkfigure.sources import fetch as module
from darkfigure.sources.fetch import Fetched, Validators, fetch

BODY = b"geo,year,value\nMX,2023,1\n" * 400
ETAG = '"v1"'
LAST_MODIFIED = "Thu, 16 May 2024 10:00:00 GMT"


@dataclass
class Site:
    """A publisher's site: ``routes`` maps a path to what happens there, ``hits`` counts the requests it had."""

    address: str
    stopping: threading.Event
    hits: Counter[str] = field(default_factory=Counter)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)  # of the last request, lower-case names
    routes: dict[str, Callable[[Any, int], None]] = field(default_factory=dict)

    def __call__(self, path: str, route: Callable[[Any, int], None]) -> str:
        """Put ``route(handler, hit number)`` at ``path``; returns the full address."""
        self.routes[path] = route
        return self.address + path


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Nothing here is encrypted, and reading the bundle of certificates would take most of the tests' time.
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("no_certificates")))


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            served.hits[path] += 1
            served.headers[path] = {name.lower(): value for name, value in self.headers.items()}
            served.routes.get(path, status(404))(self, served.hits[path])

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: object) -> None:  # a client that hangs up is what these tests are about
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        served = Site(f"http://127.0.0.1:{server.server_port}", threading.Event())
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield served
        served.stopping.set()
        server.shutdown()


def reply(
    handler: Any, body: bytes = BODY, *, code: int = 200, length: int | None = -1, headers: dict[str, str] | None = None
) -> None:
    """Answer and hang up. ``length`` None sends no Content-Length; -1 sends the true one."""
    handler.send_response(code)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    if length is not None:
        handler.send_header("Content-Length", str(len(body) if length == -1 else length))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)


def whole(**headers: str) -> Callable[[Any, int], None]:
    return lambda handler, hit: reply(handler, headers={k.replace("_", "-"): v for k, v in headers.items()})


def status(code: int, **headers: str) -> Callable[[Any, int], None]:
    return lambda handler, hit: reply(
        handler, b"", code=code, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def failing(times: int, failure: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
    """``failure`` on the first ``times`` requests, then the whole file."""
    return lambda handler, hit: failure(handler, hit) if hit <= times else reply(handler)


def truncated(handler: Any, hit: int) -> None:
    reply(handler, BODY[:100], length=len(BODY))


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "raw"


def got(url: str, into: Path, **options: Any) -> Fetched:
    fetched = fetch(url, into, **{"sleep": lambda seconds: None, **options})
    assert fetched is not None
    assert [p.name for p in into.iterdir()] == [fetched.sha256], "the file under its hash, and nothing else"
    return fetched


def refused(url: str, into: Path, says: str, **options: Any) -> str:
    """The error's message, after checking what holds of all of them."""
    with pytest.raises(FetchError) as caught:
        fetch(url, into, **{"sleep": lambda seconds: None, **options})
    message = str(caught.value)
    assert not into.is_dir() or not [p.name for p in into.iterdir()], "nothing is left behind"
    assert "\n" not in message
    assert re.search(says, message), message
    address, _, rest = message.partition(": ")
    assert address == url.partition("?")[0]
    assert re.search(r"; .*(try again|correct|--from|raise max_bytes|make room)", rest), "the remedy comes last"
    return message


def test_a_whole_file(site: Site, into: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    url = site("/files/table.csv", whole(ETag=ETAG, Last_Modified=LAST_MODIFIED))
    fetched = got(url + "?lang=en", into, progress=lambda done, total: heard.append((done, total)))
    assert fetched.path == into / hashlib.sha256(BODY).hexdigest()
    assert fetched.path.read_bytes() == BODY
    assert (fetched.size, fetched.etag, fetched.last_modified) == (len(BODY), ETAG, LAST_MODIFIED)
    assert (fetched.url, fetched.name) == (url + "?lang=en", "table.csv")
    assert fetched.retrieved_at.utcoffset() == timedelta(0)
    assert abs(fetched.retrieved_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert heard[-1] == (len(BODY), len(BODY))
    assert site.headers["/files/table.csv"]["user-agent"] == f"darkfigure/{darkfigure.__version__}"
    assert site.headers["/files/table.csv"]["accept-encoding"] == "identity"
    assert "if-none-match" not in site.headers["/files/table.csv"]


def test_the_same_bytes_again_are_the_same_file(site: Site, into: Path) -> None:
    url = site("/a", whole())
    assert got(url, into).path == got(url, into).path


@pytest.mark.parametrize(
    ("header", "known"),
    [("if-none-match", Validators(etag=ETAG)), ("if-modified-since", Validators(last_modified=LAST_MODIFIED))],
)
def test_unchanged_is_none(site: Site, into: Path, header: str, known: Validators) -> None:
    def conditional(handler: Any, hit: int) -> None:
        if handler.headers[header] in {ETAG, LAST_MODIFIED}:
            status(304)(handler, hit)
        else:
            reply(handler)

    url = site("/a", conditional)
    assert fetch(url, into, known=known) is None
    assert [p.name for p in into.iterdir()] == []
    assert got(url, into, known=Validators(etag='"older"', last_modified="Thu, 01 Jan 1970 00:00:00 GMT"))


def test_a_304_that_was_not_asked_for_is_an_error(site: Site, into: Path) -> None:
    refused(site("/a", status(304)), into, "answered 304")
    odd = Validators(etag='"caf\u00e9"', last_modified="a\r\nX-Injected: 1")
    refused(site.address + "/a", into, "answered 304", known=odd)
    assert not {"if-none-match", "if-modified-since", "x-injected"} & site.headers["/a"].keys()


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_passing_failures_are_retried_with_growing_waits(site: Site, into: Path, code: int) -> None:
    waits: list[float] = []
    got(site("/a", failing(2, status(code))), into, sleep=waits.append)
    assert site.hits["/a"] == 3
    assert [0 < wait <= bound for wait, bound in zip(waits, (1, 2), strict=True)] == [True, True]


def test_attempts_are_bounded(site: Site, into: Path) -> None:
    refused(site("/a", status(500)), into, r"answered 500 Internal Server Error \(after 5 attempts\)")
    assert site.hits["/a"] == 5
    refused(site("/b", status(500)), into, "after 2 attempts", attempts=2)
    assert site.hits["/b"] == 2


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 501, 202, 204, 206])
def test_lasting_failures_are_not_retried(site: Site, into: Path, code: int) -> None:
    refused(site("/a", status(code)), into, f"answered {code}")
    assert site.hits["/a"] == 1


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 1),
        ("soon", 0, 1),
        ("\u00b2", 0, 1),
    ],
)
def test_retry_after_is_honoured(site: Site, into: Path, value: str, least: float, most: float) -> None:
    waits: list[float] = []
    got(site("/a", failing(1, status(429, Retry_After=value))), into, sleep=waits.append)
    assert least <= waits[0] <= most
    assert site.hits["/a"] == 2


def test_a_retry_after_may_be_a_date(site: Site, into: Path) -> None:
    waits: list[float] = []
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    got(site("/a", failing(1, status(503, Retry_After=date))), into, sleep=waits.append)
    assert 20 < waits[0] <= 40


def test_a_retry_after_beyond_bearing_ends_it(site: Site, into: Path) -> None:
    refused(site("/a", status(429, Retry_After="3600")), into, "answered 429.*3600 s of patience: try again then")
    assert site.hits["/a"] == 1


def test_a_truncated_body_is_retried_and_never_kept(site: Site, into: Path) -> None:
    assert got(site("/once", failing(1, truncated)), into).path.read_bytes() == BODY
    assert site.hits["/once"] == 2


def test_a_body_truncated_for_ever_is_an_error(site: Site, into: Path) -> None:
    refused(site("/a", truncated), into, rf"broke off .*100 bytes, expected {len(BODY)}.*after 5 attempts")
    assert site.hits["/a"] == 5


def test_a_chunked_body_without_its_last_chunk_is_truncated(site: Site, into: Path) -> None:
    def broken(handler: Any, hit: int) -> None:
        reply(handler, b"5\r\nhello\r\n", length=None, headers={"Transfer-Encoding": "chunked"})

    refused(site("/a", broken), into, "broke off", attempts=2)
    assert site.hits["/a"] == 2


def test_connection_refused(into: Path, site: Site) -> None:
    with socket.socket() as unheard:  # bound and not listening: nobody else can be given the port
        unheard.bind(("127.0.0.1", 0))
        waits: list[float] = []
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/a.csv"
        refused(url, into, r"cannot be reached \(.+\) \(after 3 attempts\)", attempts=3, sleep=waits.append)
    assert len(waits) == 2


def test_a_silent_server_is_given_up_and_retried(site: Site, into: Path) -> None:
    def silent(handler: Any, hit: int) -> None:
        reply(handler, BODY[:10], length=len(BODY))
        site.stopping.wait(2)

    refused(site("/a", silent), into, r"no answer in time \(after 2 attempts\)", attempts=2, timeout=0.1)
    assert site.hits["/a"] == 2


def test_a_drip_that_never_falls_silent_ends_too(site: Site, into: Path) -> None:
    def drip(handler: Any, hit: int) -> None:
        reply(handler, b"", length=len(BODY))
        while not site.stopping.wait(0.02):
            handler.wfile.write(b"x")

    refused(site("/a", drip), into, "still arriving after 0.2 s", timeout=1, max_seconds=0.2)
    assert site.hits["/a"] == 1


def test_redirects_are_followed_to_the_final_address(site: Site, into: Path) -> None:
    site("/1", status(302, Location="/2"))
    site("/2", status(301, Location=f"{site.address}/3"))
    site("/3", status(307, Location="../new/table.xlsx?v=2"))
    site("/new/table.xlsx", whole())
    fetched = got(site.address + "/1", into)
    assert (fetched.url, fetched.name) == (site.address + "/new/table.xlsx?v=2", "table.xlsx")


def test_a_redirect_loop_is_refused(site: Site, into: Path) -> None:
    refused(site("/a", status(302, Location="/a")), into, "redirects more than 10 times")
    assert site.hits["/a"] == 11


@pytest.mark.parametrize(
    "target", ["file:///etc/hostname", "ftp://127.0.0.1/a", "data:,x", "javascript:alert(1)", "gopher://127.0.0.1/"]
)
def test_a_redirect_to_another_scheme_is_refused(site: Site, into: Path, target: str) -> None:
    refused(site("/a", status(302, Location=target)), into, f"redirects from http to {target.partition(':')[0]}, ")
    assert site.hits["/a"] == 1


@pytest.mark.parametrize("target", ["http://[", "http://host:port/", "https://"])
def test_a_redirect_to_nonsense_is_one_line(site: Site, into: Path, target: str) -> None:
    refused(site("/a", status(302, Location=target)), into, "", attempts=1)


def test_a_redirect_must_not_drop_encryption() -> None:
    def redirect(start: str, target: str) -> httpx.Response:
        return httpx.Response(302, headers={"Location": target}, request=httpx.Request("GET", start))

    with pytest.raises(module._Failure, match="from https to http,"):
        module._check_redirect(redirect("https://a.example/x", "http://a.example/x"))
    module._check_redirect(redirect("https://a.example/x", "//b.example/x"))
    module._check_redirect(redirect("http://a.example/x", "https://a.example/x"))


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a.example/x", "a.csv", "https:///x", ""])
def test_only_http_addresses(into: Path, url: str) -> None:
    refused(url, into, "not an http or https address")


def test_too_large_by_its_own_account_is_not_even_read(site: Site, into: Path) -> None:
    heard: list[int] = []
    url = site("/a", lambda handler, hit: reply(handler, length=10**9))
    refused(url, into, "larger than", max_bytes=10**6, progress=lambda done, total: heard.append(done))
    assert (heard, site.hits["/a"]) == ([], 1)


def test_exactly_as_large_as_allowed(site: Site, into: Path) -> None:
    url = site("/a", whole())
    assert got(url, into, max_bytes=len(BODY)).size == len(BODY)
    with pytest.raises(FetchError, match="larger than"):
        fetch(url, into, max_bytes=len(BODY) - 1)


@pytest.mark.parametrize("chunked", [True, False])
def test_too_large_without_a_length_is_cut_off(site: Site, into: Path, chunked: bool) -> None:
    def endless(handler: Any, hit: int) -> None:
        reply(handler, b"", length=None, headers={"Transfer-Encoding": "chunked"} if chunked else {})
        while not site.stopping.is_set():
            handler.wfile.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n" if chunked else b"x" * 10_000)

    heard: list[tuple[int, int | None]] = []
    url = site("/a", endless)
    refused(url, into, "larger than 0.09537 MB", max_bytes=100_000, progress=lambda *now: heard.append(now))
    assert 0 < heard[-1][0] <= 100_000 and heard[-1][1] is None
    assert site.hits["/a"] == 1


def encoded(body: bytes, encoding: str, length: int | None = -1) -> Callable[[Any, int], None]:
    return lambda handler, hit: reply(handler, body, length=length, headers={"Content-Encoding": encoding})


def test_a_gzip_encoding_is_undone(site: Site, into: Path) -> None:
    heard: list[tuple[int, int | None]] = []
    url = site("/a", encoded(gzip.compress(BODY), "gzip"))
    fetched = got(url, into, progress=lambda *now: heard.append(now))
    assert (fetched.path.read_bytes(), fetched.size) == (BODY, len(BODY))
    assert heard[-1] == (len(BODY), None), "the length that was declared is not that of these bytes"


def test_a_gzip_file_stays_as_published(site: Site, into: Path) -> None:
    body = gzip.compress(BODY)
    fetched = got(site("/a.tsv.gz", lambda handler, hit: reply(handler, body)), into)
    assert fetched.path.read_bytes() == body


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (gzip.compress(BODY)[:-20], "does not end where the body does"),
        (gzip.compress(BODY) + b"more", "does not end where the body does"),
        (BODY, "damaged gzip encoding"),
    ],
    ids=["cut off", "more after its end", "no gzip"],
)
def test_a_broken_gzip_encoding_is_retried_and_never_kept(site: Site, into: Path, body: bytes, says: str) -> None:
    refused(site("/a", encoded(body, "gzip", length=None)), into, says + r".*after 2 attempts", attempts=2)
    assert site.hits["/a"] == 2


def test_a_gzip_bomb_is_cut_off(site: Site, into: Path) -> None:
    refused(site("/a", encoded(gzip.compress(bytes(10**7)), "gzip")), into, "larger than 1 MB", max_bytes=2**20)


def test_an_unknown_encoding_is_not_taken_for_the_file(site: Site, into: Path) -> None:
    refused(site("/a", encoded(BODY, "br")), into, "encoding 'br'")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="datos.csv"', "datos.csv"),
        ("attachment; filename=datos.csv", "datos.csv"),
        ("attachment; filename*=UTF-8''a%C3%B1o%202024.csv", "a\u00f1o 2024.csv"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        (r'attachment; filename="C:\\x"', "x"),
        (r"attachment; filename=C:\x", "x"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("attachment; filename*=UTF-8''a%00b%0A%E2%80%AE.csv", "ab.csv"),
        ("attachment; filename*=nonsense''%FF.csv", "\u00ff.csv"),
        ('attachment; filename=".."', "table.csv"),
        ('attachment; filename=".hidden"', "hidden"),
        ('attachment; filename=""', "table.csv"),
        ("attachment; filename=" + "x" * 500 + ".csv", "x" * 196 + ".csv"),
        ("; ; =;filename", "table.csv"),
        ("inline", "table.csv"),
    ],
)
def test_the_suggested_name_is_only_a_name(site: Site, into: Path, disposition: str, name: str) -> None:
    assert got(site("/d/table.csv", whole(Content_Disposition=disposition)), into).name == name


def test_a_name_from_an_address_is_no_path_either(site: Site, into: Path) -> None:
    site("/d/..%2F..%2Fpasswd", whole())
    assert got(site.address + "/d/..%2F..%2Fpasswd", into).name == "passwd"
    assert got(site("/", whole()), into).name == "download"


def test_no_message_tells_a_secret(site: Site, into: Path) -> None:
    url = site("/a.csv", status(403)).replace("//", "//user:pass-word@") + "?key=sesame#fragment"
    with pytest.raises(FetchError) as caught:
        fetch(url, into)
    assert not re.search("user|pass-word|sesame|fragment", str(caught.value))
    assert str(caught.value).startswith(f"{site.address}/a.csv: answered 403 Forbidden; ")
    assert site.headers["/a.csv"]["authorization"].startswith("Basic ")
    site("/a.csv", whole())
    assert got(url, into).url == site.address + "/a.csv?key=sesame#fragment"


def test_a_folder_that_cannot_be_written_to(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    refused(site("/a", whole()), tmp_path / "file", "cannot be written here")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_interruption_leaves_nothing(site: Site, into: Path) -> None:
    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(site("/a", whole()), into, progress=interrupt)
    assert [p.name for p in into.iterdir()] == []


def test_declaring_sources_does_not_load_the_network() -> None:
    code = "import sys, darkfigure.sources.source; sys.exit('httpx' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
