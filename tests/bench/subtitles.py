"""Our cues against those of whisperx's own writer, from the same words, by the same rules.

`make bench-subtitles` prints a table for film_en.mp4 and for two hours of FLORES sentences in each of four
scripts: ours; whisperx with `--max_line_width 42 --max_line_count 2`; whisperx as it is. It fails where ours
break a rule that can always be kept: lines, overlaps, gaps, durations.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pysubs2

import envspecs
from protocol.languages import language_name
from protocol.schema import from_plain
from protocol.subtitles.rules import INFORMING, QUALITY_RULES
from protocol.timeline import Cue, Transcript, Word
from tests.bench.figures import Sheet
from tests.data import DATA, ROOT
from tests.real_house import RealHouse
from tests.word_streams import hours_of
from workers.engines.common.cues.checking.quality import check
from workers.engines.common.cues.cut import cut
from workers.engines.common.cues.phrases import border_cost, count_graphemes
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.formats.srt_vtt import to_srt

FLORES = {"en": "eng", "hi": "hin", "ur": "urd", "ta": "tam"}
WORDS = 20_000
CUT_LIMIT = 60.0
"""Measured: 40. The writer fills lines from the left, ours are the best of all cuts (docs/adr/0016)."""
ASKED = {"max_line_width": 42, "max_line_count": 2, "highlight_words": False}
DEFAULT = {"max_line_width": None, "max_line_count": None, "highlight_words": False}
COLUMNS = ("ours", "whisperx 42x2", "whisperx default")
RULES_SHOWN = {
    "line_count": "cues over 2 lines",
    "max_duration": "cues over 7 s",
    "min_duration": "cues under 833 ms",
    "gap": "gaps under 2 frames",
    "overlap": "overlaps",
    "past_end": "cues past the film's end",
    "reading_speed": "cues too fast to read",
}
HARD = frozenset(QUALITY_RULES) - INFORMING - {"reading_speed", "word_time"}
"""What ours may never break, as the words leave room; how fast they are said is not ours."""
_PHRASE = 20
"""`border_cost` of two words that nothing holds together; what is more is inside a phrase."""

Written = tuple[str, float]
"""SRT, and the seconds of the processor that it took."""


@dataclass(frozen=True, kw_only=True)
class Speech:
    """What is said in a film, by sentences, and the rules for its cues."""

    name: str
    sentences: tuple[tuple[Word, ...], ...]
    rules: CueRules

    def words(self) -> tuple[Word, ...]:
        return tuple(word for sentence in self.sentences for word in sentence)


def film_en() -> Speech:
    """Recognise film_en.mp4 in a house of its own."""
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name)) as house:
        house.up()
        _, jobs = house.subtitled(str(DATA / "film" / "film_en.mp4"))
        folder = Path(jobs[0]["outputs"][0]).parents[1]
        (path,) = (*folder.glob("*_clean/transcript.json"),)
        transcript = from_plain(Transcript, json.loads(path.read_text()))
        (report,) = (*folder.glob("*_subtitle/*.en.qc.json"),)
        duration_ms = json.loads(report.read_text())["media_duration_ms"]
    return Speech(
        name="film_en.mp4",
        sentences=tuple(segment.words for segment in transcript.segments),
        rules=rules_for("netflix", "en", media_duration_ms=duration_ms),
    )


def two_hours(language: str) -> Speech:
    """Return FLORES's sentences, again and again, said in two hours."""
    lines = (DATA / "mt" / f"flores200.{FLORES[language]}.devtest").read_text(encoding="utf-8").splitlines()
    sentences = hours_of(language, 2, WORDS, [line.replace('""', '"').strip('"') for line in lines])
    return Speech(
        name=f"two hours of FLORES, {language_name(language)}",
        sentences=tuple(sentences),
        rules=rules_for("netflix", language, media_duration_ms=7_202_000),
    )


def whisperx(speeches: Sequence[Speech]) -> list[Written]:
    """Return what whisperx's writer writes: for each speech as asked, then by default."""
    jobs = [
        {
            "language": speech.rules.language,
            "segments": [*map(_segment, speech.sentences)],
            "options": options,
        }
        for speech in speeches
        for options in (ASKED, DEFAULT)
    ]
    script = Path(__file__).with_name("peers") / "whisperx_writer.py"
    command = [str(envspecs.interpreter("whisperx")), str(script)]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(jobs).encode(), check=True, stdout=subprocess.PIPE
    )
    return [(text, seconds) for text, seconds in json.loads(done.stdout)]


