"""The commands of a node: making one, its tokens, putting returns into it, and refusing to serve in one line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from darkfigure.repository.node import settings
from darkfigure.repository.node.holdings import Holdings, Selection
from darkfigure.repository.node.tokens import READ, WRITE, verify
from pipelines.nodes import node
from tests.unit.node_parts import RETURN, SECRET, delivery

RUN = CliRunner()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "fin"
    assert RUN.invoke(node, ["init", str(made), "FIN"]).exit_code == 0
    return made


def test_a_token_is_of_the_nodes_own_key_and_of_the_scopes_asked_for(folder: Path) -> None:
    key = settings.read_key(folder)
    plain = RUN.invoke(node, ["token", str(folder), "centre"])
    assert verify(plain.output.strip(), "FIN", key).scopes == {READ}
    staff = RUN.invoke(node, ["token", str(folder), "staff", "--scope", WRITE, "--scope", READ, "--days", "1"])
    assert verify(staff.output.strip(), "FIN", key).scopes == {READ, WRITE}
    assert RUN.invoke(node, ["token", str(folder), "staff", "--scope", "all"]).exit_code == 1


def test_files_are_put_whole_or_refused_with_their_places(folder: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "return_2024.csv", tmp_path / "return_bad.csv"
    good.write_bytes(RETURN)
    bad.write_bytes(delivery(f"2024,A2,{SECRET}x,C"))
    result = RUN.invoke(node, ["put", str(folder), str(bad), str(good)])
    assert result.exit_code == 1
    assert "line 2, column OBS_VALUE: is no number" in result.output
    assert "return_2024.csv: 4 figures new or changed, 0 taken away" in result.output
    assert SECRET not in result.output
    holdings = Holdings(folder / settings.HOLDINGS_FILE)
    assert len(holdings.select(Selection(), confidential=True).rows) == 4


def test_what_keeps_a_node_from_serving_is_one_line_and_exit_code_2(folder: Path) -> None:
    result = RUN.invoke(node, ["serve", str(folder), "--host", "192.0.2.1", "--port", "0"])
    assert result.exit_code == 2
    assert result.output == "192.0.2.1: is not loopback; give certificate and certificate_key in node.toml\n"
