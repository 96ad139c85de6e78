"""Measures: `python -I -m workers.engines.scores.score`, with a `ScoreOrder` as JSON on stdin.

Writes `Scores` to stdout, or a `Refused` and the exit code 2.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from protocol.errors import CpwError, info_from_error
from protocol.messages import Refused
from protocol.schema import from_json, to_plain
from protocol.subtitles.comparing import ScoreOrder, Scores
from workers.engines.scores.cues import score_cues
from workers.engines.scores.texts import CHRF, CHRF_PLUS, score_texts, signature

__all__ = ["main", "score"]


def score(order: ScoreOrder) -> Scores:
    """Return how near the texts and the files of the order are."""
    signatures = [signature(CHRF)] if order.texts else []
    signatures += [signature(CHRF_PLUS)] if order.cues else []
    return Scores(
        texts=tuple(score_texts(pairs) for pairs in order.texts),
        cues=score_cues(order.cues) if order.cues is not None else None,
        signatures=tuple(signatures),
    )


def main() -> int:
    """Run the program and return its exit code."""
    answer: Any
    try:
        answer = score(from_json(ScoreOrder, sys.stdin.buffer.read()))
    except CpwError as error:
        answer = Refused(error=info_from_error(error))
    except KeyboardInterrupt:
        return 130
    sys.stdout.write(json.dumps(to_plain(answer)) + "\n")
    return 2 if isinstance(answer, Refused) else 0


if __name__ == "__main__":
    sys.exit(main())
