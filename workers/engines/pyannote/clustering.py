"""Which voices of many windows are one person's, and how many people there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workers.engines.pyannote.asked import Bounds
from workers.engines.pyannote.windows import HeardWindows

__all__ = ["NOBODY", "Clusters", "cluster_voices"]

NOBODY = -1
"""The cluster of what is no one's: too short to tell, or unlike everybody."""
ALIKE = 0.5
"""Pieces whose cosine is over this on average are one person. This and what follows was chosen on some of the
recordings, and measured on others (docs/adr/0035-who-speaks.md)."""
_ONE_PERSON = 0.6
"""Two people whose mean embeddings have this cosine are one: two have 0.55 at most, one in two moods 0.65."""
_LITTLE = 0.15
_LITTLE_ALIKE = 0.45
"""The same where one speaks less than this part of the other: what is heard of two at once is like both."""
DOUBTFUL = 0.25
"""A piece whose cosine with everybody is under this is no one's."""
_SURE_S = 1.5
"""A piece with so much sound of one voice says who there is; with less it only joins them."""
_LEAST_S = 3.0
"""Whoever speaks less in the whole film is not somebody of their own."""
_MOST = 6_000
"""Among more pieces (an hour of talk) every second or third says who there is: their distances must fit in
memory."""
_ROUNDS = 3
_REST_S = 1.0
"""What else a voice says in a window counts as much as so many seconds of a piece itself."""


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """People, by numbers from 0."""

    of_pieces: Any
    """The number of each piece or `NOBODY`, int (pieces,)."""
    centres: Any
    """The mean embedding of each, float32 (people, 192), of length 1."""


def cluster_voices(heard: HeardWindows, bounds: Bounds) -> Clusters:
    """Return who speaks the pieces; there may be fewer people than asked for, where no more can be told."""
    import numpy as np

    known = ~np.isnan(heard.embeddings[:, 0])
    found = np.full(len(known), NOBODY)
    if not known.any():
        return Clusters(of_pieces=found, centres=np.zeros((0, heard.embeddings.shape[1]), np.float32))
    vectors, weights = heard.embeddings[known], heard.alone_s[known]
    # Each moment is in several windows.
    seconds = weights * (heard.step / heard.active.shape[1])
    centres = _centres(vectors, seconds, weights, bounds)
    for _ in range(_ROUNDS):
        centres = _means(vectors, weights, _nearest(vectors, centres), centres)
    evidence = _with_voices(heard, known)
    some = np.linalg.norm(evidence, axis=1) > 0
    found[some] = _nearest(evidence[some], centres)
    return Clusters(of_pieces=found, centres=centres)


def _with_voices(heard: HeardWindows, known: Any) -> Any:
    """Return for each piece what is known of who speaks it, float32 (pieces, 192), of length 1 or 0.

    That is how the piece sounds, and how all sounds that the same voice says in the window: the shorter the
    piece, the more the latter tells.
    """
    import numpy as np

    own = np.where(known[:, None], heard.embeddings, 0) * heard.alone_s[:, None]
    voices = heard.pieces[:, 0] * heard.active.shape[2] + heard.pieces[:, 1]
    totals = np.zeros((heard.active.shape[0] * heard.active.shape[2], own.shape[1]), np.float32)
    np.add.at(totals, voices, own)
    evidence = own + _REST_S * _unit(totals)[voices]
    return _unit(evidence)


def _unit(vectors: Any) -> Any:
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9)


def _nearest(vectors: Any, centres: Any) -> Any:
    """Return the number of who each vector is most like, or `NOBODY`."""
    import numpy as np

    likeness = vectors @ centres.T
    return np.where(likeness.max(axis=1) >= DOUBTFUL, likeness.argmax(axis=1), NOBODY)


