"""The two ways to show running jobs: bars on a terminal, lines anywhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from clients.screen.jobs import FINISHED, job_sentence, live_table, step_changes
from clients.screen.report import LivePart, Report
from clients.screen.table import lay_out
from protocol.messages import JobReport

__all__ = ["Screen", "open_screen"]


class Screen(Protocol):
    """Shows what changed between two looks at the same jobs."""

    def show(self, before: Mapping[str, JobReport], now: Sequence[JobReport]) -> None:
        """Show the jobs as they are `now`; `before` has the last look at each."""
        ...

    def say(self, sentence: str) -> None:
        """Show a remark."""
        ...


@contextmanager
def open_screen(report: Report, labels: Mapping[str, str], *, beside: bool) -> Iterator[Screen]:
    """Return the right kind of screen; `beside` when the answer itself is a JSON document."""
    if beside or not report.interactive:
        yield _Lines(report, labels, beside=beside)
        return
    with report.live() as live:
        yield _Bars(report, live, labels)


class _Lines:
    """A line whenever a stage starts or ends."""

    def __init__(self, report: Report, labels: Mapping[str, str], *, beside: bool) -> None:
        self._report = report
        self._labels = labels
        self._beside = beside

    def show(self, before: Mapping[str, JobReport], now: Sequence[JobReport]) -> None:
        for job in now:
            for line in step_changes(before.get(job.job), job, self._labels[job.job]):
                self._report.progress(line, beside=self._beside)

    def say(self, sentence: str) -> None:
        self._report.remark(sentence)


class _Bars:
    """A bar for each unfinished film; a line that stays for each that ended."""

    def __init__(self, report: Report, live: LivePart, labels: Mapping[str, str]) -> None:
        self._report = report
        self._live = live
        self._labels = labels

    def show(self, before: Mapping[str, JobReport], now: Sequence[JobReport]) -> None:
        several = len(self._labels) > 1
        for job in now:
            last = before.get(job.job)
            if job.state in FINISHED and (last is None or last.state not in FINISHED):
                sentence = job_sentence(job, self._labels[job.job], reason=several)
                self._report.line(sentence, "good" if job.state == "done" else "bad")
        # Read each time, because people resize their windows.
        limit, rows = self._report.columns, max(1, self._report.rows - 2)
        labels = [self._labels[job.job] for job in now]
        table = live_table(now, labels, rows, self._report.bar_marks)
        self._live.update(lay_out(table, limit)[1:] if table.rows else [])

    def say(self, sentence: str) -> None:
        self._report.remark(sentence)
