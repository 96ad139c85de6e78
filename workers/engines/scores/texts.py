"""chrF and chrF++ by sacrebleu: letters, and for chrF++ words, that two texts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocol.subtitles.comparing import TextPairs, TextScores

__all__ = ["CHRF", "CHRF_PLUS", "chrf_of_all", "chrf_of_line", "score_texts", "signature"]

CHRF = 0
"""Letters alone."""
CHRF_PLUS = 2
"""Words and pairs of words, too."""
_SAME = 100.0


def score_texts(pairs: TextPairs) -> TextScores:
    """Return chrF of the lines `b` against the lines `a`."""
    return TextScores(
        chrf=chrf_of_all(pairs.b, pairs.a, CHRF),
        lines=tuple(chrf_of_line(b, a, CHRF) for a, b in zip(pairs.a, pairs.b, strict=True)),
    )


def chrf_of_all(texts: Sequence[str], references: Sequence[str], words: int) -> float | None:
    """Return chrF (`words` is 0) or chrF++ (2) over all lines, from 0 to 100; None without a reference."""
    if not any(reference.strip() for reference in references):
        return None
    found = _metric(words).corpus_score(list(texts), [list(references)])
    return round(float(found.score), 2)


def chrf_of_line(text: str, reference: str, words: int) -> float:
    """Return the same of one line. Two empty lines are the same."""
    if text.split() == reference.split():
        return _SAME
    return round(float(_metric(words).sentence_score(text, [reference]).score), 2)


def signature(words: int) -> str:
    """Return sacrebleu's own description of the metric."""
    metric = _metric(words)
    metric.corpus_score(["a"], [["a"]])
    return f"{'chrF++' if words else 'chrF'}|{metric.get_signature()}"


def _metric(words: int) -> Any:
    import sacrebleu

    return sacrebleu.CHRF(word_order=words)
