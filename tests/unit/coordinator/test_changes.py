"""What changed since: how a page stays true without asking for everything."""

from __future__ import annotations

from protocol.jobs.status import KNOWN_CHANGES, MOST_JOBS
from protocol.messages import CancelJobs, ChangesQuery, ChangesReport, PruneJobs
from tests.lone_coordinator import LoneCoordinator


def since(lone: LoneCoordinator, revision: int | None = None) -> ChangesReport:
    (answer,) = lone.ask(ChangesQuery(after=revision))
    assert isinstance(answer, ChangesReport)
    return answer


def test_nothing_is_told_where_nothing_has_changed(lone: LoneCoordinator) -> None:
    lone.add_job()
    now = since(lone)
    assert now.jobs == ()
    assert since(lone, now.revision) == now
    assert now.revision == now.newest > 0


def test_a_job_that_came_or_changed_is_told_once_and_as_it_is_now(lone: LoneCoordinator) -> None:
    before = since(lone)
    job, other = lone.add_job(), lone.add_job()
    came = since(lone, before.revision)
    assert [report.job for report in came.jobs] == [job, other]
    lone.ask(CancelJobs(jobs=(job,)))
    changed = since(lone, came.revision)
    assert [(report.job, report.state) for report in changed.jobs] == [(job, "cancelled")]
    assert since(lone, changed.revision).jobs == ()


def test_removed_jobs_are_named(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    lone.ask(CancelJobs(jobs=(job,)))
    before = since(lone)
    lone.ask(PruneJobs(older_than_ms=0, states=("cancelled",), dry_run=False))
    after = since(lone, before.revision)
    assert after.removed == (job,)
    assert after.jobs == ()


def test_many_changes_come_in_portions(lone: LoneCoordinator) -> None:
    before = since(lone)
    jobs = [lone.add_job() for _ in range(MOST_JOBS + 3)]
    first = since(lone, before.revision)
    assert first.revision < first.newest
    rest = since(lone, first.revision)
    assert [report.job for report in (*first.jobs, *rest.jobs)] == jobs
    assert rest.revision == rest.newest == first.newest


def test_a_revision_of_another_store_or_of_long_ago_is_not_known(lone: LoneCoordinator) -> None:
    lone.add_job()
    now = since(lone).revision
    assert since(lone, now + 1).unknown
    assert since(lone, now - KNOWN_CHANGES - 1).unknown
    assert not since(lone, now).unknown
