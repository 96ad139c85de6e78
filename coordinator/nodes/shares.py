"""Whether a folder of a node is one of the head's: each writes a file there, and the other reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from protocol.cluster.messages import SHARE_ANSWER, Share

__all__ = ["confirmed"]

_CHECK = re.compile(r"\.cpw-check-[0-9a-f]{16}")
_MOST_BYTES = 64


def confirmed(shares: Iterable[Share]) -> tuple[tuple[Share, ...], tuple[str, ...]]:
    """Return the shares in which the node's file was found and answered, and a sentence about each other.

    The node removes both files.
    """
    same, problems = [], []
    for share in shares:
        if problem := _problem(share):
            problems.append(problem)
        else:
            same.append(share)
    return tuple(same), tuple(problems)


def _problem(share: Share) -> str:
    folder = Path(share.head)
    if not _CHECK.fullmatch(share.check) or not folder.is_absolute():
        return f"The share {share.head} cannot be checked."
    try:
        with (folder / share.check).open("rb") as file:
            content = file.read(_MOST_BYTES)
        with (folder / f"{share.check}{SHARE_ANSWER}").open("xb") as file:
            file.write(content)
    except FileNotFoundError:
        return f"{share.head} on the head is not the folder {share.here} of the node: its file is not there."
    except OSError as error:
        return f"{share.head} cannot be used on the head: {error.strerror}."
    return ""
