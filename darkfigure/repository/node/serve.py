"""The process of a node: ``python -m darkfigure.repository.node.serve FOLDER --port 0``.

It prints one line with its address when it listens, and one for each request; it ends, with what it is answering
finished, at SIGTERM or SIGINT. Whatever keeps it from listening is one line, and exit code 2. Beyond the machine itself
it listens only with a certificate. Not here: what is answered (``app``).
"""

import argparse
import ipaddress
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TextIO

from darkfigure.errors import DarkfigureError
from darkfigure.repository.node import settings as settings_of
from darkfigure.repository.node import tls

_GRACE_SECONDS = 10
#: Bytes of a request's head; the longest address lies within.
_MOST_HEAD = 32 * 1024


def serve(folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve the node in ``folder`` until a signal ends it. Raises DarkfigureError where it cannot."""
    # Before anything slow: a node that is told to end while it starts ends.
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    # DuckDB writes figures into a log beside the file before they are in it.
    os.umask(0o077)
    settings = settings_of.read(folder)
    secure = bool(settings.certificate or settings.certificate_key)
    if secure:
        tls.check(settings.certificate, settings.certificate_key)
    elif not _is_loopback(host):
        raise DarkfigureError(f"{host}: is not loopback; give certificate and certificate_key in {settings_of.FILE}")
    listening = _listen(host, port)

    import uvicorn

    from darkfigure.repository.node.app import create_app
    from darkfigure.repository.node.holdings import Holdings

    _log_to(sys.stdout)
    holdings = Holdings(folder / settings_of.HOLDINGS_FILE)
    try:
        config = uvicorn.Config(
            create_app(holdings, settings),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=_MOST_HEAD,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            ssl_certfile=settings.certificate or None,
            ssl_keyfile=settings.certificate_key or None,
        )
        shown, bound = listening.getsockname()[:2]
        print(f"{settings.area} http{'s' if secure else ''}://{shown}:{bound}", flush=True)
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        holdings.close()
        listening.close()


def main() -> int:
    """The command line of the process."""
    parser = argparse.ArgumentParser(prog="darkfigure.repository.node.serve", description="Serve a nation's node.")
    parser.add_argument("folder", type=Path, help="the node's folder, made by 'darkfigure node init'")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    given = parser.parse_args()
    try:
        serve(given.folder, given.host, given.port)
    except DarkfigureError as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


def _end(*_: object) -> None:
    raise SystemExit(0)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # With the protocol named: asyncio sends small answers at once only on a socket that says that it is TCP's.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except (OSError, OverflowError) as exc:
        raise DarkfigureError(
            f"{host}:{port}: cannot be listened on ({getattr(exc, 'strerror', None) or 'no port'}); name another port"
        ) from None
    return listening


def _log_to(stream: TextIO) -> None:
    """Our own lines, and of everything else its warnings without what they are about."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
    ours = logging.getLogger("darkfigure.node")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
    # uvicorn and asyncio tell errors with their tracebacks, whose texts may hold what was sent.
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
        logging.getLogger(name).propagate = False


if __name__ == "__main__":
    sys.exit(main())
