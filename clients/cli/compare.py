"""`cpw compare`: two jobs of one film side by side, or subtitles against a reference."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from clients.cli.envs import SPOKEN
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.comparing import shown
from clients.comparing.references import notes_of, read_both, said_in, worst_lines
from clients.comparing.scoring import TASK, measure
from clients.comparing.sides import Side, both_sides, check_same_film
from clients.comparing.texts import PairedTexts, TextComparison, compare_texts, pair_texts
from clients.comparing.timing import compare_times
from clients.desk import Desk
from clients.screen.report import Report
from clients.screen.text import count
from clients.word_errors import Comparison, compare_transcripts
from envspecs.__main__ import Terminal
from envspecs.builds.build import build
from envspecs.builds.installed import build_state
from envspecs.choosing import program_for
from envspecs.setup.defaults import is_off
from protocol.errors import BugError, CpwError, DiskFullError, ExitCode, UsageError
from protocol.languages import find_tag, language_name
from protocol.schema import to_plain
from protocol.subtitles.comparing import CuePair, ScoreOrder, Scores

__all__ = ["compare"]

_LINES = 10
_SIZE = "90 MB"
"""What the libraries take on the disk; most of it is numpy."""


@click.command(context_settings=CONTEXT)
@click.argument("first", metavar="JOB_A")
@click.argument("second", metavar="[JOB_B]", required=False, default="")
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with this subtitle file; JOB_A may then be a subtitle file, too.",
)
@click.option(
    "-l", "--language", default="", metavar="LANG", help="Default: the reference's; of two jobs all."
)
@click.option(
    "--lines",
    type=click.IntRange(min=0),
    default=_LINES,
    show_default=True,
    help="How many lines that differ to show, the most different first.",
)
@json_option
@pass_desk
def compare(desk: Desk, /, first: str, second: str, *, as_json: bool, **written: Any) -> ExitCode:
    """Compare two jobs of one film, or subtitles with a reference.

    Of two jobs: where their transcripts and translations differ, chrF, doubts, times and versions. Of a
    reference: word error rate, chrF++, SubER, how the times lie, and the worst lines.
    """
    reference: Path | None = written["reference"]
    language, lines = written["language"], written["lines"]
    if reference is not None and second:
        raise UsageError("--reference is compared with one job or file, and you named two.", "Leave one out.")
    if reference is not None:
        document: _Reference | _Jobs = _Reference(desk, first, reference, language, lines)
    elif second:
        document = _Jobs(desk, first, second, language, lines)
    else:
        remedy = "cpw compare JOB_A JOB_B; cpw compare JOB --reference FILE.srt"
        raise UsageError(f"There is nothing to compare {first} with.", remedy)
    if as_json:
        desk.report.json(document.plain())
    else:
        document.show()
    for note in document.notes:
        desk.report.remark(f"note: {note}")
    return ExitCode.DONE


class _Jobs:
    """Two jobs of one film."""

    def __init__(self, desk: Desk, first: str, second: str, language: str, lines: int) -> None:
        self._report = desk.report
        self._lines = lines
        self._a, self._b = both_sides(desk, first, second)
        note = check_same_film(self._a, self._b)
        self.notes = [note] if note else []
        languages = _shared_languages(self._a, self._b, language)
        both = {name: (self._a.transcripts[name], self._b.transcripts[name]) for name in languages}
        self._words = {name: compare_transcripts(*pair) for name, pair in both.items()}
        paired: dict[str, PairedTexts] = {
            name: pair_texts(*pair) for name, pair in both.items() if any(x.translated_from for x in pair)
        }
        scores = None
        if paired:
            order = ScoreOrder(texts=tuple(texts.texts for texts in paired.values()))
            scores = _measured(desk, order, self.notes, "chrF was")
        self._signatures = scores.signatures if scores is not None else ()
        found = dict(zip(paired, scores.texts, strict=True)) if scores is not None else {}
        self._texts = {
            name: self._noted(name, compare_texts(*pair, paired.get(name), found.get(name)))
            for name, pair in both.items()
        }

    def _noted(self, language: str, text: TextComparison) -> TextComparison:
        a, b = (side.notes.get(language, "") for side in (self._a, self._b))
        return replace(text, a=replace(text.a, note=a), b=replace(text.b, note=b))

    def plain(self) -> dict[str, Any]:
        """Return the document."""
        texts = {
            name: {
                **to_plain(replace(text, different=text.different[: self._lines])),
                "different_lines": len(text.different),
            }
            for name, text in self._texts.items()
        }
        return {
            "jobs": [_facts(self._a), _facts(self._b)],
            "comparisons": {name: to_plain(comparison) for name, comparison in self._words.items()},
            "texts": texts,
            "signatures": self._signatures,
            "notes": self.notes,
        }

    def show(self) -> None:
        """Write the tables and the lines."""
        self._report.table(shown.jobs_table(self._a, self._b))
        for language, comparison in self._words.items():
            self._report.line("")
            self._report.lines(shown.word_sentences(language, comparison))
            self._show_text(comparison, self._texts[language])

    def _show_text(self, words: Comparison, text: TextComparison) -> None:
        table = shown.made_table(text)
        if table is not None:
            self._report.table(table, indent="  ")
        self._report.lines(shown.note_lines(text, self._report.columns))
        if not text.lines:
            self._report.lines(shown.word_lines(words, self._report.columns))
            return
        self._report.line(shown.text_sentence(text))
        different = text.different[: self._lines]
        self._report.lines(shown.different_lines(different, self._report.columns))
        _tell_rest(self._report, len(text.different) - len(different))


class _Reference:
    """A job's track, or a file, and its reference."""

    def __init__(self, desk: Desk, word: str, reference: Path, language: str, lines: int) -> None:
        self._report = desk.report
        self._lines = lines
        other, meant = read_both(desk, word, reference, language)
        self._other, self._meant = other, meant
        words = compare_transcripts(said_in(meant), said_in(other))
        timing = compare_times(meant.cues, other.cues, meant.language)
        self.notes = list(notes_of(meant, other, timing, words))
        pair = CuePair(reference=meant.cues, other=other.cues, language=meant.language)
        scores = _measured(desk, ScoreOrder(cues=pair), self.notes, "chrF++ and SubER were")
        self._signatures = scores.signatures if scores is not None else ()
        self._figures = shown.FileFigures(
            words=words,
            graphemes=compare_transcripts(said_in(meant), said_in(other), by_graphemes=True),
            timing=timing,
            scores=scores.cues if scores is not None else None,
        )
        self._worst = worst_lines(meant, other, self._figures.scores)

    def plain(self) -> dict[str, Any]:
        """Return the document."""
        figures = self._figures
        return {
            "file": _file_facts(self._other),
            "reference": _file_facts(self._meant),
            "words": _rates(figures.words),
            "graphemes": _rates(figures.graphemes),
            "chrf": figures.scores.chrf if figures.scores is not None else None,
            "suber": figures.scores.suber if figures.scores is not None else None,
            "timing": to_plain(figures.timing),
            "different_lines": len(self._worst),
            "lines": to_plain(self._worst[: self._lines]),
            "signatures": self._signatures,
            "notes": self.notes,
        }

    def show(self) -> None:
        """Write the tables and the lines."""
        report = self._report
        report.table(shown.files_table(self._meant, self._other))
        report.line("")
        report.table(shown.figures_table(self._figures))
        report.line("")
        report.table(shown.times_table(self._figures.timing))
        if self._worst:
            report.line("")
            report.line(f"{count(len(self._worst), 'line')} differ: R is the reference, F the file")
        worst = self._worst[: self._lines]
        report.lines(shown.worst_lines(worst, report.columns))
        _tell_rest(report, len(self._worst) - len(worst))


