"""The key of the confidential store: from the environment, never shown.

Here: reading it, and deriving a key for each use. Not here: where it is kept; that is its owner's to decide.
"""

import base64
import binascii
import hmac
import os
import secrets

from darkfigure.errors import DarkfigureError

VARIABLE = "DARKFIGURE_CONFIDENTIAL_KEY"
_LENGTH = 32
_SALT = b"darkfigure confidential store"


class Key:
    """32 secret bytes, from their base64. Neither its repr nor its errors show them, and it cannot be pickled.

    Raises DarkfigureError where the text is no such key.
    """

    __slots__ = ("_secret",)

    def __init__(self, text: str) -> None:
        try:
            self._secret = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            self._secret = b""
        if len(self._secret) != _LENGTH:
            raise DarkfigureError(
                f"{VARIABLE}: is no base64 of {_LENGTH} bytes; set what 'darkfigure firms key' printed"
            )

    @classmethod
    def from_environment(cls) -> "Key":
        """The key that the environment names. Raises DarkfigureError where there is none."""
        if not os.environ.get(VARIABLE):
            raise DarkfigureError(f"{VARIABLE}: is not set; set the key that 'darkfigure firms key' once printed")
        return cls(os.environ[VARIABLE])

    def derived(self, use: str) -> bytes:
        """32 bytes for one use alone: whoever learns those of one use learns nothing of another's."""
        return hkdf(self._secret, _SALT, use.encode())

    def __repr__(self) -> str:
        return "Key(secret)"

    def __reduce__(self) -> str:
        raise TypeError("a key is not to be pickled")


def new_key() -> str:
    """A new random key, in base64."""
    return base64.b64encode(secrets.token_bytes(_LENGTH)).decode()


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes by HKDF with SHA-256 (RFC 5869): as long as one hash, so that one round of expansion is all."""
    return hmac.digest(hmac.digest(salt, secret, "sha256"), info + b"\x01", "sha256")
