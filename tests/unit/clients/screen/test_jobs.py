from __future__ import annotations

from dataclasses import replace

import pytest

from clients.screen import jobs
from clients.screen.table import lay_out, plain
from protocol.clock import parse_iso_ms
from protocol.errors import ErrorInfo, ErrorKind, ExitCode
from protocol.messages import JobReport, StatusReport, StepReport

DEAF = ErrorInfo(kind=ErrorKind.INPUT, message="The film has no sound.", remedy="Choose another track.")
CREATED = "2026-11-22T08:30:00.000Z"


def step(name="asr", state="waiting", **facts) -> StepReport:
    known = {"stage": name, "environment": "whisperx", "attempt": 1, "fraction": 0.0, **facts}
    return StepReport(name=name, state=state, **known)


def job(state="running", steps=(), **facts) -> JobReport:
    known = {
        "job": "job-20261122-ann-0001", "media": "/films/film.mp4", "workflow": "subtitle",
        "directory": "/out/1",
        "created_at": CREATED, "elapsed_ms": 65_000, "fraction": 0.4, **facts,
    }  # fmt: skip
    return JobReport(state=state, steps=tuple(steps), **known)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (job(steps=[step(state="running"), step("mux", "running", attempt=2)]), "asr, mux (attempt 2)"),
        (job(steps=[step("demux", "done"), step(state="ready")]), "waits for asr"),
        (
            job(steps=[step(state="running", node="big-box"), step("mux", "running", attempt=2, node="b")]),
            "asr on big-box, mux on b (attempt 2)",
        ),
        (job("queued", [step()]), ""),
        (job("failed", [step(state="failed")]), "asr"),
        (job("done", [step(state="done")]), ""),
        (job("held", [step()]), ""),
        (job("held", [step(error=DEAF), step("mux")]), "asr"),
        (
            job("queued", [step(state="ready", waits_for="whisperx: crash-loop: cpw logs whisperx")]),
            "waits for whisperx: crash-loop: cpw logs whisperx",
        ),
    ],
)
def test_the_stage_says_what_a_job_is_at(shown, words):
    assert jobs.stage_words(shown) == words


def test_a_status_row_has_everything_that_is_known():
    table = jobs.status_table(
        [job(steps=[step(state="running", attempt=2, running_ms=12_000)])], parse_iso_ms(CREATED) / 1000 + 120
    )
    header, row = (plain(line) for line in lay_out(table, None))
    assert header.split() == [
        "job",
        "workflow",
        "state",
        "stage",
        "done",
        "attempt",
        "running",
        "for",
        "worker",
        "age",
        "elapsed",
        "film",
    ]
    assert "asr (attempt 2)" in row
    assert row.endswith("40%        2       12.0 s  whisperx  2 min     1:05  film.mp4")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (step(), step(state="running"), "f: asr started"),
        (step(state="ready"), step(state="running"), "f: asr started"),
        (step(state="running"), step(state="done", duration_ms=2_000), "f: asr done in 2.0 s"),
        (step(), step(state="done"), "f: asr done"),
        (step(), step(state="running", node="box"), "f: asr on box started"),
        (step(), step(state="done", node="box", duration_ms=2_000), "f: asr on box done in 2.0 s"),
        (step(), step(state="skipped", note="already English"), "f: asr skipped: already English"),
        (step(state="running"), step(state="failed", error=DEAF), "f: asr failed: The film has no sound."),
        (
            step(state="running"),
            step(state="ready", error=DEAF),
            "f: asr will be tried again: The film has no sound.",
        ),
        (step(state="running"), step(state="running", attempt=2), "f: asr (attempt 2) started"),
    ],
)
def test_a_line_tells_every_start_and_end_of_a_stage(before, after, line):
    assert jobs.step_changes(job(steps=[before]), job(steps=[after]), "f") == [line]


