"""Which language is spoken where in a film, from votes of stretches of its speech. Pure.

A vote is the probability of every language that Whisper gives some seconds of speech. One vote says little:
of music, of shouts and of a name it is wrong. So a film is parted only where sure votes in a row say another
language, for so long that it is no quotation, no song line and no word of another language in between.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Span

__all__ = ["LanguageStretch", "LanguageVote", "beside", "family_of", "mixed", "part", "shares", "voters"]

_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("hi", "ur"),
    ("no", "nn", "da"),
    ("hr", "sr", "bs"),
    ("bg", "mk"),
    ("cs", "sk"),
    ("id", "ms"),
    ("es", "gl"),
    ("ca", "oc"),
    ("nl", "af"),
    ("de", "lb", "yi"),
    ("zh", "yue"),
    ("th", "lo"),
    ("tr", "az"),
    ("tt", "ba"),
    ("fa", "tg"),
    ("is", "fo"),
    ("as", "bn"),
    ("jw", "su"),
)
"""Near relatives: Whisper takes one for the other, in one voice from one sentence to the next."""
_FAMILY = {language: family[0] for family in _FAMILIES for language in family}
_SURE = 0.8
"""A vote that gives a family less says nothing. Clear speech gives 0.95 and more, music and shouts 0.3 to
0.65 (whisper-base; the table is in docs/adr/0026)."""
_SHORT_MS = 2_000
"""A vote of less speech says nothing."""
_LEAST_SHARE = 0.05
_LEAST_MS = 10_000
_MOST_LEAST_MS = 30_000
"""A stretch has at least so much sure speech: a share of the film's, between these two times."""
_LEAST_VOTES = 2
"""... of so many sure votes ..."""
_CLEAR = 0.95
"""... where one this sure, of `_LEAST_MS` of speech or more, counts for two."""
_EVERY = 20
"""Of a film of more chunks, about ten minutes, every second votes: it takes 7 % of the time of a chunk."""
_TRACE = 0.06
"""Where 5 s of half a minute are in another language, that one gets 0.07 to 0.28; in one language the second
gets up to 0.05."""
_OF_TWO = 0.85
"""The two languages of a mixed chunk share so much: what music gets is spread over many."""


@dataclass(frozen=True, kw_only=True)
class LanguageVote:
    """What some seconds of speech say of their language."""

    spans: tuple[Span, ...]
    """The speech, at least one stretch; votes are in order and do not overlap."""
    chances: Mapping[str, float]
    """The probability of each language (Whisper's code); empty where nothing was heard."""

    @property
    def speech_ms(self) -> int:
        """Return how much speech it is."""
        return sum(span.end_ms - span.start_ms for span in self.spans)

    def families(self) -> list[tuple[str, float]]:
        """Return the families with their probabilities, the likeliest first."""
        sums: dict[str, float] = {}
        for language, chance in self.chances.items():
            family = family_of(language)
            sums[family] = sums.get(family, 0.0) + chance
        return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))

    def weight(self) -> int:
        """Return for how many sure votes it counts."""
        if not self.sure():
            return 0
        clear = self.families()[0][1] >= _CLEAR and self.speech_ms >= _LEAST_MS
        return _LEAST_VOTES if clear else 1

    def sure(self) -> str:
        """Return the family that it is sure of; empty where it is not."""
        families = self.families()
        if not families or families[0][1] < _SURE or self.speech_ms < _SHORT_MS:
            return ""
        return families[0][0]


@dataclass(frozen=True, kw_only=True)
class LanguageStretch:
    """Votes in a row, by their places, whose speech is in one language."""

    first: int
    stop: int
    language: str


@dataclass(frozen=True, kw_only=True)
class _VoteRun:
    """Votes in a row that go together; `sure_ms` is the speech of those that are sure of the family."""

    first: int
    stop: int
    family: str
    sure_ms: int
    sure_votes: int


def family_of(language: str) -> str:
    """Return what stands for the language and its near relatives: one of them."""
    return _FAMILY.get(language, language)


def voters(count: int) -> list[int]:
    """Return the places of the chunks, of so many, that say of their language: of a long film every second.

    A stretch that parts a long film is as long as a chunk, or longer: one of its chunks votes, or a chunk
    that is partly in it. Then those beside it are asked, too (`beside`).
    """
    return list(range(0, count, 1 if count <= _EVERY else 2))


def beside(votes: Sequence[LanguageVote | None]) -> list[int]:
    """Return the places without a vote that are beside one which may be in another language than the film."""
    main = _most_speech((vote.sure(), vote.speech_ms) for vote in votes if vote is not None)
    odd = [
        place
        for place, vote in enumerate(votes)
        if vote is not None and (vote.sure() not in ("", main) or _is_mixed(vote.families()))
    ]
    near = {place + step for place in odd for step in (-1, 1)}
    return sorted(place for place in near if 0 <= place < len(votes) and votes[place] is None)


