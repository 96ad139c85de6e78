"""Asks the head of a cluster whether this machine can join, with the token and without."""

from __future__ import annotations

from pathlib import Path

from clients.cluster.joining import check_guarded, check_joinable, check_told
from clients.cluster.probing import Probe
from envspecs.cluster.settings import ClusterSettings
from envspecs.cluster.token import keep_token
from envspecs.layout import state_directory

__all__ = ["check_head"]


def check_head(home: Path, settings: ClusterSettings, token: str) -> None:
    """Raise unless the head takes the token, nobody without one, and this machine.

    Raises what `check_told`, `check_guarded` and `check_joinable` do, within the deadline of a probe.
    """
    # Not under the name of the one that counts: it may be wrong.
    trial = keep_token(state_directory(home), token, "token.trial")
    try:
        asked, without = Probe(home, settings.head, trial), Probe(home, settings.head, None)
        answer, open_answer = asked.answer(), without.answer()
    finally:
        trial.unlink(missing_ok=True)
    check_told(answer, settings.head)
    check_guarded(open_answer, settings.head)
    check_joinable(answer, settings.head, settings.name)
