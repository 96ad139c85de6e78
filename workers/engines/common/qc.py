"""Check one subtitle file: `python -I -m workers.engines.common.qc FILE`; `cpw qc` runs it.

Writes one line to stdout, or one document with `--json`. The exit code is 0 if the file is as it should be, 1
if it is not, and 2 if it could not be checked; then the document is `{"error": {...}}`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from protocol.errors import CpwError
from protocol.languages import find_tag
from protocol.subtitles.quality import BrokenLine, CheckedFilm, FileReport
from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.cues.checking.language import ForeignText, check_language, lines_of, with_language
from workers.engines.common.cues.checking.quality import check, to_report
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.film.probe import probe
from workers.engines.common.formats.reading.file_names import language_in_name
from workers.engines.common.formats.reading.files import SubtitleFile, read_subtitles
from workers.engines.common.formats.reading.frame_rates import frame_rate_of
from workers.engines.common.one_answer import answer, refusal
from workers.text.languages.model import has_library, judge_at
from workers.text.languages.stretches import Line, main_language
from workers.text.languages.telling import Judge

__all__ = ["examine", "main"]


def examine(
    file: Path,
    *,
    film: Path | None = None,
    profile: str = "netflix",
    language: str = "",
    judge: Judge | None = None,
) -> FileReport:
    """Return the quality report of a subtitle file.

    `film` gives the frame rate and the length; without it the file's times tell the rate, if they can. If
    `language` is empty, the file's name gives it, and if that does not, the text, by `judge`. `judge` also
    tells what of the text is in another language. Raises `InputError` if the file cannot be read,
    `UsageError` for an unknown profile or language.
    """
    spoken = str(find_tag(language)) if language else language_in_name(file)
    checked = _film(film) if film is not None else None
    of_film = checked.frames_per_second if checked is not None else None
    hint = "" if spoken == UNDETERMINED else spoken
    subtitles = read_subtitles(file, frames_per_second=of_film, language=hint)
    told_by = "option" if language else "name" if hint else ""
    if judge is not None and not hint:
        spoken = main_language(_lines(subtitles.cues), judge) or UNDETERMINED
        told_by = "text" if spoken != UNDETERMINED else ""
    foreign = _foreign(subtitles, spoken, judge)
    rate = of_film or frame_rate_of(subtitles.cues, subtitles.resolution_ms, subtitles.frames_per_second)
    rules = rules_for(
        profile,
        spoken,
        frames_per_second=rate,
        media_duration_ms=checked.duration_ms if checked is not None else 0,
    )
    violations = with_language(check(subtitles.cues, rules, resolution_ms=subtitles.resolution_ms), foreign)
    stretches = foreign.stretches if foreign is not None else None
    report = to_report(subtitles.cues, rules, violations, profile=profile, foreign=stretches)
    wrong = _told_lines(subtitles.broken)
    whole = replace(
        report, ok=report.ok and not wrong, sentence=", ".join(filter(None, (wrong, report.sentence)))
    )
    return FileReport(
        **vars(whole),
        file=str(file),
        format=subtitles.format,
        encoding=subtitles.encoding,
        film=checked,
        frames_per_second=rate,
        language_by=told_by,
        in_latin=foreign.in_latin if foreign is not None else 0,
        lines=subtitles.broken,
    )


def _lines(cues: Sequence[Cue]) -> list[Line]:
    return [Line(place=place, text="\n".join(cue.lines), language="") for place, cue in enumerate(cues)]


def _foreign(subtitles: SubtitleFile, language: str, judge: Judge | None) -> ForeignText | None:
    """Return what is in another language; None where nobody can tell."""
    if judge is None or language == UNDETERMINED:
        return None
    cues = subtitles.cues
    return check_language(cues, lines_of(cues, [language] * len(cues)), judge, subtitles.text_lines)


def _told_lines(broken: Sequence[BrokenLine]) -> str:
    """Return `line 12 has times that cannot be read`; of several lines, how many there are."""
    if not broken:
        return ""
    first = f"line {broken[0].line} has {broken[0].message}"
    others = len(broken) - 1
    return first + (f" ({others} more {'line is' if others == 1 else 'lines are'} wrong)" if others else "")


def _film(path: Path) -> CheckedFilm:
    facts = probe(path).facts
    return CheckedFilm(
        file=str(path), frames_per_second=facts.frames_per_second, duration_ms=facts.duration_ms
    )


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="qc", description="Check a subtitle file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--profile", default="netflix")
    parser.add_argument("--language", default="")
    parser.add_argument("--language-model", type=Path, help="Its folder; without it the text is not judged.")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    try:
        folder = asked.language_model
        judge = judge_at(folder) if folder is not None and has_library() else None
        report = examine(
            asked.file, film=asked.film, profile=asked.profile, language=asked.language, judge=judge
        )
    except CpwError as error:
        answer(refusal(error) if asked.json else error.message)
        return 2
    except KeyboardInterrupt:
        return 130
    told = f"cues: {report.cue_count}, {report.sentence or 'as they should be'}"
    answer(report if asked.json else told)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
