"""Our sentences and words against those of kept libraries, on lines that are labelled by hand.

`make bench-sentences` prints a table of errors by group (`tests/labelled/`): of sentences ours, pysbd's and
sentencex's; of words in scripts without spaces ours, ICU's and BudouX's alone. Two lines of FLORES after each
other, in seven languages, show what nobody has chosen: whether the end of the first is seen.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path

from tests.bench.figures import Sheet, skip
from tests.data import DATA, ROOT
from tests.labelled.lines import (
    SENTENCE_GROUPS,
    WORD_GROUPS,
    SentenceLine,
    WordLine,
    our_sentences,
    sentence_lines,
    word_lines,
    wrong_borders,
    wrong_ends,
)
from workers.engines.common.cues.word_breaks import find_borders

FLORES = {"en": "eng", "hi": "hin", "ur": "urd", "ta": "tam", "te": "tel", "gu": "guj", "pt": "por"}
PEERS = ("pysbd", "sentencex")
LIMIT = 0.5
"""Measured: 0 and 0.1. Where a library comes near, it is kept instead of ours (docs/adr/0023)."""
JOINS_LIMIT = 1.0
"""Measured: 0.62 of sentencex's; nobody chose these lines for ours."""
_FOLDER = ROOT / "build" / "splitters"


def peer_sentences(lines: Sequence[SentenceLine]) -> dict[str, list[list[str]]]:
    """Return the sentences that each peer sees in the lines; their environment is made at the first call."""
    python, peers = _FOLDER / "bin" / "python", Path(__file__).with_name("peers")
    asked = (peers / "splitters.txt").read_text(encoding="utf-8")
    made = _FOLDER / "made-of.txt"
    if not made.exists() or made.read_text(encoding="utf-8") != asked:
        venv.create(_FOLDER, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", peers / "splitters.txt"]
        subprocess.run(command, check=True)
        made.write_text(asked, encoding="utf-8")
    texts = json.dumps([(line.language, line.text) for line in lines])
    command = [python, peers / "splitters.py"]
    done = subprocess.run(command, input=texts.encode(), check=True, stdout=subprocess.PIPE)
    found: dict[str, list[list[str]]] = json.loads(done.stdout)
    return found


def joined_lines() -> list[SentenceLine]:
    """Return pairs of FLORES lines as one text each."""
    found = []
    for language, code in FLORES.items():
        text = (DATA / "mt" / f"flores200.{code}.devtest").read_text(encoding="utf-8")
        lines = [line.replace('""', '"').strip('"') for line in text.splitlines()]
        found += [
            SentenceLine(language=language, sentences=pair)
            for pair in zip(lines[::2], lines[1::2], strict=False)
        ]
    return found


def misses_join(line: SentenceLine, found: Sequence[str]) -> bool:
    """Return whether no sentence ends where the first line does."""
    first = len("".join(line.sentences[0].split()))
    return first not in accumulate(len("".join(sentence.split())) for sentence in found)


def sentence_errors() -> tuple[list[list[str]], list[int]]:
    """Return the rows of the table, and the sums of ours and of each peer."""
    rows, sums = [], [0, 0, 0]
    for group in SENTENCE_GROUPS:
        lines = sentence_lines(group)
        peers = peer_sentences(lines)
        counts = [sum(wrong_ends(line, our_sentences) for line in lines)]
        counts += [sum(map(_wrong, lines, peers[name])) for name in PEERS]
        rows.append([f"sentences, {group}", str(len(lines)), *map(str, counts)])
        sums = [before + count for before, count in zip(sums, counts, strict=True)]
    return rows, sums


def _wrong(line: SentenceLine, split: Sequence[str]) -> int:
    return wrong_ends(line, lambda *_: split)


def join_errors() -> tuple[list[str], list[int]]:
    """Return the row of the joined lines, and its counts."""
    lines = joined_lines()
    peers = peer_sentences(lines)
    splits = [[our_sentences(line.text, line.language) for line in lines], *(peers[name] for name in PEERS)]
    counts = [sum(map(misses_join, lines, split)) for split in splits]
    return ["FLORES, joined", str(len(lines)), *map(str, counts)], counts


Breaker = Callable[[WordLine], set[int] | None]
"""Takes a line, returns its borders; None where it does not know the language."""


def icu() -> Breaker:
    """Return ICU's word breaker."""
    from icu4py.breakers import WordBreaker

    return lambda line: set(accumulate(map(len, WordBreaker(line.text, line.language))))


def budoux() -> Breaker:
    """Return BudouX, for the languages that it has."""
    import budoux

    parsers = {
        "zh": budoux.load_default_simplified_chinese_parser(),
        "yue": budoux.load_default_traditional_chinese_parser(),
        "ja": budoux.load_default_japanese_parser(),
        "th": budoux.load_default_thai_parser(),
    }
    return lambda line: (
        set(accumulate(map(len, parsers[line.language].parse(line.text))))
        if line.language in parsers
        else None
    )


def word_errors() -> tuple[list[list[str]], list[int]]:
    """Return the rows of the table, and the sums of borders inside a word."""
    breakers: list[Breaker] = [lambda line: set(find_borders(line.text, line.language)), icu(), budoux()]
    rows, sums = [], [0, 0, 0]
    for group in WORD_GROUPS:
        lines, cells = word_lines(group), []
        for place, breaker in enumerate(breakers):
            known = [(line, borders) for line in lines if (borders := breaker(line)) is not None]
            found = [wrong_borders(*pair) for pair in known]
            wrong, missed = (sum(counts) for counts in zip(*found, strict=True))
            part = "" if len(known) == len(lines) else f" in {len(known)}"
            cells.append(f"{wrong} ({missed}){part}")
            sums[place] += wrong
        rows.append([f"words, {group}", str(len(lines)), *cells])
    return rows, sums


def load_seconds() -> dict[str, float]:
    """Return how long the first border of each language takes: its libraries are loaded then."""
    found = {}
    for language in ("zh", "ja", "th", "km"):
        begun = time.perf_counter()
        find_borders("一", language)
        found[language] = time.perf_counter() - begun
    return found


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows under their head."""
    return "".join(
        f"{first:<24}{lines:>7}" + "".join(f"{cell:>18}" for cell in rest) + "\n"
        for first, lines, *rest in (head, *rows)
    )


def main() -> int:
    """Measure, print, judge."""
    loads = load_seconds()
    try:
        peer_sentences([])
    except subprocess.CalledProcessError:
        return skip("the packages of tests/bench/peers/splitters.txt cannot be installed")
    rows, (ours, *theirs) = sentence_errors()
    joins, (our_joins, *their_joins) = join_errors()
    sys.stdout.write(table(("wrong ends", "lines", "ours", *PEERS), [*rows, joins]) + "\n")
    words, (our_words, *their_words) = word_errors()
    head = ("inside a word (missed)", "lines", "ours", "ICU", "BudouX")
    sys.stdout.write(table(head, words) + "\n")
    told = ", ".join(f"{language} {seconds:.2f} s" for language, seconds in loads.items())
    sys.stdout.write(f"loading: {told}\n")
    sheet = Sheet("make bench-sentences")
    sheet.add("sentence ends wrong in labelled lines", [ours], [min(theirs)], limit=LIMIT, unit="ends")
    sheet.add(
        "ends of FLORES lines not seen", [our_joins], [min(their_joins)], limit=JOINS_LIMIT, unit="ends"
    )
    sheet.add("borders inside words", [our_words], [min(their_words)], limit=LIMIT, unit="borders")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
