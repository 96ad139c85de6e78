"""What a dry run shows."""

from __future__ import annotations

from clients.screen.forecast import film_sentence, models_table, plan_table, whole_sentences
from clients.screen.table import lay_out, plain
from protocol.jobs.dry_run import DryRunReport, FilmForecast, ModelForecast, StepForecast

ASR = StepForecast(
    name="asr",
    stage="asr",
    environment="whisperx",
    model="whisper-base",
    reasons=("device cpu: no GPU was found.", "compute_type int8: the quickest on a processor"),
    takes_ms=40_000,
)
FILM = FilmForecast(media="/f.mkv", workflow="subtitle", steps=(ASR,), length_ms=600_000, takes_ms=64_000)
MODEL = ModelForecast(environment="whisperx", model="whisper-base", bytes=210_000_000, loaded=True)


def test_a_film_is_named_with_its_length_and_how_long_it_takes() -> None:
    assert film_sentence(FILM, "f.mkv") == "f.mkv (00:10:00): subtitle, about 1 min"
    unknown = FilmForecast(media="/f.mkv", workflow="subtitle")
    assert film_sentence(unknown, "f.mkv") == "f.mkv: subtitle, how long: not known yet on this machine"


def test_every_step_stands_with_who_does_it_with_what_and_why() -> None:
    header, row = (plain(line) for line in lay_out(plan_table(FILM), None))
    assert header.split() == ["step", "environment", "model", "time", "why"]
    assert row.split()[:5] == ["asr", "whisperx", "whisper-base", "40.0", "s"]
    assert row.endswith("device cpu: no GPU was found; compute_type int8: the quickest on a processor")
    assert all(len(plain(line)) <= 60 for line in lay_out(plan_table(FILM), 60))


def test_a_model_stands_with_its_memory() -> None:
    report = DryRunReport(films=(FILM,), models=(MODEL, ModelForecast(
        environment="nllb", model="nllb-600m", bytes=0, loaded=False
    )))  # fmt: skip
    rows = models_table(report).rows
    assert rows[0] == ("whisper-base", "whisperx", "210 MB", "yes")
    assert rows[1][2:] == ("?", "no")


def test_at_the_end_stands_what_everything_takes() -> None:
    report = DryRunReport(
        films=(FILM, FILM), models=(MODEL,), takes_ms=120_000, waits_ms=30_000, memory_bytes=210_000_000
    )
    assert whole_sentences(report) == [
        "2 films: about 2 min",
        "other jobs that go on take about 30 s",
        "memory: about 210 MB for models, libraries not counted",
    ]
    assert whole_sentences(DryRunReport(films=(FILM,), waits_ms=0)) == []
    assert "is not known" in whole_sentences(DryRunReport(films=(FILM,)))[0]
