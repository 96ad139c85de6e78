"""Why a cue could not keep a rule: its words leave no room for it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.timeline import Cue, Word
from workers.engines.common.cues.cut import CueRules, timed_tokens
from workers.engines.common.cues.marks import DASHES
from workers.engines.common.cues.phrases import Token, joiner
from workers.engines.common.cues.speakers import are_heard, without_hyphens
from workers.engines.common.cues.widths import width

__all__ = ["CueAmongOthers", "CueSpeech", "speech_of_cues", "why"]

_ROUNDING_MS = 1


@dataclass(frozen=True, kw_only=True)
class CueSpeech:
    """The speech in a cue: when it starts and ends, how many words it has, and when the next word starts."""

    start_ms: int
    end_ms: int
    words: int
    next_ms: int | None
    dashed: bool
    """Whether a word begins with a dash that is no speaker's."""


@dataclass(frozen=True, kw_only=True)
class CueAmongOthers:
    """A cue among its neighbours, and the speech in each; None for a cue without words."""

    cues: Sequence[Cue]
    place: int
    rules: CueRules
    spoken: Sequence[CueSpeech | None]

    @property
    def cue(self) -> Cue:
        """The cue in question."""
        return self.cues[self.place]


def speech_of_cues(
    cues: Sequence[Cue], rules: CueRules, words: Sequence[Word]
) -> tuple[CueSpeech | None, ...]:
    """Return the speech in each cue: found by the text if cues and words have the same, else by the time.

    Empty if no words are given.
    """
    if not words or not cues:
        return ()
    tokens = timed_tokens(words, rules)
    firsts = _by_text(cues, tokens, rules)
    if firsts is None:
        starts = [token.start_ms for token in tokens]
        firsts = [bisect_left(starts, cue.start_ms) for cue in cues]
    stops = [*firsts[1:], len(tokens)]
    return tuple(_spoken(tokens, first, stop) for first, stop in zip(firsts, stops, strict=True))


def _by_text(cues: Sequence[Cue], tokens: Sequence[Token], rules: CueRules) -> list[int] | None:
    """Return the place of each cue's first token; None if the texts are not the same."""
    heard = are_heard(tokens)
    texts = ["".join("".join(without_hyphens(cue, rules, heard=heard)).split()) for cue in cues]
    parts = ["".join(token.written.split()) for token in tokens]
    if "".join(texts) != "".join(parts):
        return None
    starts, at = [], 0
    for part in parts:
        starts.append(at)
        at += len(part)
    firsts, at = [], 0
    for text in texts:
        firsts.append(bisect_left(starts, at))
        at += len(text)
    return firsts


def _spoken(tokens: Sequence[Token], first: int, stop: int) -> CueSpeech | None:
    if stop <= first:
        return None
    return CueSpeech(
        start_ms=tokens[first].start_ms,
        end_ms=tokens[stop - 1].end_ms,
        words=sum(not token.inside_word for token in tokens[first:stop]),
        next_ms=tokens[stop].start_ms if stop < len(tokens) else None,
        dashed=any(token.text[0] in DASHES for token in tokens[first:stop]),
    )


def why(rule: str, here: CueAmongOthers, graphemes: float) -> str:
    """Return why the cue, with so many `graphemes` to read, could not keep the rule; empty if it could."""
    spoken, rules = here.spoken[here.place], here.rules
    if rule == "line_length":
        return _why_long(here.cue, rules)
    if spoken is None:
        return ""
    if rule == "reading_speed":
        said = graphemes * 1_000 / max(1, spoken.end_ms - spoken.start_ms)
        need = graphemes * 1_000 / rules.max_graphemes_per_second
        return _why_fast(here, spoken, need, f"the speech itself has {said:.1f} graphemes a second")
    if rule == "word_time":
        return _why_hasty(here, spoken)
    if rule == "min_duration":
        return _why_short(here, spoken)
    if rule == "needless_hyphen":
        return "it is a dash of the text, behind a long pause" if spoken.dashed else ""
    return _why_close(here) if rule == "gap" else ""


def _why_long(cue: Cue, rules: CueRules) -> str:
    pieces = (part for line in cue.lines for part in line.split())
    if joiner(rules.language) and any(
        width(piece, rules.language) > rules.max_line_graphemes for piece in pieces
    ):
        return "a single word is longer than the line"
    return ""


