"""Check one subtitle file: `python -I -m workers.engines.common.qc FILE`, what `cpw qc` runs.

Writes one line, or with `--json` one document, to stdout. Ends with 0 where the file is as it should be,
1 where it is not, 2 where it could not be checked; then the document is `{"error": {...}}`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from protocol.errors import CpwError
from protocol.languages import find_language
from protocol.stages.demux import MediaFacts
from protocol.timeline import UNDETERMINED
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.quality import check, to_report
from workers.engines.common.film.probe import probe
from workers.engines.common.formats.reading import language_in_name, read_subtitles
from workers.engines.common.one_answer import answer, refusal

__all__ = ["examine", "main"]


def examine(file: Path, *, film: Path | None = None, profile: str = "netflix", language: str = "") -> Any:
    """Return the quality report of a subtitle file as plain values.

    `film` gives the frame rate and the length; `language` is asked of the file's name where it is empty.
    Raises `InputError` for a file that cannot be read, `UsageError` for an unknown profile or language.
    """
    spoken = find_language(language).code if language else language_in_name(file)
    facts = probe(film).facts if film is not None else None
    rate = facts.frames_per_second if facts is not None else None
    rules = rules_for(
        profile,
        spoken,
        frames_per_second=rate,
        media_duration_ms=facts.duration_ms if facts is not None else 0,
    )
    hint = "" if spoken == UNDETERMINED else spoken
    subtitles = read_subtitles(file, frames_per_second=rate, language=hint)
    violations = check(subtitles.cues, rules, resolution_ms=subtitles.resolution_ms)
    return to_report(
        subtitles.cues,
        rules,
        violations,
        profile=profile,
        provenance={
            "file": str(file),
            "format": subtitles.format,
            "encoding": subtitles.encoding,
            "film": _film(film, facts),
        },
    )


def _film(film: Path | None, facts: MediaFacts | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {
        "file": str(film),
        "frames_per_second": facts.frames_per_second,
        "duration_ms": facts.duration_ms,
    }


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="qc", description="Check a subtitle file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--profile", default="netflix")
    parser.add_argument("--language", default="")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    try:
        report = examine(asked.file, film=asked.film, profile=asked.profile, language=asked.language)
    except CpwError as error:
        answer(refusal(error) if asked.json else error.message)
        return 2
    except KeyboardInterrupt:
        return 130
    told = f"cues: {report['cue_count']}, {report['sentence'] or 'as they should be'}"
    answer(report if asked.json else told)
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
