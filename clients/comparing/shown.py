"""What was compared, as tables and lines of the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.comparing.references import WorstLine
from clients.comparing.sides import Side
from clients.comparing.texts import DifferentLine, Made, TextComparison
from clients.comparing.timing import NEAR_MS, Offsets, Timing
from clients.screen.table import Column, Table
from clients.screen.text import clock, duration, width, wrap
from clients.word_errors import Comparison
from protocol.languages import language_name
from protocol.subtitles.comparing import CueScores, TrackFile
from protocol.subtitles.doubts import DOUBTS

__all__ = [
    "FileFigures",
    "different_lines",
    "figures_table",
    "files_table",
    "jobs_table",
    "made_table",
    "note_lines",
    "text_sentence",
    "times_table",
    "word_lines",
    "word_sentences",
    "worst_lines",
]

_MAIN = ("whisperx", "mlx-whisper", "torch", "transformers", "ctranslate2")
_LEAST_CELLS = 24


@dataclass(frozen=True, kw_only=True)
class FileFigures:
    """All that was measured of a file against its reference."""

    words: Comparison
    graphemes: Comparison
    timing: Timing
    scores: CueScores | None
    """None: nobody could measure it."""


def jobs_table(a: Side, b: Side) -> Table:
    """Return what the two jobs were done with."""
    rows = [("job", a.report.job, b.report.job), ("film", _film(a), _film(b))]
    rows.append(("language", language_name(a.spoken), language_name(b.spoken)))
    names = [step.name for step in a.report.steps if step.duration_ms is not None]
    rows += [(name, _step(a, name), _step(b, name)) for name in names]
    rows.append(("versions", _versions(a), _versions(b)))
    return _side_by_side(rows)


def _side_by_side(rows: Iterable[tuple[str, str, str]], first: str = "A", second: str = "B") -> Table:
    columns = (Column(title=""), Column(title=first, least=20), Column(title=second, least=20))
    return Table(columns=columns, rows=tuple(rows))


def _film(side: Side) -> str:
    return Path(side.report.media).name


def _step(side: Side, name: str) -> str:
    """Return the step's environment, model and duration."""
    step = next((step for step in side.report.steps if step.name == name), None)
    if step is None or step.duration_ms is None:
        return "-"
    model = side.models.get(name, "")
    return " ".join(part for part in (step.environment, model, duration(step.duration_ms)) if part)


def _versions(side: Side) -> str:
    """Return the versions of the main libraries in the environments that the job used."""
    found = {
        f"{name} {version}": None
        for entry in side.environments.values()
        for name, version in entry.get("versions", {}).items()
        if name in _MAIN
    }
    return ", ".join(found) or "-"


def word_sentences(language: str, comparison: Comparison) -> list[str]:
    """Return how many words each has, and how far they are apart."""
    unit = "grapheme" if comparison.by_graphemes else "word"
    lines = [f"{language_name(language)}: A has {comparison.words_a} {unit}s, B {comparison.words_b}"]
    if comparison.error_rate is not None:
        lines.append(f"{unit} error rate of B against A: {_rate(comparison)}")
    if comparison.start_difference_ms is not None:
        median, most = comparison.start_difference_ms
        lines.append(f"equal {unit}s start {median} ms apart (median), 95 % of them within {most} ms")
    return lines


def _rate(comparison: Comparison) -> str:
    if comparison.error_rate is None:
        return "-"
    counts = f"{comparison.substituted} different, {comparison.missing} missing, {comparison.added} added"
    return f"{comparison.error_rate:.3f} ({counts})"


def word_lines(comparison: Comparison, columns: int | None) -> list[str]:
    """Return the places where the two say different words."""
    return [
        line
        for difference in comparison.differences
        for line in _two_texts(
            (f"{clock(difference.start_ms)}  A", difference.a), ("B", difference.b), columns
        )
    ]


def made_table(comparison: TextComparison) -> Table | None:
    """Return who made the two texts and what is doubted in them; None where there is nothing to say."""
    a, b = comparison.a, comparison.b
    rows = [("made by", _engines(a), _engines(b)), ("model", a.model or "-", b.model or "-")]
    if a.translated_from or b.translated_from:
        rows.append(("from", _origin(a), _origin(b)))
    else:
        # What was heard says above with what.
        rows = []
    for kind in dict.fromkeys([*a.marks, *b.marks]):
        told = DOUBTS.get(kind, kind.replace("-", " "))
        rows.append((told, str(a.marks.get(kind, 0)), str(b.marks.get(kind, 0))))
    if not a.marks and not b.marks and rows:
        rows.append(("doubtful", "0", "0"))
    return _side_by_side(rows) if rows else None


