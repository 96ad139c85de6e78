"""An authority and a machine's certificate by it, made by the commands of docs/cluster.md."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.data import ROOT
from tests.walkthrough import blocks_of

__all__ = ["make_certificates", "tls_variables"]

_NAMES = "IP:192.168.1.10,IP:127.0.0.1"


def make_certificates(folder: Path, *addresses: str) -> Path:
    """Make them in the folder, for these IP addresses, and return it."""
    blocks = [block for block in blocks_of(ROOT / "docs" / "cluster.md", "##") if block.part == "TLS"]
    making = next(block.text for block in blocks if "openssl" in block.text)
    assert _NAMES in making
    script = making.replace(_NAMES, ",".join(f"IP:{address}" for address in addresses))
    subprocess.run(["/bin/sh", "-e", "-c", script], cwd=folder, check=True, capture_output=True)
    return folder


def tls_variables(folder: Path) -> dict[str, str]:
    """Return Ray's variables for them, as the document sets them."""
    blocks = [block for block in blocks_of(ROOT / "docs" / "cluster.md", "##") if block.part == "TLS"]
    setting = next(block.text for block in blocks if "RAY_USE_TLS" in block.text)
    words = [word for line in setting.splitlines() if line.startswith("export ") for word in line.split()[1:]]
    return dict(word.replace("$PWD", str(folder)).split("=", 1) for word in words)
