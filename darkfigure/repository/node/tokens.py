"""Bearer tokens of a node: who may ask it what, signed with the node's own key.

One algorithm, no other; every claim must be there. What is wrong with a token is told only as far as its holder needs:
that it is over, or not yet valid, which a clock may explain. Not here: who gets a token (the node's owner says that).
"""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass

import jwt

from darkfigure.errors import DarkfigureError

READ, CONFIDENTIAL, WRITE = "data:read", "data:confidential", "returns:write"
SCOPES = {
    READ: "read figures and structures; confidential figures are withheld",
    CONFIDENTIAL: "read confidential figures too",
    WRITE: "put returns, amendments and withdrawals into the node",
}
#: Seconds by which the clocks of node and issuer may differ.
LEEWAY = 30
ALGORITHM = "HS256"
_SUBJECT = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_CLAIMS = ("iss", "sub", "aud", "scope", "iat", "nbf", "exp")
_LONGEST = 4_096


class TokenRefused(DarkfigureError):
    """A token that does not hold, with the reason that its holder may know."""


@dataclass(frozen=True)
class Caller:
    """Whom a token names, and what it allows."""

    subject: str
    scopes: frozenset[str]


def issue(area: str, key: bytes, subject: str, scopes: Collection[str], seconds: int, now: float | None = None) -> str:
    """A token for ``subject`` at the node of ``area``, for so many seconds from ``now`` (the clock's, where None).

    Raises DarkfigureError where the subject or a scope is none.
    """
    if not _SUBJECT.fullmatch(subject):
        raise DarkfigureError(f"subject {subject!r}: write up to 40 letters, digits, dots, hyphens")
    if not scopes or not set(scopes) <= SCOPES.keys():
        raise DarkfigureError(f"scopes: name some of {', '.join(SCOPES)}")
    if seconds <= 0:
        raise DarkfigureError("a token must be valid for more than no time")
    begin = int(time.time() if now is None else now)
    claims = {
        "iss": _issuer(area),
        "sub": subject,
        "aud": area,
        "scope": " ".join(sorted(scopes)),
        "iat": begin,
        "nbf": begin,
        "exp": begin + seconds,
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def verify(token: str, area: str, key: bytes) -> Caller:
    """Who holds the token. Raises TokenRefused unless it is this node's, whole and of now."""
    if len(token) > _LONGEST:
        raise TokenRefused("The token is not valid here.")
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=area,
            issuer=_issuer(area),
            leeway=LEEWAY,
            options={"require": list(_CLAIMS), "strict_aud": True},
        )
    except jwt.ExpiredSignatureError:
        raise TokenRefused("The token has expired; ask the node's owner for a new one.") from None
    except jwt.ImmatureSignatureError:
        raise TokenRefused("The token is not valid yet; compare your clock with the node's.") from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise TokenRefused("The token is not valid here.") from None
    subject, scope = claims["sub"], claims["scope"]
    if not isinstance(scope, str) or not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("The token is not valid here.")
    return Caller(subject, frozenset(scope.split(" ")) & SCOPES.keys())


def _issuer(area: str) -> str:
    return f"darkfigure:node:{area}"