def mixed(votes: Sequence[LanguageVote]) -> list[int]:
    """Return the places of votes whose speech may be in two languages: smaller pieces of it should vote.

    None where all speech that may be in a second language is too little to part the film.
    """
    families = [vote.families() for vote in votes]
    found = [place for place, ranked in enumerate(families) if _is_mixed(ranked)]
    main = _most_speech((vote.sure(), vote.speech_ms) for vote in votes)
    other_ms = sum(
        vote.speech_ms for place, vote in enumerate(votes) if place in found or vote.sure() not in ("", main)
    )
    return found if other_ms >= _least_ms(votes) else []


def _is_mixed(ranked: Sequence[tuple[str, float]]) -> bool:
    if len(ranked) < 2:
        return False
    first, second = ranked[0][1], ranked[1][1]
    return second >= _TRACE and first + second >= _OF_TWO


def part(votes: Sequence[LanguageVote], language: str) -> list[LanguageStretch]:
    """Return the stretches of a film in several languages, which hold every vote; none: it has one language.

    `language` is what the whole film was taken for: of its family's languages it stands for all.
    """
    runs = _joined([_run(place, vote) for place, vote in enumerate(votes)])
    least_ms = _least_ms(votes)
    while len(runs) > 1 and (weak := [run for run in runs if not _stands(run, least_ms)]):
        # The weakest first: what is left of its neighbours may stand together.
        gone = min(weak, key=lambda run: (run.sure_ms, run.first))
        runs = _joined(_absorbed(runs, runs.index(gone), votes))
    if len({run.family for run in runs}) < 2:
        return []
    names = _names(runs, votes, language)
    return [LanguageStretch(first=run.first, stop=run.stop, language=names[run.family]) for run in runs]


def shares(votes: Sequence[LanguageVote], stretches: Sequence[LanguageStretch]) -> dict[str, int]:
    """Return how much is spoken in each language, in milliseconds, the most first."""
    found: dict[str, int] = {}
    for stretch in stretches:
        speech_ms = sum(vote.speech_ms for vote in votes[stretch.first : stretch.stop])
        found[stretch.language] = found.get(stretch.language, 0) + speech_ms
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _least_ms(votes: Sequence[LanguageVote]) -> int:
    share = _LEAST_SHARE * sum(vote.speech_ms for vote in votes)
    return round(min(max(_LEAST_MS, share), _MOST_LEAST_MS))


def _run(place: int, vote: LanguageVote) -> _VoteRun:
    family = vote.sure()
    sure_ms = vote.speech_ms if family else 0
    return _VoteRun(first=place, stop=place + 1, family=family, sure_ms=sure_ms, sure_votes=vote.weight())


def _stands(run: _VoteRun, least_ms: int) -> bool:
    return run.sure_ms >= least_ms and run.sure_votes >= _LEAST_VOTES


def _joined(runs: Sequence[_VoteRun]) -> list[_VoteRun]:
    """Return the runs with neighbours of one family as one."""
    found: list[_VoteRun] = []
    for run in runs:
        if found and found[-1].family == run.family:
            found[-1] = replace(
                found[-1],
                stop=run.stop,
                sure_ms=found[-1].sure_ms + run.sure_ms,
                sure_votes=found[-1].sure_votes + run.sure_votes,
            )
        else:
            found.append(run)
    return found


def _absorbed(runs: list[_VoteRun], place: int, votes: Sequence[LanguageVote]) -> list[_VoteRun]:
    """Return the runs, that at `place` as part of a neighbour: the one whose family it finds likelier.

    Where it finds both as likely, the one with more sure speech; then the earlier one.
    """
    gone = runs[place]
    near = [runs[at] for at in (place - 1, place + 1) if 0 <= at < len(runs)]
    mine = votes[gone.first : gone.stop]

    def worth(run: _VoteRun) -> tuple[float, int]:
        chance = sum(dict(vote.families()).get(run.family, 0.0) * vote.speech_ms for vote in mine)
        return round(chance, 6), run.sure_ms

    heir = max(near, key=worth)
    runs[place] = replace(gone, family=heir.family, sure_ms=0, sure_votes=0)
    return runs


def _names(runs: Sequence[_VoteRun], votes: Sequence[LanguageVote], language: str) -> dict[str, str]:
    """Return the language that each family is taken for: the film's own, else the likeliest of it."""
    names: dict[str, str] = {}
    for family in dict.fromkeys(run.family for run in runs):
        mine = itertools.chain.from_iterable(
            votes[run.first : run.stop] for run in runs if run.family == family
        )
        sums: dict[str, float] = {}
        for vote in mine:
            for candidate, chance in vote.chances.items():
                if family_of(candidate) == family:
                    sums[candidate] = sums.get(candidate, 0.0) + chance * vote.speech_ms
        own = family_of(language) == family
        names[family] = language if own else max(sums, key=lambda candidate: sums[candidate])
    return names


def _most_speech(families: Iterable[tuple[str, int]]) -> str:
    sums: dict[str, int] = {}
    for family, speech_ms in families:
        if family:
            sums[family] = sums.get(family, 0) + speech_ms
    return max(sums, key=lambda family: sums[family], default="")