def _segment(words: Sequence[Word]) -> dict[str, object]:
    return {
        "start": words[0].start_ms / 1_000,
        "end": words[-1].end_ms / 1_000,
        "text": " ".join(word.text for word in words),
        "words": [
            {"word": word.text, "start": word.start_ms / 1_000, "end": word.end_ms / 1_000} for word in words
        ],
    }


def read(srt: str) -> list[Cue]:
    """Return the cues of a file, their lines without the spaces at their ends, which nobody sees."""
    return [
        Cue(start_ms=event.start, end_ms=event.end, lines=tuple(map(str.strip, event.plaintext.split("\n"))))
        for event in pysubs2.SSAFile.from_string(srt, format_="srt")
    ]


def rows(cues: Sequence[Cue], rules: CueRules) -> dict[str, str]:
    """Return what the table says of the cues."""
    found = check(cues, rules)
    lines = [line for cue in cues for line in cue.lines]
    longest = max(cue.end_ms - cue.start_ms for cue in cues)
    within = [pair for cue in cues for pair in itertools.pairwise(cue.lines)]
    between = [(one.lines[-1], two.lines[0]) for one, two in itertools.pairwise(cues)]
    long_lines = sum(count_graphemes(line) > rules.max_line_graphemes for line in lines)
    broken = {
        name: _share(sum(finding.rule == rule for finding in found), len(cues))
        for rule, name in RULES_SHOWN.items()
    }
    return {
        "cues": str(len(cues)),
        "longest cue": f"{longest / 1_000:.1f} s",
        "lines over 42": _share(long_lines, len(lines)),
        **broken,
        "line breaks after an article": _share(sum(_is_article(pair, rules) for pair in within), len(within)),
        "line breaks inside a phrase": _share(sum(_is_inside(pair, rules) for pair in within), len(within)),
        "cue ends inside a phrase": _share(sum(_is_inside(pair, rules) for pair in between), len(between)),
    }


def _is_article(lines: tuple[str, str], rules: CueRules) -> bool:
    return rules.language == "en" and lines[0].lower().split()[-1:] in (["a"], ["an"], ["the"])


def _is_inside(lines: tuple[str, str], rules: CueRules) -> bool:
    before, after = (line.split() for line in lines)
    return bool(before and after) and border_cost(before[-1], after[0], rules.language) > _PHRASE


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.1f} %)" if count else "0"


def table(name: str, columns: Sequence[dict[str, str]]) -> str:
    """Return the columns side by side under their names."""
    lines = [[name, *COLUMNS], *([row, *(column[row] for column in columns)] for row in columns[0])]
    return "".join(f"{first:<34}" + "".join(f"{cell:>18}" for cell in rest) + "\n" for first, *rest in lines)


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """What came of a speech: seconds for ours and for whisperx's writer, and what breaks a hard rule."""

    ours_s: float
    theirs_s: float
    faults: tuple[str, ...]


def compare(speech: Speech, asked: Written, default: Written) -> Cutting:
    """Cut the speech, print the three columns, and return what is judged."""
    words = speech.words()
    begun = time.process_time()
    cues = cut(words, speech.rules)
    srt = to_srt(cues)
    ours_s = time.process_time() - begun
    found = check(cues, speech.rules, words)
    files = [read(srt), read(asked[0]), read(default[0])]
    sys.stdout.write(table(speech.name, [rows(file, speech.rules) for file in files]))
    fast = [violation for violation in found if violation.rule == "reading_speed"]
    known = sum(bool(violation.reason) for violation in fast)
    sys.stdout.write(
        f"ours: {len(words)} words cut in {ours_s:.2f} s; of {len(fast)} cues too fast to read, {known} "
        "because the speech is, or because the next follows at once\n\n"
    )
    faults = tuple(f"{speech.name}: {violation}" for violation in found if violation.rule in HARD)
    return Cutting(ours_s=ours_s, theirs_s=asked[1], faults=faults)


def main() -> int:
    """Measure, print, judge."""
    speeches = [film_en(), *map(two_hours, FLORES)]
    theirs = iter(whisperx(speeches))
    cuttings = [compare(speech, next(theirs), next(theirs)) for speech in speeches]
    faults = [fault for cutting in cuttings for fault in cutting.faults]
    sys.stdout.write("".join(f"FAULT {fault}\n" for fault in faults))
    sheet = Sheet("make bench-subtitles")
    sheet.add("cues that break a rule which can be kept", [len(faults)], limit=0, unit="cues")
    long = cuttings[1:]
    sheet.add(
        "cues of two hours against whisperx's writer",
        [cutting.ours_s for cutting in long],
        [cutting.theirs_s for cutting in long],
        limit=CUT_LIMIT,
    )
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
