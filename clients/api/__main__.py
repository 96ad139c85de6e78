"""Entry: `<venv common>/bin/python -I -u -m clients.api`; started by the supervisor."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import resource
import sys

from clients.api.bodies import UPLOADS, forget_half
from clients.api.door.keys import read_keys
from clients.api.server import Server, bind, make_app
from clients.desk import desk_here
from envspecs.http.settings import http_settings
from envspecs.layout import state_directory
from protocol.artefacts import write_whole
from protocol.endpoints import http_address_file
from protocol.errors import CpwError, ExitCode

log = logging.getLogger("http")

_FILES = 4_096


def main() -> int:
    """Serve until told to stop; return the exit code."""
    settings = http_settings(os.environ)
    if settings is None:
        log.info("there is to be no HTTP server")
        return ExitCode.DONE
    desk = desk_here()
    keys = read_keys(state_directory(desk.home))
    socket = bind(settings)
    _allow_files()
    forget_half(desk.out / UPLOADS)
    host, port = socket.getsockname()[:2]
    # Who listens everywhere is asked for here by this machine's own name.
    here = "localhost" if ipaddress.ip_address(host).is_unspecified else host
    shown = f"[{here}]" if ":" in here else here
    address = f"http://{shown}:{port}"
    write_whole(http_address_file(desk.runtime), f"{address}\n".encode())
    log.info("listening on %s", address)
    app = make_app(desk, keys, settings)
    asyncio.run(Server(app).serve(sockets=[socket]))
    return ExitCode.DONE


def _allow_files() -> None:
    """Let the process have as many files open as all its connections need; 1,024 is the usual limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    try:
        sys.exit(main())
    except CpwError as failure:
        log.critical("%s %s", failure.message, failure.remedy)
        sys.exit(ExitCode.USAGE)
