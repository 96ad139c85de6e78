"""Progress: how often it is passed on, and how a cancelled call ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import CancelledError
from workers.context import CallContext
from workers.models import ModelShelf


def test_a_cancelled_call_ends_at_its_next_report(tmp_path: Path) -> None:
    told: list[float] = []
    context = CallContext(
        tmp_path, "scratch", "asr", ModelShelf(tmp_path), lambda share, _note: told.append(share)
    )
    context.progress(0.1)
    context.cancelled.set()
    with pytest.raises(CancelledError):
        context.progress(0.2)
    assert told == [0.1]


def test_a_call_that_is_cancelled_while_another_is_done_inside_it_does_not_go_on(tmp_path: Path) -> None:
    context: CallContext

    def do_another(_share: float, _note: str) -> None:
        context.cancelled.set()

    context = CallContext(tmp_path, "scratch", "asr", ModelShelf(tmp_path), do_another)
    with pytest.raises(CancelledError):
        context.progress(0.1)


def test_what_a_call_keeps_is_found_by_the_next_attempt_and_not_by_another_step(tmp_path: Path) -> None:
    def context(scratch: str) -> CallContext:
        found = CallContext(tmp_path, scratch, "translate", ModelShelf(tmp_path), lambda *_: None)
        found.prepare()
        return found

    first = context(".scratch/translate-hi-1")
    first.kept("a.json").write_text("dear")
    first.discard()
    assert context(".scratch/translate-hi-2").kept("a.json").read_text() == "dear"
    assert not context(".scratch/translate-en-1").kept("a.json").exists()