def _tell_rest(report: Report, left: int) -> None:
    if left:
        report.remark(f"note: {left} more; --lines N shows N of them")


def _shared_languages(a: Side, b: Side, language: str) -> list[str]:
    shared = [name for name in a.transcripts if name in b.transcripts]
    asked = str(find_tag(language)) if language else ""
    jobs = f"{a.report.job} and {b.report.job}"
    if not shared:
        message = f"{jobs} have no transcript in the same language."
        raise UsageError(message, "Compare jobs of one film after both have a transcript; see: cpw status")
    if asked and asked not in shared:
        message = f"{jobs} have no transcript in {language_name(asked)} both."
        raise UsageError(message, f"Both have: {', '.join(shared)}")
    return [asked] if asked else shared


def _measured(desk: Desk, order: ScoreOrder, notes: list[str], what: str) -> Scores | None:
    """Have the order measured; what is needed for it is built first, once.

    None, and a note, where that cannot be.
    """
    try:
        spec, _ = program_for(TASK, desk.home)
    except UsageError as error:
        notes.append(f"{what} not measured: {error.message}")
        return None
    if build_state(spec, desk.home) == "missing":
        remedy = f"cpw envs build {spec.name}"
        if is_off(os.environ):
            notes.append(f"{what} not measured: {remedy} builds what measures it ({_SIZE})")
            return None
        desk.report.remark(f"{spec.name} measures chrF and SubER; it is built now, once ({_SIZE})")
        try:
            build(spec, Terminal(SPOKEN), desk.home)
        except DiskFullError:
            raise
        except CpwError as error:
            reason = " ".join(error.message.split())
            notes.append(f"{what} not measured, {spec.name} could not be built: {reason} Again: {remedy}")
            return None
    try:
        return measure(desk.home, order)
    except BugError as error:
        # What the libraries cannot do keeps nobody from the rest.
        notes.append(f"{what} not measured: {error.message} Try: {error.remedy}")
        return None


def _facts(side: Side) -> dict[str, Any]:
    return {
        "job": side.report.job,
        "media": side.report.media,
        "environments": side.environments,
        "models": side.models,
        "durations_ms": {step.name: step.duration_ms for step in side.report.steps},
    }


def _file_facts(track: Any) -> Mapping[str, Any]:
    plain = to_plain(track)
    return {**{name: plain[name] for name in plain if name != "cues"}, "cues": len(track.cues)}


def _rates(comparison: Comparison) -> Mapping[str, Any]:
    return {
        "reference": comparison.words_a,
        "file": comparison.words_b,
        "different": comparison.substituted,
        "missing": comparison.missing,
        "added": comparison.added,
        "error_rate": comparison.error_rate,
    }
