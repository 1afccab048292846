"""A node's certificate: that it can be used, before anything listens with it.

Not here: making certificates (the nation's authority does), or what a client trusts (``darkfigure.repository.client``).
"""

import ssl
from pathlib import Path

from darkfigure.errors import DarkfigureError

_EXPIRED, _NOT_YET = 10, 9  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID


def check(certificate: str, key: str) -> None:
    """Raise DarkfigureError, in one line, unless the two belong together and the certificate is valid now."""
    for name, path in (("certificate", certificate), ("certificate_key", key)):
        if not path:
            raise DarkfigureError(f"{name}: is not given, and the other is; give both or none")
        try:
            with Path(path).open("rb"):
                pass
        except OSError as exc:
            raise DarkfigureError(f"{name}: {path}: cannot be read ({type(exc).__name__}); put it there") from None
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A password would be asked for at a terminal that nobody watches.
        server.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError):
        raise DarkfigureError(
            f"certificate: {certificate}: is no certificate of the key {key}, or the key has a password; correct them"
        ) from None
    code = _verdict(server, certificate)
    if code in {_EXPIRED, _NOT_YET}:
        problem = "has expired" if code == _EXPIRED else "is not valid yet"
        raise DarkfigureError(f"certificate: {certificate}: {problem}; get a new one, or set the clock")


def _verdict(server: ssl.SSLContext, certificate: str) -> int:
    """OpenSSL's code of what is wrong with the certificate taken as its own authority; 0 where nothing is.

    A handshake with ourselves in memory: Python's ssl reads the dates of a certificate only of one that it meets.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as exc:
                return exc.verify_code
            except ssl.SSLError:
                return 0
    return 0