def _centres(vectors: Any, seconds: Any, weights: Any, bounds: Bounds) -> Any:
    """Return the mean embedding of each person: those who speak long enough, at least one."""
    import numpy as np

    sure = np.flatnonzero(weights >= _SURE_S)
    if not len(sure):
        sure = np.flatnonzero(weights >= weights.max())
    sure = sure[:: -(-len(sure) // _MOST)]
    share = seconds.sum() / seconds[sure].sum()
    labels = _people(vectors[sure], seconds[sure] * min(share, 2.0), bounds)
    numbers = [number for number in np.unique(labels) if number != NOBODY]
    return np.stack(
        [_mean(vectors[sure][labels == number], weights[sure][labels == number]) for number in numbers]
    )


def _people(vectors: Any, seconds: Any, bounds: Bounds) -> Any:
    """Return the number of each voice, `NOBODY` for those who speak too little in all."""
    import numpy as np
    from scipy.cluster.hierarchy import fcluster, linkage

    if len(vectors) == 1:
        return np.zeros(1, int)
    tree = linkage(vectors, "average", metric="cosine")
    labels = _kept(fcluster(tree, 1 - ALIKE, "distance"), seconds)
    labels = _merged(labels, vectors, seconds, bounds.least)
    count = labels.max() + 1
    if count < bounds.least:
        labels = _split(tree, vectors, seconds, bounds.least)
    elif bounds.most and count > bounds.most:
        labels = _kept(labels, seconds, bounds.most)
    return labels


def _merged(labels: Any, vectors: Any, seconds: Any, least: int) -> Any:
    """Make one of two who are alike, the most alike first, as long as more than `least` are left."""
    import numpy as np

    while labels.max() + 1 > least:
        people = range(labels.max() + 1)
        centres = np.stack([_mean(vectors[labels == one], seconds[labels == one]) for one in people])
        totals = np.array([seconds[labels == one].sum() for one in people])
        little = np.minimum.outer(totals, totals) < _LITTLE * np.maximum.outer(totals, totals)
        over = centres @ centres.T - np.where(little, _LITTLE_ALIKE, _ONE_PERSON)
        np.fill_diagonal(over, -1)
        first, second = sorted(np.unravel_index(over.argmax(), over.shape))
        if over[first, second] < 0:
            break
        labels = np.where(labels == second, first, labels - (labels > second))
    return labels


def _split(tree: Any, vectors: Any, seconds: Any, wanted: int) -> Any:
    """Cut the tree lower, until so many people speak long enough; the nearest to it where none does."""
    from scipy.cluster.hierarchy import fcluster

    best = None
    for count in range(1, min(len(vectors), 20 * wanted) + 1):
        labels = _kept(fcluster(tree, count, "maxclust"), seconds)
        if best is None or labels.max() > best.max():
            best = labels
        if labels.max() + 1 >= wanted:
            break
    return best


def _kept(labels: Any, seconds: Any, most: int = 0) -> Any:
    """Return the labels of those who speak long enough, from 0; of the `most` who speak longest."""
    import numpy as np

    known = labels != NOBODY
    totals = np.bincount(labels[known], weights=seconds[known])
    # One is always kept: somebody speaks.
    enough = [number for number in np.argsort(-totals, kind="stable") if totals[number] >= _LEAST_S]
    enough = enough[: most or None] or [int(totals.argmax())]
    # `NOBODY` is -1: the last place.
    numbers = np.full(len(totals) + 1, NOBODY)
    numbers[enough] = range(len(enough))
    return numbers[labels]


def _means(vectors: Any, weights: Any, labels: Any, before: Any) -> Any:
    import numpy as np

    return np.stack(
        [
            _mean(vectors[labels == number], weights[labels == number])
            if (labels == number).any()
            else centre
            for number, centre in enumerate(before)
        ]
    )


def _mean(vectors: Any, weights: Any) -> Any:
    import numpy as np

    total = (vectors * weights[:, None]).sum(axis=0)
    return (total / max(1e-9, float(np.linalg.norm(total)))).astype(np.float32)