def _why_hasty(here: CueAmongOthers, spoken: CueSpeech) -> str:
    cue, least = here.cue, here.rules.min_word_ms
    if cue.end_ms - cue.start_ms + _ROUNDING_MS >= spoken.words * least:
        return "its first word goes on from the cue before"
    words = sum(len(line.split()) for line in without_hyphens(cue, here.rules))
    said = (spoken.end_ms - spoken.start_ms) / words
    return _why_fast(here, spoken, words * least, f"the speech itself has {said:.0f} ms a word")


def _why_fast(here: CueAmongOthers, spoken: CueSpeech, need_ms: float, speech: str) -> str:
    """Return why the cue could not stay long enough to be read."""
    cue, rules = here.cue, here.rules
    # If a cue comes late without need, that is no reason: it could have come with its words.
    start = min(cue.start_ms, spoken.start_ms) if not _waited(here) else cue.start_ms
    ends = _end_of_room(here, spoken)
    latest = min(spoken.end_ms + rules.linger_ms, start + rules.max_cue_ms)
    latest = max(latest, start + rules.min_cue_ms)
    latest = latest if ends is None else min(latest, ends)
    if latest - start + _ROUNDING_MS >= need_ms:
        return ""
    if spoken.end_ms - spoken.start_ms < need_ms:
        return speech
    if _waited(here):
        return "the cue before has to be seen first"
    return _why_ends(here, spoken.end_ms, "the last one")


def _why_short(here: CueAmongOthers, spoken: CueSpeech) -> str:
    start, ends = here.cue.start_ms, _end_of_room(here, spoken)
    if ends is None or ends - start >= here.rules.min_cue_ms:
        return ""
    return _why_ends(here, start, "the cue")


def _why_ends(here: CueAmongOthers, since_ms: int, since: str) -> str:
    """Return what comes so soon that the cue must go."""
    if _lacks_room(here):
        return f"the film is too short for its {len(here.cues)} cues"
    spoken = here.spoken[here.place]
    if spoken is not None and spoken.next_ms is not None:
        return f"the next word starts {max(0, spoken.next_ms - since_ms)} ms after {since}"
    return f"the film ends {max(0, here.rules.media_duration_ms - since_ms)} ms after {since}"


def _why_close(here: CueAmongOthers) -> str:
    cues, rules, place = here.cues, here.rules, here.place
    if place and _lacks_room(here):
        return f"the film is too short for its {len(cues)} cues"
    before, now = here.spoken[place - 1], here.spoken[place]
    if not place or before is None or now is None:
        return ""
    apart = now.start_ms - before.start_ms
    if apart < rules.min_cue_ms + rules.min_gap_ms:
        return f"its first word starts {apart} ms after the first of the cue before"
    return ""


def _waited(here: CueAmongOthers) -> bool:
    """Return whether the cue comes after its word because the cue before needed its least duration."""
    spoken, rules = here.spoken[here.place], here.rules
    if not here.place or spoken is None or here.cue.start_ms <= spoken.start_ms:
        return False
    return here.cue.start_ms - here.cues[here.place - 1].start_ms <= rules.min_cue_ms + rules.min_gap_ms


def _end_of_room(here: CueAmongOthers, spoken: CueSpeech) -> int | None:
    """Return the latest time that the cue could stay to: the next word's cue, or the film's end."""
    rules, following = here.rules, here.place + 1
    film_end = rules.media_duration_ms or None
    if following >= len(here.cues) or spoken.next_ms is None:
        return film_end
    starts = here.cues[following].start_ms
    if not _is_packed(here, following):
        # If the next cue comes before its own word, the word counts; if it waited for this cue, the cue
        # counts.
        starts = max(starts, spoken.next_ms)
    return starts - rules.min_gap_ms


def _is_packed(here: CueAmongOthers, place: int) -> bool:
    """Return whether the film's end leaves only their least durations to the cues from `place` on."""
    rules = here.rules
    if not rules.media_duration_ms:
        return False
    if _lacks_room(here):
        return True
    least = (len(here.cues) - place) * (rules.min_cue_ms + rules.min_gap_ms) - rules.min_gap_ms
    return rules.media_duration_ms - here.cues[place].start_ms <= least


def _lacks_room(here: CueAmongOthers) -> bool:
    """Return whether the film is shorter than the least durations of all its cues."""
    rules, count = here.rules, len(here.cues)
    least = count * (rules.min_cue_ms + rules.min_gap_ms) - rules.min_gap_ms
    return 0 < rules.media_duration_ms < least