def _engines(made: Made) -> str:
    if len(made.engines) == 1:
        return next(iter(made.engines)) or "-"
    return ", ".join(f"{name or 'as it was'} {count}" for name, count in made.engines.items()) or "-"


def _origin(made: Made) -> str:
    return language_name(made.translated_from) if made.translated_from else "as it was heard"


def note_lines(comparison: TextComparison, columns: int | None) -> list[str]:
    """Return what the steps that made the two texts say of their work; nothing where they say nothing."""
    if not comparison.a.note and not comparison.b.note:
        return []
    return _two_texts(("A", comparison.a.note or "-"), ("B", comparison.b.note or "-"), columns)


def text_sentence(comparison: TextComparison) -> str:
    """Return how near the two texts are."""
    differ = f"{len(comparison.different)} of {comparison.lines} lines differ"
    if comparison.chrf is None:
        return differ
    return f"chrF of B against A: {comparison.chrf:.1f} (100 is the same text); {differ}"


def different_lines(lines: Sequence[DifferentLine], columns: int | None) -> list[str]:
    """Return the lines that two translations have otherwise, each with its chrF."""
    return [
        shown
        for line in lines
        for shown in _two_texts((f"{_place(line.start_ms, line.chrf)}  A", line.a), ("B", line.b), columns)
    ]


def worst_lines(lines: Sequence[WorstLine], columns: int | None) -> list[str]:
    """Return the lines of a reference (R), each with what the file (F) says in its place and its chrF++."""
    return [
        shown
        for line in lines
        for shown in _two_texts(
            (f"{_place(line.start_ms, line.chrf)}  R", line.reference), ("F", line.text), columns
        )
    ]


def _place(start_ms: int, chrf: float | None) -> str:
    return clock(start_ms) if chrf is None else f"{clock(start_ms)}  {chrf:5.1f}"


def _two_texts(first: tuple[str, str], second: tuple[str, str], columns: int | None) -> list[str]:
    """Return two texts, one below the other, each under its own beginning where it takes several lines."""
    edge = width(first[0])
    room = None if columns is None else max(_LEAST_CELLS, columns - edge - 4)
    lines = []
    for mark, text in (first, second):
        pieces = wrap(text, room)
        lines.append(f"  {mark:>{edge}}  {pieces[0]}".rstrip())
        lines += [f"  {'':{edge}}  {piece}" for piece in pieces[1:]]
    return lines


def files_table(reference: TrackFile, other: TrackFile) -> Table:
    """Return which two files are compared."""
    rows = [
        ("file", Path(other.file).name, Path(reference.file).name),
        ("language", language_name(other.language), language_name(reference.language)),
        ("cues", str(len(other.cues)), str(len(reference.cues))),
    ]
    return _side_by_side(rows, "file", "reference")


def figures_table(figures: FileFigures) -> Table:
    """Return the figures."""
    rows = [("word error rate", _rate(figures.words))] if not figures.words.by_graphemes else []
    rows.append(("grapheme error rate (CER)", _rate(figures.graphemes)))
    if figures.scores is not None:
        chrf = figures.scores.chrf
        rows.append(("chrF++", "-" if chrf is None else f"{chrf:.1f} (100 is the same text)"))
        rows.append(("SubER", f"{figures.scores.suber:.1f} (0 is the same file)"))
    rows.append(("cues missing", str(figures.timing.missing)))
    rows.append(("cues added", str(figures.timing.added)))
    return Table(columns=(Column(title="measure"), Column(title="figure")), rows=tuple(rows))


def times_table(timing: Timing) -> Table:
    """Return how the starts and ends of the cues lie against the reference's."""
    columns = (
        Column(title="times"),
        Column(title="found"),
        Column(title="median"),
        Column(title="90 % within"),
        Column(title=f"at most {NEAR_MS} ms"),
    )
    edges = {"starts": timing.starts, "ends": timing.ends}
    rows = tuple(_offsets(name, offsets, timing.reference_cues) for name, offsets in edges.items())
    return Table(columns=columns, rows=rows)


def _offsets(name: str, offsets: Offsets, cues: int) -> tuple[str, ...]:
    found = f"{offsets.found} of {cues}"
    if offsets.median_ms is None or offsets.near is None:
        return (name, found, "-", "-", "-")
    late = " later" if offsets.median_ms > 0 else " earlier" if offsets.median_ms < 0 else ""
    median = f"{abs(offsets.median_ms)} ms{late}"
    return (name, found, median, f"{offsets.within_90_ms} ms", f"{100 * offsets.near:.0f} %")
