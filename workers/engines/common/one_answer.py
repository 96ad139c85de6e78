"""How a program that is run once (`coordinator.one_shot`) answers: one line on stdout."""

from __future__ import annotations

import json
import sys
from typing import Any

from protocol.errors import CpwError, info_from_error
from protocol.schema import to_plain

__all__ = ["answer", "refusal"]


def answer(document: dict[str, Any] | str) -> None:
    """Write a document as JSON, or a sentence.

    ASCII alone: whoever reads it knows neither this process's locale nor the bytes of a file's name.
    """
    text = document if isinstance(document, str) else json.dumps(document)
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode() + "\n")


def refusal(error: CpwError) -> dict[str, Any]:
    """Return the document that says what went wrong."""
    return {"error": to_plain(info_from_error(error))}