@pytest.mark.parametrize(
    ("before", "after"), [("waiting", "ready"), ("running", "running"), ("done", "done")]
)
def test_nothing_is_said_while_nothing_starts_or_ends(before, after):
    assert jobs.step_changes(job(steps=[step(state=before)]), job(steps=[step(state=after)]), "f") == []


def test_the_end_of_a_job_is_told_once():
    done = job("done")
    assert jobs.step_changes(job(), done, "f") == ["f: done in 1:05"]
    assert jobs.step_changes(done, done, "f") == []
    assert jobs.step_changes(None, done, "f") == ["f: done in 1:05"]


def test_the_language_is_named_with_how_sure_it_is():
    assert (
        jobs.language_sentence(job(language="de", language_probability=0.981))
        == "source language: German (0.98)"
    )
    assert jobs.language_sentence(job(language="hi")) == "source language: Hindi"
    assert jobs.language_sentence(job(language="und")) == "source language: not recognised"
    assert jobs.language_sentence(job()) == ""


def test_the_end_tells_language_notes_outputs_and_first_lines():
    done = job("done", language="de", notes=("n1", "n2"), outputs=("/out/1/T.de.srt",))
    assert jobs.job_lines(done, ["00:00:03,000 --> 00:00:05,000  Hi"], ["n1"]) == [
        "source language: German",
        "note: n1",
        "note: n2",
        "/out/1/T.de.srt",
        "first lines:",
        "  00:00:03,000 --> 00:00:05,000  Hi",
    ]


def test_the_summary_gives_each_film_its_reason():
    reports = [job("done"), job("failed", media="/films/b.mkv", error=DEAF)]
    assert [plain(line) for line in lay_out(jobs.summary_table(reports), None)] == [
        "state   time  film      reason",
        "done    1:05  film.mp4",
        "failed  1:05  b.mkv     The film has no sound.",
    ]


def test_a_failed_step_speaks_for_a_silent_job():
    assert jobs.job_error(job("failed", [step(state="failed", error=DEAF)])) == DEAF
    assert jobs.job_sentence(job("failed", [step(state="failed", error=DEAF)]), "f", reason=True) == (
        "f: failed in asr after 1:05: The film has no sound."
    )


def test_exit_codes_tell_failure_from_what_is_missing():
    missing = job("failed", error=replace(DEAF, kind=ErrorKind.MISSING))
    assert jobs.exit_code([job("done")]) is ExitCode.DONE
    assert jobs.exit_code([job("done"), job("failed", error=DEAF)]) is ExitCode.JOB_FAILED
    assert jobs.exit_code([job("cancelled")]) is ExitCode.JOB_FAILED
    assert jobs.exit_code([job("done"), missing]) is ExitCode.MISSING
    assert jobs.exit_code([missing, job("failed", error=DEAF)]) is ExitCode.JOB_FAILED


def test_live_lines_show_the_busy_films_first_and_count_the_rest():
    reports = [
        job("queued", fraction=0.0),
        job("done"),
        job(steps=[step(state="running")]),
        *[job("queued")] * 5,
    ]
    labels = [f"f{i}" for i in range(len(reports))]
    rows = jobs.live_table(reports, labels, 3).rows
    assert rows[0] == ("━" * 8 + "─" * 12, "40%", "1:05", "", "asr", "f2")
    assert [row[-1] for row in rows] == ["f2", "f0", "and 5 more films"]


def test_the_time_that_is_left_stands_with_each_film_and_with_all() -> None:
    reports = [
        job(left_ms=175_000, steps=[step(state="running")]),
        job("queued", left_ms=760_000),
        job("done", left_ms=0),
    ]
    rows = jobs.live_table(reports, ["f0", "f1", "f2"], 10).rows
    assert [(row[3], row[-1]) for row in rows] == [
        ("3 min left", "f0"),
        ("13 min left", "f1"),
        ("13 min left", "2 films to go"),
    ]
    assert [row[-1] for row in jobs.live_table(reports, ["f0", "f1", "f2"], 2).rows] == ["f0", "f1"]
    many = [*reports, *reports]
    rows = jobs.live_table(many, [f"f{number}" for number in range(6)], 3).rows
    assert [row[-1] for row in rows] == ["f0", "and 3 more films", "4 films to go"]


