"""Who says the words of a film, and how a cue shows that two people say them. Pure.

Where words have speakers, these decide whose turn it is. A dash in the text opens a turn only where the
voices do not contradict it. It is taken out, and a cue in which the speaker changes gets the hyphens of its
profile. Where no word has a speaker, nothing is done here: the dashes of the text stand for the speakers.
"""

# ruff: noqa: RUF001 - the dashes are meant.

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import regex

from protocol.timeline import Cue
from workers.engines.common.cues.marks import DASHES, is_lone
from workers.engines.common.cues.phrases import Token, count_graphemes, joiner
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.widths import cells, cells_of_one

__all__ = [
    "are_heard",
    "by_voices",
    "changes_of",
    "label_of",
    "open_turns",
    "without_hyphens",
]

_TURN_MARK = regex.compile(rf"^(?:>>+|[{regex.escape(DASHES)}])\s*")
_DASH = regex.compile(rf"^[{regex.escape(DASHES)}]+(?!\p{{N}})")
_GLUED = regex.compile(r"^[-‐‑–](?=[^\p{N}\p{Ll}\s‐‑–-])")
_FAR_MS = 2_000
"""So far from a word, nobody knows who speaks; no cue goes over such a pause."""
_INVISIBLE = regex.compile(r"[\p{Cf}\s]+")
_UNSEEN = regex.compile(r"[\p{C}\p{Z}]+")


def are_heard(tokens: Sequence[Token]) -> bool:
    """Return whether the speaker of any token is known."""
    return any(token.speaker for token in tokens)


def by_voices(
    tokens: Sequence[Token], ends: Sequence[bool], turns: Sequence[bool]
) -> tuple[list[Token], list[bool]]:
    """Return the tokens with all speakers that can be known, and where a dash of the text opens a turn.

    `ends` says where sentences end, `turns` which tokens a dash of the text makes a turn. A dash goes out of
    its token, and opens a turn unless the same voice is heard on both sides of it.
    """
    speakers = _filled(tokens, ends, turns)
    found: list[Token] = []
    opens: list[bool] = []
    pending = False
    for place, token in enumerate(tokens):
        text, opened = token.text, pending
        same = place > 0 and speakers[place] != "" and speakers[place] == speakers[place - 1]
        if turns[place]:
            opened = opened or not same
            text = _TURN_MARK.sub("", text)
        elif not token.inside_word:
            # Where the speaker changes, a dash is his, whatever follows. Elsewhere it would look like a turn.
            text = (_GLUED if same else _DASH).sub("", text)
        seen = _INVISIBLE.sub("", text) != ""
        pending = opened and not seen
        if seen:
            now = replace(token, text=text, speaker=speakers[place])
            found.append(now if text == token.text else replace(now, graphemes=count_graphemes(text)))
            opens.append(opened)
    return found, opens


def _filled(tokens: Sequence[Token], ends: Sequence[bool], turns: Sequence[bool]) -> list[str]:
    """Return a speaker for each token: one whose speaker is not known belongs to a neighbour.

    But not over a dash, which says that somebody else speaks, nor over a long pause. Nobody says a mark that
    stands alone.
    """
    speakers = ["" if is_lone(token.text) else token.speaker for token in tokens]
    apart = [two.start_ms - one.end_ms > _FAR_MS for one, two in itertools.pairwise(tokens)]
    borders = [0, *(at for at in range(1, len(tokens)) if turns[at] or apart[at - 1]), len(tokens)]
    for begin, end in itertools.pairwise(borders):
        known = [place for place in range(begin, end) if speakers[place]]
        if not known:
            continue
        speakers[begin : known[0]] = [speakers[known[0]]] * (known[0] - begin)
        speakers[known[-1] : end] = [speakers[known[-1]]] * (end - known[-1])
        for left, right in itertools.pairwise(known):
            at = right
            if speakers[left] != speakers[right]:
                at = max(range(left + 1, right + 1), key=lambda place: _fitness(tokens, ends, place))
            speakers[left:at] = [speakers[left]] * (at - left)
            speakers[at:right] = [speakers[right]] * (right - at)
    return speakers


def _fitness(tokens: Sequence[Token], ends: Sequence[bool], place: int) -> tuple[bool, bool, int]:
    """Return how well a change of speaker fits before a token: at a dash, a sentence's end, a pause."""
    dashed = tokens[place].text[0] in DASHES
    return dashed, ends[place - 1], tokens[place].start_ms - tokens[place - 1].end_ms


def open_turns(tokens: Sequence[Token], rules: CueRules) -> list[Token]:
    """Return the tokens with a turn wherever the speaker changes, and with labels if the rules name speakers.

    A label is that of the speaker's name, where it fits the line together with the word after it.
    """
    found: list[Token] = []
    names, last = dict(rules.names), ""
    for token in tokens:
        opens = token.opens_turn and not token.inside_word
        if token.speaker:
            opens = token.speaker != last
        if token.speaker or opens:
            last = token.speaker
        if opens and found:
            found[-1] = replace(found[-1], ends_sentence=True)
        now = replace(token, opens_turn=opens)
        found.append(_labelled(now, names.get(token.speaker, ""), rules) if opens else now)
    return found


def _labelled(token: Token, name: str, rules: CueRules) -> Token:
    label = label_of(name, rules.language)
    room = rules.max_line_graphemes * cells_of_one(rules.language)
    hyphen = max(cells(hyphen, rules.language) for hyphen in rules.hyphens)
    size = token.graphemes + cells(label, rules.language)
    return replace(token, label=label, graphemes=size) if label and size + hyphen <= room else token


def label_of(name: str, language: str) -> str:
    """Return how a line tells its speaker's name, `[Gabbar] `; empty for an empty name."""
    shown = _UNSEEN.sub(" ", name).strip()
    return f"[{shown}]{joiner(language)}" if shown else ""


def changes_of(speakers: Sequence[str]) -> int:
    """Return how often the speaker changes from line to line; one who is not known is another."""
    return sum(one != two for one, two in itertools.pairwise(speakers))


def without_hyphens(cue: Cue, rules: CueRules, *, heard: bool = False) -> tuple[str, ...]:
    """Return the lines of a cue without the hyphens that two speakers get.

    `heard`: the cues were cut where speakers are known. Then two who are not known have hyphens, too.
    """
    hyphens = [rules.hyphens[0 if place == 0 else 1] for place in range(len(cue.lines))]
    pairs = list(zip(cue.lines, hyphens, strict=True))
    unknown = heard and len(pairs) == 2 and not any(cue.speakers)
    if changes_of(cue.speakers) or (unknown and all(line.startswith(hyphen) for line, hyphen in pairs)):
        return tuple(line.removeprefix(hyphen) for line, hyphen in pairs)
    return cue.lines
