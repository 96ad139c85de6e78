"""Thirty names in FLORES and in a film, by bergamot: how many are written as a glossary says.

`make bench-glossary` prints, for English into Portuguese and back, how many of the names are kept with a
glossary and without, and chrF++ of the lines. Names that both languages spell alike show what the method
costs: the references have them, too. Names that are called otherwise show what it does: no model writes
`Londonovik` for London by itself.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

import sacrebleu

import envspecs
from envspecs.models.registry import has_model
from protocol.artefacts import describe_file, write_json
from protocol.jobs.glossary import Term
from protocol.languages import language_name
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript
from tests.bench.figures import Sheet, skip
from tests.bench.languages import flores
from tests.data import DATA, script
from tests.lone_worker import LoneWorker
from workers.text.glossary.checking import FOUND, state_of
from workers.text.glossary.finding import TermFinder

__all__ = ["names_in", "share_kept"]

NAMES = 30
LINES = 150
PAIRS = ("en-pt", "pt-en")
FILM_NAMES = ("John Dashwood", "wizard")
MISSED = 0.03
"""At most this share of names may be written otherwise with a glossary."""
LOST_CHRF = 0.3
_NAME = re.compile(r"(?<=[a-zà-ú,] )[A-ZÀ-Ú]\w{3,}(?: [A-ZÀ-Ú]\w+)*")


def names_in(lines: Sequence[str]) -> list[str]:
    """Return the names that most of the lines have."""
    counted = Counter(name for line in lines for name in set(_NAME.findall(line)))
    return [name for name, _ in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))[:NAMES]]


def share_kept(
    said: Sequence[str], written: Sequence[str], glossary: Sequence[Term], pair: str
) -> tuple[int, int]:
    """Return how many terms are as in the glossary, of how many that occur."""
    source, target = pair.split("-")
    finder = TermFinder(glossary, source)
    states = [
        state_of(term, text, target)
        for line, text in zip(said, written, strict=True)
        for term in {found.term for found in finder.find(line)}
    ]
    return sum(state == FOUND for state in states), len(states)


def translated(worker: LoneWorker, lines: Sequence[str], pair: str, glossary: tuple[Term, ...]) -> list[str]:
    """Return the lines in the other language."""
    source, target = pair.split("-")
    segments = [
        Segment(start_ms=10_000 * place, end_ms=10_000 * place + 5_000, text=line)
        for place, line in enumerate(lines)
    ]
    path = worker.folder / "transcript.json"
    write_json(path, to_plain(Transcript(language=source, segments=tuple(segments))))
    request = TranslateRequest(
        transcript=describe_file(path, path.name),
        audio=describe_file(path, path.name),
        source_language=source,
        target_language=target,
        model=f"bergamot-{pair}",
        glossary=glossary,
    )
    result: TranslateResult = worker.do("translate", request)
    made = from_plain(Transcript, json.loads((worker.folder / result.transcript.path).read_text()))
    found: dict[int, list[str]] = {}
    for segment in made.segments:
        found.setdefault(segment.start_ms // 10_000, []).append(segment.text)
    return [" ".join(found.get(place, [])) for place in range(len(lines))]


def figures(worker: LoneWorker, sheet: Sheet, pair: str) -> None:
    """Measure one direction: names that both languages spell alike, and names that are called otherwise."""
    source, target = pair.split("-")
    meant = dict(zip(flores(source), flores(target), strict=True))
    alike = names_in([_common(line, other) for line, other in meant.items()])
    other = [*(FILM_NAMES if source == "en" else ()), *names_in(list(meant))][:NAMES]
    glossaries = {
        "spelt alike": tuple(Term(source=name) for name in alike),
        "called otherwise": tuple(
            Term(source=name, target=f"{name.split()[0].title()}ovik") for name in other
        ),
    }
    for kind, glossary in glossaries.items():
        finder = TermFinder(glossary, source)
        lines = [line for line in meant if any(finder.find(line))][:LINES]
        lines += [line.text for line in script("film_en")] if source == "en" else []
        texts = [translated(worker, lines, pair, chosen) for chosen in ((), glossary)]
        kept = [share_kept(lines, text, glossary, pair) for text in texts]
        scores = [_chrf(lines, text, meant) for text in texts]
        way = f"{language_name(source)} into {language_name(target)}, {NAMES} names {kind}"
        sys.stdout.write(
            f"{way}, {len(lines)} lines: kept {kept[0][0]} of {kept[0][1]} without a glossary,"
            f" {kept[1][0]} with it; chrF++ {scores[0]:.1f} and {scores[1]:.1f}\n"
        )
        sheet.add(f"glossary, {way}: missed", [1 - kept[1][0] / kept[1][1]], limit=MISSED, unit="of all")
        if kind == "spelt alike":
            sheet.add(f"glossary, {way}: chrF++ lost", [scores[0] - scores[1]], limit=LOST_CHRF, unit="")


def _common(line: str, other: str) -> str:
    """Return the line without the names that the other one does not have."""
    return _NAME.sub(lambda name: name.group() if name.group() in other else "", line)


def _chrf(lines: Sequence[str], texts: Sequence[str], meant: Mapping[str, str]) -> float:
    """Return chrF++ of the lines of which it is known what they mean."""
    known = [(text, meant[line]) for line, text in zip(lines, texts, strict=True) if line in meant]
    found, references = (list(column) for column in zip(*known, strict=True))
    return float(sacrebleu.CHRF(word_order=2).corpus_score(found, [references]).score)


def main() -> int:
    """Measure, print, judge."""
    if not (DATA / "mt").exists():
        return skip(f"{DATA}/mt is not there")
    if not envspecs.interpreter("bergamot").exists() or not all(has_model(f"bergamot-{p}") for p in PAIRS):
        return skip("the environment bergamot is not built: python3 -m envspecs build bergamot")
    sheet = Sheet("make bench-glossary")
    with LoneWorker.of("bergamot") as worker:
        worker.wait_ready()
        for pair in PAIRS:
            figures(worker, sheet, pair)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
