"""``darkfigure run --fetch`` against a publisher's site that runs here: taken once, then asked whether it has changed."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pipeline import files

from darkfigure.sources import fetch as fetching
from darkfigure.sources.catalogue import SOURCES

SOURCE = "worldbank_population"
PAGE = b"<!DOCTYPE html><html><body>Under maintenance</body></html>"
FINLAND = "SELECT DISTINCT denominator_count FROM published.indicator WHERE ref_area = 'FIN' AND time_period = '2022' AND denominator = 'population'"


@dataclass
class Site:
    """A publisher's site with one file; ``asked`` keeps the If-None-Match of every request."""

    address: str
    status: int = 200
    body: bytes = b""
    etag: str = '"first"'
    asked: list[str | None] = field(default_factory=list)


@dataclass
class Outcome:
    """What a run came to."""

    code: int
    printed: str
    asked: list[str | None]
    route: str
    stored: int
    finland: float


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.headers["If-None-Match"])
            unchanged = served.status == 200 and self.headers["If-None-Match"] == served.etag
            body = b"" if unchanged or served.status != 200 else served.body
            self.send_response(304 if unchanged else served.status)
            self.send_header("ETag", served.etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = Site(f"http://127.0.0.1:{server.server_port}/files/{files.POPULATION_NAME}?key=secret")
        served.body = files.population_file()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield served
        server.shutdown()


@pytest.fixture(scope="module")
def outcomes(copied, site, tmp_path_factory) -> dict[str, Outcome]:
    """A deployment that fetches its one source again and again, while the site changes."""
    found = {}
    folder = tmp_path_factory.mktemp("fetching") / "deployment"
    with copied(folder, bare=True) as deployment, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        # Nothing here is encrypted, and reading the bundle of certificates would take most of the time.
        patch.delenv("SSL_CERT_FILE", raising=False)
        patch.setenv("SSL_CERT_DIR", str(tmp_path_factory.mktemp("no_certificates")))
        patch.setattr(fetching, "fetch", partial(fetching.fetch, attempts=2, sleep=lambda seconds: None))
        patch.setitem(SOURCES, SOURCE, replace(SOURCES[SOURCE], urls=(site.address,)))
        for what, change in {
            "the first time": {},
            "unchanged": {},
            "broken for ever": {"status": 500},
            "a page instead of the file": {"status": 200, "body": PAGE, "etag": '"page"'},
            "the page again": {},
        }.items():
            for name, value in change.items():
                setattr(site, name, value)
            site.asked.clear()
            code, printed = deployment.run(sources=(SOURCE,), fetch=True)
            found[what] = Outcome(code, printed, [*site.asked], *held(deployment))
    return found


def held(deployment) -> tuple[str, int, float]:
    """How the source's latest snapshot came in, how many files are stored, and what the release says of Finland."""
    (route,) = deployment.ask_build(
        f"SELECT route FROM raw.snapshot WHERE source_id = '{SOURCE}' ORDER BY vintage DESC, retrieved_at DESC"
    )[0]
    ((finland,),) = deployment.ask(FINLAND)
    return route, len([*(deployment.home.build / "raw").iterdir()]), finland


def test_the_first_time_the_file_is_taken(outcomes):
    outcome = outcomes["the first time"]
    assert outcome.code == 0
    assert outcome.asked == [None]
    assert f"  intake {SOURCE:<25} 1 taken, 2 there already in" in outcome.printed
    assert (outcome.route, outcome.stored, outcome.finland) == ("fetched", 1, 5_600_000)


def test_a_file_that_has_not_changed_is_neither_sent_nor_taken_again(outcomes):
    outcome = outcomes["unchanged"]
    assert outcome.code == 0
    assert outcome.asked == ['"first"']
    assert f"  intake {SOURCE:<25} 4 there already in" in outcome.printed
    assert " rows in" not in outcome.printed
    assert outcome.stored == 1


def test_a_site_that_is_broken_for_ever_is_refused_in_one_line_and_the_source_stays(outcomes):
    outcome = outcomes["broken for ever"]
    assert outcome.code == 1
    assert outcome.asked == ['"first"'] * 2, "it was tried again"
    (line, again) = [line for line in outcome.printed.splitlines() if "127.0.0.1" in line]
    assert "answered 500 Internal Server Error (after 2 attempts); check the connection and try again later" in line
    assert again.strip() == line.split("FAILED")[1].strip()
    assert (outcome.route, outcome.stored, outcome.finland) == ("fetched", 1, 5_600_000)


def test_what_is_secret_in_an_address_is_not_shown(outcomes):
    assert "secret" not in outcomes["broken for ever"].printed


def test_a_page_instead_of_the_file_is_refused_and_not_kept(outcomes):
    outcome = outcomes["a page instead of the file"]
    assert outcome.code == 1
    assert "HTML" in outcome.printed
    assert (outcome.route, outcome.stored, outcome.finland) == ("fetched", 1, 5_600_000)


def test_a_file_that_was_refused_is_asked_for_again(outcomes):
    outcome = outcomes["the page again"]
    assert outcome.asked == ['"first"'], "the last one that was taken"
    assert outcome.code == 1
