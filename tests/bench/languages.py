"""In which language text is: how many blocks of about 200 characters are told right.

`make bench-languages` prints a table of blocks and the share right, and judges it: the references of films,
what whisper-base wrote of one in German, the lines of FLORES in seven languages, whole and cut to cues, and
translations with stretches that were left in the source's language. Of those a block is right if it is
marked where most of it was left, and not marked where most of it was translated.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator, Sequence

from envspecs.models.registry import has_model, model_path
from tests.bench.figures import Sheet, skip
from tests.data import DATA
from tests.labelled.by_language import film_de
from workers.engines.common.formats.reading.files import read_cues
from workers.text.languages.model import LANGUAGE_MODEL, judge_at
from workers.text.languages.stretches import Line, blocks_of, foreign_in
from workers.text.languages.telling import Judge, tell

__all__ = ["FLORES", "WRONG_SHARE", "cue_texts", "flores", "left_in_source", "share_of_left", "share_right"]

FLORES = {"en": "eng", "hi": "hin", "ur": "urd", "ta": "tam", "te": "tel", "gu": "guj", "pt": "por"}
WRONG_SHARE = 0.02
_CUE_CHARACTERS = 40
_LEFT, _EVERY = 6, 30
"""So many cues are left in the source's language, in so many."""
_FILMS = {"film_hi": ("hin.srt", "hi"), "film_hi in English": ("en.srt", "en"), "film_en": ("eng.srt", "en")}

Count = tuple[int, int]
"""How many blocks are right, of how many."""


def flores(language: str) -> list[str]:
    """Return the 1,012 lines of a language."""
    text = (DATA / "mt" / f"flores200.{FLORES[language]}.devtest").read_text(encoding="utf-8")
    return text.splitlines()


def cue_texts(text: str) -> list[str]:
    """Return the text in pieces as long as the line of a cue."""
    pieces, piece = [], ""
    for word in text.split():
        piece = f"{piece} {word}".strip()
        if len(piece) >= _CUE_CHARACTERS:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces


def lines_in(texts: Sequence[str], language: str) -> list[Line]:
    """Return the texts as lines that should be in the language."""
    return [Line(place=place, text=text, language=language) for place, text in enumerate(texts)]


def share_right(texts: Sequence[str], language: str, judge: Judge) -> Count:
    """Return how many blocks of the texts are told to be in the language."""
    blocks = list(blocks_of(lines_in(texts, language)))
    told = [tell("\n".join(line.text for line in block), judge) for block in blocks]
    return sum(found is not None and found.language == language for found in told), len(blocks)


def left_in_source(source: str, target: str) -> Iterator[tuple[str, bool]]:
    """Yield the cues of a translation, and whether each was left: six cues and more of thirty."""
    since = 0
    for said, translated in zip(flores(source), flores(target), strict=True):
        is_left = since >= _EVERY - _LEFT
        cues = cue_texts(said if is_left else translated)
        yield from ((cue, is_left) for cue in cues)
        since = 0 if since >= _EVERY else since + len(cues)


def share_of_left(source: str, target: str, judge: Judge) -> Count:
    """Return how many blocks of such a translation are marked as they should be."""
    cues = list(left_in_source(source, target))
    lines = lines_in([text for text, _ in cues], target)
    marked = {place for found in foreign_in(lines, judge) for place in found.places}
    left = {place for place, (_, is_left) in enumerate(cues) if is_left}
    judged = [(_most(block, marked), _most(block, left)) for block in blocks_of(lines)]
    return sum(one == other for one, other in judged), len(judged)


def _most(block: Sequence[Line], places: set[int]) -> bool:
    own = sum(len(line.text) for line in block if line.place in places)
    return own * 2 > sum(len(line.text) for line in block)


def film_rows(judge: Judge) -> list[tuple[str, Count]]:
    """Return the films' names, and the blocks of their references that are right."""
    rows = []
    for name, (suffix, language) in _FILMS.items():
        cues = read_cues(DATA / "film" / f"{name.split(maxsplit=1)[0]}.{suffix}")
        rows.append((name, share_right([" ".join(cue.lines) for cue in cues], language, judge)))
    return [*rows, ("film_de, as heard", share_right(film_de(), "de", judge))]


def measured(judge: Judge) -> list[tuple[str, Count]]:
    """Return every row of the table."""
    rows = film_rows(judge)
    for language in FLORES:
        whole = flores(language)
        cues = [cue for line in whole for cue in cue_texts(line)]
        rows.append((f"FLORES {language}, lines", share_right(whole, language, judge)))
        rows.append((f"FLORES {language}, cues", share_right(cues, language, judge)))
    pairs = itertools.permutations(FLORES, 2)
    return rows + [(f"{one} left in {other}", share_of_left(one, other, judge)) for one, other in pairs]


def main() -> int:
    """Measure, print, judge."""
    if not (DATA / "mt").is_dir():
        return skip(f"the test data {DATA} is not there")
    if not has_model(LANGUAGE_MODEL):
        return skip(f"the model is not here: cpw models fetch {LANGUAGE_MODEL}")
    begun = time.perf_counter()
    rows = measured(judge_at(model_path(LANGUAGE_MODEL)))
    took = time.perf_counter() - begun
    for name, (right, count) in rows:
        sys.stdout.write(f"{name:<24}{count:>7} blocks{right / count:>9.2%} right\n")
    sheet = Sheet("make bench-languages")
    groups = {"films": "film", "FLORES": "FLORES", "left in the source's language": " left in "}
    for name, sign in groups.items():
        counts = [count for row, count in rows if sign in row]
        wrong = 1 - sum(right for right, _ in counts) / sum(count for _, count in counts)
        worst = max(1 - right / count for right, count in counts)
        sheet.add(f"blocks told wrong, {name}", [100 * wrong], limit=100 * WRONG_SHARE, unit="%")
        sheet.add(f"blocks told wrong, {name}, worst row", [100 * worst], limit=100 * WRONG_SHARE, unit="%")
    sheet.add("all of these blocks", [took], unit="s")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
