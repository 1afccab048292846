"""Tokens of a node, its settings and its key: whatever does not hold is refused, and says no more than its holder needs."""

import base64
import json
import time
from pathlib import Path

import jwt
import pytest

from darkfigure.errors import DarkfigureError
from darkfigure.repository.node import settings as node_settings
from darkfigure.repository.node.tokens import LEEWAY, READ, TokenRefused, issue, verify
from tests.unit.node_parts import DATA, KEY, RETURN, Node, messages, token

CLAIMS = {"iss": "darkfigure:node:FIN", "sub": "centre", "aud": "FIN", "scope": READ}


def claims(**other: object) -> dict[str, object]:
    now = int(time.time())
    made = {**CLAIMS, "iat": now, "nbf": now, "exp": now + 60, **other}
    return {name: value for name, value in made.items() if value is not None}


def changed_payload() -> str:
    head, body, signature = token(READ).split(".")
    payload = json.loads(base64.urlsafe_b64decode(body + "=="))
    payload["scope"] = "data:read data:confidential returns:write"
    return f"{head}.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.{signature}"


NOT_VALID = "The token is not valid here."
BAD = {
    "of another key": (lambda: token(READ, key=bytes(32)), NOT_VALID),
    "of no algorithm": (lambda: jwt.encode(claims(), None, algorithm="none"), NOT_VALID),
    "of another algorithm": (lambda: jwt.encode(claims(), KEY * 2, algorithm="HS512"), NOT_VALID),
    "of the right key by another algorithm": (lambda: jwt.encode(claims(), KEY * 2, algorithm="HS384"), NOT_VALID),
    "with a changed payload": (changed_payload, NOT_VALID),
    "for another node": (lambda: token(READ, area="SWE"), NOT_VALID),
    "for several nodes": (lambda: jwt.encode(claims(aud=["FIN", "SWE"]), KEY), NOT_VALID),
    "by another issuer": (lambda: jwt.encode(claims(iss="somebody"), KEY), NOT_VALID),
    "without an end": (lambda: jwt.encode(claims(exp=None), KEY), NOT_VALID),
    "without a scope": (lambda: jwt.encode(claims(scope=None), KEY), NOT_VALID),
    "without a subject": (lambda: jwt.encode(claims(sub=None), KEY), NOT_VALID),
    "whose subject would forge a line of the log": (lambda: jwt.encode(claims(sub="a\nb"), KEY), NOT_VALID),
    "whose end is a text": (lambda: jwt.encode(claims(exp="tomorrow"), KEY), NOT_VALID),
    "that is none": (lambda: "a.b.c", NOT_VALID),
    "that is too long": (lambda: "a" * 5000, NOT_VALID),
    "that has expired": (lambda: issue("FIN", KEY, "centre", [READ], 60, time.time() - 61 - LEEWAY), "has expired"),
    "that is not valid yet": (lambda: issue("FIN", KEY, "centre", [READ], 600, time.time() + LEEWAY + 30), "compare your clock"),
}  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    made = Node(tmp_path_factory.mktemp("node"), strangers_per_second=1e6, strangers_burst=10**6)
    made.put(RETURN)
    return made


@pytest.mark.parametrize("kind", BAD)
def test_a_token_that_does_not_hold_is_refused(node: Node, kind: str) -> None:
    make, reason = BAD[kind]
    response = node.http().get(DATA, headers={"Authorization": f"Bearer {make()}"})
    assert response.status_code == 401
    (detail,) = messages(response)
    assert reason in detail
    challenge = response.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="FIN", error="invalid_token"')


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic Zm9vOmJhcg==", "bearer\ttoken", "\xff\xfe"])
def test_no_token_is_asked_for(node: Node, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    response = node.http().get(DATA, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="FIN"'
    assert list(messages(response)) == ["Send a bearer token of this node."]


def test_clocks_may_differ_by_the_leeway_and_no_more() -> None:
    now = time.time()
    assert verify(issue("FIN", KEY, "centre", [READ], 600, now + LEEWAY - 5), "FIN", KEY).subject == "centre"
    assert verify(issue("FIN", KEY, "centre", [READ], 60, now - 60 - LEEWAY + 5), "FIN", KEY).scopes == {READ}
    with pytest.raises(TokenRefused):
        verify(issue("FIN", KEY, "centre", [READ], 600, now + LEEWAY + 5), "FIN", KEY)


def test_scopes_that_are_none_allow_nothing() -> None:
    assert verify(jwt.encode(claims(scope="everything data:read"), KEY), "FIN", KEY).scopes == {READ}
    for subject, scopes, seconds in (
        ("a b", [READ], 1),
        ("centre", ["all"], 1),
        ("centre", [], 1),
        ("centre", [READ], 0),
    ):
        with pytest.raises(DarkfigureError):
            issue("FIN", KEY, subject, scopes, seconds)


def test_health_needs_no_token_and_says_only_that_it_lives(node: Node) -> None:
    response = node.http().get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_a_new_node_has_a_key_that_nobody_else_can_read(tmp_path: Path) -> None:
    node_settings.make(tmp_path / "fin", "FIN")
    assert (tmp_path / "fin" / "token.key").stat().st_mode & 0o777 == 0o600
    read = node_settings.read(tmp_path / "fin")
    assert (read.area, len(read.key)) == ("FIN", 32)
    assert read.key.hex() not in repr(read)
    with pytest.raises(DarkfigureError, match="is there already"):
        node_settings.make(tmp_path / "fin", "FIN")
    with pytest.raises(DarkfigureError, match="no code"):
        node_settings.make(tmp_path / "other", "Finland")


def test_a_key_from_the_environment_stands_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node_settings.make(tmp_path, "FIN")
    monkeypatch.setenv("DARKFIGURE_NODE_KEY", "ab" * 32)
    assert node_settings.read(tmp_path).key == bytes.fromhex("ab" * 32)
    monkeypatch.setenv("DARKFIGURE_NODE_KEY", "weak-but-secret")
    with pytest.raises(DarkfigureError, match="DARKFIGURE_NODE_KEY: is no key") as refused:
        node_settings.read(tmp_path)
    assert "weak-but-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / "token.key").chmod(0o644), "others may read it"),
        (lambda folder: (folder / "token.key").unlink(), "token.key: cannot be read"),
        (lambda folder: (folder / "token.key").write_text("short-secret"), "is no key"),
        (lambda folder: (folder / "node.toml").unlink(), "darkfigure node init"),
        (lambda folder: (folder / "node.toml").write_text("area = "), "cannot be read as TOML"),
        (lambda folder: (folder / "node.toml").write_text('area = "Finland"'), "area: is no code"),
        (lambda folder: (folder / "node.toml").write_text('area = "FIN"\nspeed = 1'), "speed: is no setting"),
        (lambda folder: (folder / "node.toml").write_text('area = "FIN"\nat_once = "many"'), "at_once: must be a number"),
        (lambda folder: (folder / "node.toml").write_text('area = "FIN"\nat_once = 0'), "at_once: must be above 0"),
        (lambda folder: (folder / "node.toml").write_text('area = "FIN"\ngreatest_page = 1.5'), "greatest_page: must be"),
    ],
)  # fmt: skip
def test_settings_that_do_not_hold_are_one_line(tmp_path: Path, change, told: str) -> None:  # type: ignore[no-untyped-def]
    node_settings.make(tmp_path, "FIN")
    change(tmp_path)
    with pytest.raises(DarkfigureError, match=told) as refused:
        node_settings.read(tmp_path)
    assert "\n" not in str(refused.value)
    assert "short-secret" not in str(refused.value)
