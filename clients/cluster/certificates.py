"""Whether this machine's certificates will do, before Ray tries them for minutes and says little."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from protocol.errors import UsageError

__all__ = ["check_certificates"]

_USE = "RAY_USE_TLS"
_CERTIFICATE, _KEY, _AUTHORITY = "RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT"
_MOST_TURNS = 10


def check_certificates(environ: Mapping[str, str], address: str) -> None:
    """Raise `UsageError` where TLS is asked for and no other machine would take this one for `address`.

    Reads the files that the variables name: key and certificate belong together, the authority has signed it,
    it has not run out, and it names the address.
    """
    if environ.get(_USE, "").lower() not in ("1", "true"):
        return
    lacking = [name for name in (_CERTIFICATE, _KEY, _AUTHORITY) if not environ.get(name)]
    if lacking:
        message = f"{_USE} is set, and {', '.join(lacking)} is not."
        raise UsageError(message, "Set all four, or none: docs/cluster.md, TLS")
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(environ[_CERTIFICATE], environ[_KEY], password=lambda: "")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(environ[_AUTHORITY])
        _shake_hands(server, client, address)
    except ssl.SSLCertVerificationError as error:
        message = f"The certificate {environ[_CERTIFICATE]} will not do for {address}: {error.verify_message}"
        raise UsageError(message.rstrip(".") + ".", "Make it anew: docs/cluster.md, TLS") from error
    except OSError as error:  # all else that goes wrong with certificates is one, too
        reason = error.strerror or str(error)
        files = ", ".join(environ[name] for name in (_CERTIFICATE, _KEY, _AUTHORITY))
        message = f"The certificates cannot be used: {reason} ({files})."
        raise UsageError(message, "Look at RAY_TLS_...: docs/cluster.md, TLS") from error


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, address: str) -> None:
    """Have the two meet in memory; raises `ssl.SSLError` where one does not take the other."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname=address),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(_MOST_TURNS):
        waits = False
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waits = True
        if not waits:
            return