def test_of_all_nothing_is_told_where_one_is_not_known() -> None:
    reports = [job(left_ms=175_000), job("queued")]
    assert jobs.batch_left(reports) == ""
    assert jobs.batch_left(reports[:1]) == ""
    assert [row[3] for row in jobs.live_table(reports, ["f0", "f1"], 10).rows] == ["3 min left", ""]


def test_a_narrow_terminal_shows_the_bar_line_without_what_does_not_fit() -> None:
    table = jobs.live_table(
        [job(left_ms=175_000, steps=[step(state="running")])], ["a film with a long name"], 9
    )
    usual, small, tiny = (plain(lay_out(table, limit)[1]) for limit in (80, 60, 40))
    assert "━" in usual
    assert all("3 min left" in line for line in (usual, small))
    assert len(tiny) <= 40
    assert all("40%" in line for line in (usual, small, tiny))


def test_a_status_shows_the_time_that_is_left_and_drops_it_on_a_narrow_terminal() -> None:
    reports = [job(left_ms=175_000), job("held", left_ms=None), job("done", left_ms=0)]
    table = jobs.status_table(reports, parse_iso_ms(CREATED) / 1000)
    assert [row[-2] for row in table.rows] == ["3 min", "", ""]
    assert "left" in plain(lay_out(table, None)[0])
    assert all(len(plain(line)) <= 80 for line in lay_out(table, 80))


def test_below_the_table_stands_when_all_are_done() -> None:
    going = (job(left_ms=30_000), job("queued", left_ms=90_000))
    assert jobs.all_left(StatusReport(jobs=going, left_ms=90_000)) == "all jobs: about 1.5 min left"
    assert jobs.all_left(StatusReport(jobs=going[1:], left_ms=90_000)) == ""
    assert jobs.all_left(StatusReport(jobs=going[:1], left_ms=90_000)) == "all jobs: about 1.5 min left"
    assert jobs.all_left(StatusReport(jobs=going, left_ms=None)) == ""
    assert jobs.all_left(StatusReport(jobs=(job("done"),), left_ms=0)) == ""


SRT = (
    "\ufeff1\r\n00:00:03,000 --> 00:00:05,120\r\nGuten Tag,\r\nHerr Maier.\r\n\r\n"
    "2\r\n00:00:06,000 --> 00:00:07,000\r\nJa.\r\n"
)


def test_first_cues_are_one_line_each():
    assert jobs.first_cues(SRT) == [
        "00:00:03,000 --> 00:00:05,120  Guten Tag, Herr Maier.",
        "00:00:06,000 --> 00:00:07,000  Ja.",
    ]
    assert jobs.first_cues(SRT, 1) == ["00:00:03,000 --> 00:00:05,120  Guten Tag, Herr Maier."]
    assert jobs.first_cues("") == []


@pytest.mark.parametrize("limit", [80, 120])
def test_a_job_s_steps_say_on_which_node_they_are_done_on_every_screen(limit):
    shown = job(steps=[step("demux", "done"), step(state="running", node="big-box", note="n" * 90)])
    _, here, there = (plain(line) for line in lay_out(jobs.steps_table(shown), limit))
    assert "whisperx on big-box" in there
    assert " on " not in here
    assert len(there) <= limit


@pytest.mark.parametrize("limit", [80, 100, 120])
def test_the_list_of_jobs_says_which_node_does_what_on_every_screen(limit):
    shown = [job(steps=[step(state="running", node="big-box", running_ms=12_000)])]
    table = jobs.status_table(shown, parse_iso_ms(CREATED) / 1000 + 120)
    row = plain(lay_out(table, limit)[1])
    assert "asr on big-box" in row
    assert len(row) <= limit
