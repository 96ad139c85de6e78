"""`python -m clients.cli` is `cpw`: a service names an interpreter, and no script that it has to find."""

from __future__ import annotations

from clients.cli.entry import main

main()
