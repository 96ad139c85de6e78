"""Who is told when a job ends, also after a restart, and while the one who listens is away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from clients.api.hooks.telling import STATE, Telling
from protocol.messages import ChangesQuery, ChangesReport, JobReport


def job(name: str, state: Any = "done", elapsed_ms: int = 1) -> JobReport:
    return JobReport(
        job=name,
        state=state,
        media="/films/a.mkv",
        workflow="translate",
        directory="/out/1",
        created_at="",
        elapsed_ms=elapsed_ms,
        fraction=1.0,
        steps=(),
        outputs=("/out/1/a.en.srt",),
    )


class Store:
    """Answers with what changed after a revision."""

    def __init__(self) -> None:
        self.changes: list[JobReport] = []

    async def query(self, asked: ChangesQuery) -> ChangesReport:
        """Answer as the coordinator does."""
        newest = len(self.changes)
        after = newest if asked.after is None else asked.after
        if after > newest:
            return ChangesReport(revision=newest, newest=newest, unknown=True)
        return ChangesReport(revision=newest, newest=newest, jobs=tuple(self.changes[after:]))


class Listener:
    """Refuses as often as it is told to."""

    def __init__(self, refuses: int = 0) -> None:
        self.refuses = refuses
        self.heard: list[dict[str, Any]] = []
        self.pauses: list[float] = []

    def send(self, url: str, document: dict[str, Any]) -> str:
        """Take a document."""
        assert url == "http://there/"
        if self.refuses:
            self.refuses -= 1
            return "it does not answer"
        self.heard.append(document)
        return ""

    async def pause(self, wait_s: float) -> None:
        """Wait no time."""
        self.pauses.append(wait_s)


def telling(state: Path, store: Store, listener: Listener) -> Telling:
    return Telling(
        url="http://there/", state=state, query=store.query, send=listener.send, pause=listener.pause
    )


def test_an_end_is_told_once_and_what_ended_before_is_nobodys_news(tmp_path: Path) -> None:
    store, listener = Store(), Listener()
    store.changes = [job("old")]
    teller = telling(tmp_path, store, listener)
    asyncio.run(teller.look())
    store.changes += [job("a", "running"), job("a"), job("b", "failed")]
    asyncio.run(teller.look())
    store.changes.append(job("a"))  # a note after its end
    asyncio.run(teller.look())
    assert [(told["job"], told["state"]) for told in listener.heard] == [("a", "done"), ("b", "failed")]
    assert listener.heard[0]["outputs"] == ["/out/1/a.en.srt"]
    store.changes.append(job("a", elapsed_ms=2))  # retried, and ended again
    asyncio.run(teller.look())
    assert [told["job"] for told in listener.heard] == ["a", "b", "a"]


def test_a_restart_loses_no_end(tmp_path: Path) -> None:
    store, listener = Store(), Listener()
    asyncio.run(telling(tmp_path, store, listener).look())
    store.changes.append(job("while it was away"))
    asyncio.run(telling(tmp_path, store, listener).look())
    asyncio.run(telling(tmp_path, store, listener).look())
    assert [told["job"] for told in listener.heard] == ["while it was away"]
    (tmp_path / STATE).write_text("damaged")
    asyncio.run(telling(tmp_path, store, listener).look())
    assert len(listener.heard) == 1


def test_it_is_tried_three_times_and_then_let_go(tmp_path: Path) -> None:
    store = Store()
    for refuses, heard in ((2, 1), (3, 0)):
        listener = Listener(refuses)
        teller = telling(tmp_path, store, listener)
        asyncio.run(teller.look())
        store.changes.append(job(f"{refuses}"))
        asyncio.run(teller.look())
        assert len(listener.heard) == heard
        assert len(listener.pauses) == 3


def test_another_job_store_begins_anew(tmp_path: Path) -> None:
    store, listener = Store(), Listener()
    store.changes = [job("a")] * 5
    asyncio.run(telling(tmp_path, store, listener).look())
    store.changes = []
    asyncio.run(telling(tmp_path, store, listener).look())
    store.changes = [job("b")]
    asyncio.run(telling(tmp_path, store, listener).look())
    assert [told["job"] for told in listener.heard] == ["b"]
