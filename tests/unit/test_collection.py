"""Collecting from nations' nodes: what changed comes into the inbox once, and a node that fails is one line."""

from pathlib import Path

import httpx
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return
from darkfigure.repository.nodes_on_loopback import nodes_on_loopback
from darkfigure.repository.result import Nation
from warehouse.collection import FILE, collect, known_nodes
from warehouse.database import Database
from warehouse.inbox import Inbox, take_inbox
from warehouse.intake import IntakeReport

HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,REF_AREA,TIME_PERIOD,OFFENCE,MEASURE,UNIT_MEASURE,OBS_VALUE"


def sdmx(*rows: str) -> bytes:
    return "\n".join([HEAD, *(f"dataflow,DARKFIGURE:RETURN(1.0),{row}" for row in rows)]).encode()


def named(folder: Path, *nodes: tuple[str, str]) -> None:
    entries = (f'[[node]]\narea = "{area}"\nurl = "{url}"\ntoken_variable = "TOKEN_{area}"\n' for area, url in nodes)
    (folder / FILE).write_text("\n".join(entries), encoding="utf-8")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    nations = [Nation(area, area, "", ()) for area in ("FIN", "MEX")]
    with nodes_on_loopback(nations, tmp_path_factory.mktemp("nodes")) as reaches:
        yield reaches


class Centre:
    def __init__(self, folder: Path) -> None:
        self.inbox, self.database = Inbox(folder / "inbox"), Database(folder / "build")
        self.folder = folder

    def round(self) -> IntakeReport:
        """Collect, and take what came."""
        report = IntakeReport()
        collect(self.inbox, report)
        take_inbox(self.database, country_return.SOURCE, self.inbox, report)
        return report

    def figures(self) -> list[tuple]:
        with self.database.read() as connection:
            return connection.execute(
                """
                SELECT ref_area, offence, obs_value, conf_status FROM returns.observation
                SEMI JOIN (
                    FROM raw.snapshot QUALIFY row_number() OVER (PARTITION BY edition ORDER BY vintage DESC) = 1
                ) USING (snapshot_id)
                ORDER BY ALL
                """
            ).fetchall()


@pytest.fixture
def centre(tmp_path, monkeypatch, nodes):
    for area, reach in nodes.items():
        monkeypatch.setenv(f"TOKEN_{area}", reach.public)
    return Centre(tmp_path)


def test_what_a_node_holds_comes_once_and_then_what_changed(centre, nodes):
    fin, mex = (nodes[area].client(area, nodes[area].staff) for area in ("FIN", "MEX"))
    fin.write(sdmx("R,FIN,2023,A1,recorded_offences,NR,120", "R,FIN,2023,A2,recorded_offences,NR,7"), "a.csv")
    named(centre.folder, *((area, reach.url) for area, reach in nodes.items()))
    report = centre.round()
    assert (report.taken, report.refusals) == (1, [])  # MEX has said nothing yet
    assert centre.figures() == [("FIN", "A1", 120, "F"), ("FIN", "A2", 7, "F")]
    assert centre.round() == IntakeReport()
    fin.write(sdmx("M,FIN,2023,A1,recorded_offences,NR,130", "D,FIN,2023,A2,recorded_offences,NR,"), "b.csv")
    mex.write(sdmx("R,MEX,2023,A1,recorded_offences,NR,9"), "c.csv")
    assert centre.round().taken == 2
    assert centre.figures() == [("FIN", "A1", 130, "F"), ("MEX", "A1", 9, "F")]
    received = sorted(path.name for path in (centre.inbox.folder / "taken").iterdir())
    assert len(received) == 3 and all("return_" in name for name in received)


def test_a_node_that_cannot_be_reached_is_one_line_and_the_others_go_on(centre, nodes):
    nodes["MEX"].client("MEX", nodes["MEX"].staff).write(sdmx("R,MEX,2022,A1,recorded_offences,NR,11"), "a.csv")
    named(centre.folder, ("SWE", "http://127.0.0.1:9"), ("MEX", nodes["MEX"].url))
    centre.inbox.folder.parent.joinpath(FILE).write_text(
        (centre.folder / FILE).read_text().replace("TOKEN_SWE", "TOKEN_MEX"), encoding="utf-8"
    )
    report = centre.round()
    assert report.taken == 1
    (line,) = report.refusals
    assert line.startswith("node of SWE: ") and "not reached" in line and "\n" not in line


def test_a_token_of_another_nation_is_refused_and_stands_in_no_line(centre, nodes, monkeypatch):
    monkeypatch.setenv("TOKEN_FIN", nodes["MEX"].public)
    named(centre.folder, ("FIN", nodes["FIN"].url))
    (line,) = centre.round().refusals
    assert "401" in line and nodes["MEX"].public not in line


def test_without_a_file_nobody_is_asked(centre, monkeypatch):
    monkeypatch.setattr(httpx, "Client", None)
    assert centre.round() == IntakeReport()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[node", "cannot be read as TOML"),
        ('node = "FIN"', "write each as a table of its own"),
        ('[[node]]\narea = "FIN"\nhost = "x"', "node 1: host: is no name that is known"),
        ('[[node]]\narea = "fin"', "node 1: area: is no code"),
        ('[[node]]\narea = "FIN"\nurl = "http://stat.example"', "is asked by https alone"),
        ('[[node]]\narea = "FIN"\nurl = "http://127.0.0.1.example"', "is asked by https alone"),
        ('[[node]]\narea = "FIN"\nurl = "https://stat.example"\ntoken_variable = "NO"', "no such variable"),
    ],
)
def test_a_file_that_does_not_hold_is_one_line_with_a_remedy(tmp_path, text, said):
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(DarkfigureError) as raised:
        known_nodes(tmp_path / FILE)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_an_authority_that_is_gone_is_told(centre, nodes):
    named(centre.folder, ("FIN", "https://127.0.0.1:9"))
    with (centre.folder / FILE).open("a", encoding="utf-8") as file:
        file.write('authority = "gone.pem"\n')
    (line,) = centre.round().refusals
    assert "gone.pem: no certificate can be read" in line
