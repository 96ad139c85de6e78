"""What holds for the cues of any words: thousands of streams in thirteen scripts, by all profiles."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
import regex
from hypothesis import HealthCheck, given, settings

from protocol.languages import UNSPACED
from protocol.subtitles.rules import INFORMING
from protocol.timeline import Cue, Word
from tests.conftest import Figure
from tests.word_streams import TEXTS, Case, cases
from workers.engines.common.cues.checking.quality import check
from workers.engines.common.cues.costs import HARD_PAUSE_MS, Prices, cheapest, cost
from workers.engines.common.cues.cut import cut, timed_tokens
from workers.engines.common.cues.phrases import Token
from workers.engines.common.cues.profiles import PROFILES
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.widths import cells_of_one, width
from workers.text.sentence_ends.rule import ends_sentence

MANY = {"deadline": None, "suppress_health_check": list(HealthCheck)}
GRAPHEME = regex.compile(r"\X")
SPACES = regex.compile(r"[\s\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+")
CONTROLS = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}]")
INVISIBLE = regex.compile(r"\p{Cf}+")
_FEW, _MORE = 2_000, 20_000


def graphemes(text: str) -> list[str]:
    return GRAPHEME.findall(text)


def bare(text: str) -> str:
    """Return what of a text is neither space nor control."""
    return SPACES.sub("", text)


def pieces(words: Sequence[Word]) -> list[str]:
    """Return what stands between spaces and controls in the words, where there is anything to see."""
    found = (part for word in words for part in SPACES.split(word.text))
    return [piece for piece in found if piece and not INVISIBLE.fullmatch(piece)]


def spans_of(cues: Sequence[Cue], tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Return which tokens each cue shows, by their letters alone."""
    ends = {
        end: place
        for place, end in enumerate(itertools.accumulate(len(bare(token.text)) for token in tokens), 1)
    }
    stops = [ends[at] for at in itertools.accumulate(len(bare("".join(cue.lines))) for cue in cues)]
    return list(itertools.pairwise([0, *stops]))


# The rules


def check_text(case: Case, cues: Sequence[Cue]) -> None:
    """Every word is there, once, in its place; cut apart is what no line holds, between graphemes."""
    words, room = pieces(case.words), case.rules.max_line_graphemes
    lines = [line for cue in cues for line in cue.lines]
    assert "".join(map(bare, lines)) == "".join(words)
    borders, inside = {0}, set()
    for word in words:
        begin, letters = max(borders), graphemes(word)
        places = list(itertools.accumulate(map(len, letters), initial=begin))
        inside |= set(places[1:-1]) if width(word, case.rules.language) > room else set()
        borders.add(places[-1])
    ends = set(itertools.accumulate(len(bare(line)) for line in lines))
    assert ends <= borders | inside
    spaced = case.rules.language not in ("ja", "zh")
    if spaced and all(width(word, case.rules.language) <= room for word in words):
        assert " ".join(lines).split() == words


def check_lines(case: Case, cues: Sequence[Cue]) -> None:
    for cue in cues:
        assert 1 <= len(cue.lines) <= case.rules.max_lines
        for line in cue.lines:
            assert line == line.strip() != ""
            assert width(line, case.rules.language) <= case.rules.max_line_graphemes
            assert not CONTROLS.search(line)


def check_times(case: Case, cues: Sequence[Cue]) -> None:
    """Durations and gaps are held but where the film is shorter than all its cues; the clock always is."""
    rules, least = case.rules, case.rules.min_cue_ms
    film_end = rules.media_duration_ms or math.inf
    fits = len(cues) * (least + rules.min_gap_ms) - rules.min_gap_ms <= film_end
    for cue in cues:
        assert type(cue.start_ms) is type(cue.end_ms) is int
        assert 0 <= cue.start_ms <= cue.end_ms <= film_end
        assert cue.end_ms - cue.start_ms <= rules.max_cue_ms
        assert cue.end_ms - cue.start_ms >= least or not fits
    for one, two in itertools.pairwise(cues):
        assert one.start_ms <= one.end_ms <= two.start_ms
        assert two.start_ms - one.end_ms >= rules.min_gap_ms or not fits


def check_places(case: Case, cues: Sequence[Cue], tokens: Sequence[Token]) -> None:
    """A cue comes with its first word, unless the film or a neighbour leaves no time; it goes soon."""
    rules, turn = case.rules, case.rules.min_cue_ms + case.rules.min_gap_ms
    film_end = rules.media_duration_ms or math.inf
    if case.tidy:
        starts = [word.start_ms for word in case.words]
        # In a script without spaces the letters of a word are one token.
        whole = rules.language in UNSPACED
        assert [token.start_ms for token in tokens] == starts or (
            whole and {token.start_ms for token in tokens} <= set(starts)
        )
    if len(cues) * turn - rules.min_gap_ms > film_end:
        return
    for place, (cue, (first, stop)) in enumerate(zip(cues, spans_of(cues, tokens), strict=True)):
        spoken, left = tokens[first].start_ms, len(cues) - place
        waited = place and cue.start_ms == cues[place - 1].start_ms + turn
        hurried = cue.start_ms == film_end - left * turn + rules.min_gap_ms
        assert (
            cue.start_ms == spoken
            or (waited and cue.start_ms > spoken)
            or (hurried and cue.start_ms < spoken)
        )
        soon = max(tokens[stop - 1].end_ms + rules.linger_ms, cue.start_ms + rules.min_cue_ms)
        closed = left > 1 and cues[place + 1].start_ms - cue.end_ms == rules.min_gap_ms
        assert cue.end_ms <= soon + (rules.close_gap_ms if closed else 0)


def check_judged(case: Case, cues: Sequence[Cue]) -> None:
    """The quality report finds nothing but what it can say the reason of."""
    found = check(cues, case.rules, case.words)
    assert [
        violation for violation in found if not violation.reason and violation.rule not in INFORMING
    ] == []
    if case.tidy:
        assert {violation.rule for violation in found} <= {"reading_speed", "word_time", *INFORMING}


# The costs


def check_breaks(
    prices: Prices, spans: Sequence[tuple[int, int]], tokens: Sequence[Token], rules: CueRules
) -> None:
    """Of two lines there are no better ones, and none at all where one does, but for a second speaker's."""
    breaks, room = prices.breaks, rules.max_line_graphemes * cells_of_one(rules.language)
    for first, stop in spans:
        least, places = breaks.best(first, stop, rules.max_lines)
        if turns := tuple(place for place in range(first + 1, stop) if tokens[place].opens_turn):
            assert places == turns
            assert len(turns) == 1
            continue
        tried = [
            _leaning(breaks.length(first, at), breaks.length(at, stop)) + breaks.borders[at]
            for at in range(first + 1, stop)
            if max(breaks.length(first, at), breaks.length(at, stop)) <= room
        ]
        assert (
            (least, places) == (0, ())
            if breaks.length(first, stop) <= room
            else least == pytest.approx(min(tried))
        )


def _leaning(upper: int, lower: int) -> float:
    if upper > lower:
        return (upper - lower) * 0.6
    return (lower - upper) * 0.3 + max(0, lower - upper - 12) * 0.3


def fits(tokens: Sequence[Token], rules: CueRules) -> bool:
    """Tell whether the tokens may be one cue, by filling line after line."""
    lines, used = 1, 0
    room = rules.max_line_graphemes * cells_of_one(rules.language)
    for place, token in enumerate(tokens):
        more = token.graphemes + (used > 0 and not token.glued)
        lines, used = (lines + 1, token.graphemes) if used + more > room else (lines, used + more)
        if place and token.start_ms - tokens[place - 1].end_ms > HARD_PAUSE_MS:
            return False
    lasts = tokens[-1].end_ms - tokens[0].start_ms
    return lines <= rules.max_lines and (len(tokens) == 1 or lasts <= rules.max_cue_ms)


def greedy(tokens: Sequence[Token], rules: CueRules) -> list[tuple[int, int]]:
    """Cut as a simple splitter does: fill the lines until they or the time are full, or speech stops."""
    spans, first = [], 0
    for place in range(1, len(tokens)):
        left, right = tokens[place - 1], tokens[place]
        ends = not right.inside_word and ends_sentence(left.text, right.text, rules.language)
        pause = right.start_ms - left.end_ms > rules.pause_ms
        if ends or pause or not fits(tokens[first : place + 1], rules):
            spans.append((first, place))
            first = place
    return [*spans, (first, len(tokens))]


def all_ways(tokens: Sequence[Token], rules: CueRules, first: int = 0) -> Iterator[list[tuple[int, int]]]:
    """Yield every way to cut the tokens into cues that may be."""
    if first == len(tokens):
        yield []
    for stop in range(first + 1, len(tokens) + 1):
        if fits(tokens[first:stop], rules):
            for rest in all_ways(tokens, rules, stop):
                yield [(first, stop), *rest]


def check_costs(case: Case, cues: Sequence[Cue], tokens: Sequence[Token]) -> tuple[float, float]:
    """Return what the cues cost and what a greedy splitter's cost."""
    if not tokens:
        return 0.0, 0.0
    prices = Prices(tokens, case.rules)
    assert spans_of(cues, tokens) == cheapest(prices)
    check_breaks(prices, cheapest(prices), tokens, case.rules)
    ours, theirs = cost(spans_of(cues, tokens), prices), cost(greedy(tokens, case.rules), prices)
    assert ours <= theirs < math.inf
    return ours, theirs


def check_all(case: Case, seen: Counter[str]) -> None:
    cues, tokens = cut(case.words, case.rules), timed_tokens(case.words, case.rules)
    check_text(case, cues)
    check_lines(case, cues)
    check_times(case, cues)
    check_places(case, cues, tokens)
    check_judged(case, cues)
    ours, theirs = check_costs(case, cues, tokens)
    seen.update(
        ("cases", f"in {case.rules.language}", f"by {case.profile}", "tidy" if case.tidy else "nasty")
    )
    seen["words"] += len(tokens)
    seen["cues"] += len(cues)
    seen["cheaper than greedy"] += ours < theirs


def said(seen: Counter[str]) -> str:
    scripts = sum(label.startswith("in ") for label in seen)
    profiles = sum(label.startswith("by ") for label in seen)
    return (
        f"word streams: {seen['cases']} cases ({seen['tidy']} as spoken, {seen['nasty']} as badly aligned), "
        f"{scripts} scripts, {profiles} profiles, {seen['words']} words, {seen['cues']} cues: every rule "
        f"held; cheaper than a greedy splitter in {seen['cheaper than greedy']}, dearer in 0"
    )


def run(examples: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @settings(max_examples=examples, **MANY)
    @given(cases())
    def every_rule_holds(case: Case) -> None:
        check_all(case, seen)

    every_rule_holds()
    return seen


@pytest.mark.slow
@pytest.mark.timeout(600)  # ten seconds of the processor
def test_every_rule_holds_for_any_words_in_any_script_and_no_greedy_splitter_is_cheaper(
    figure: Figure,
) -> None:
    seen = run(_FEW)
    figure(said(seen))
    assert seen["cases"] >= _FEW
    assert {label[3:] for label in seen if label.startswith("in ")} == set(TEXTS)
    assert {label[3:] for label in seen if label.startswith("by ")} == set(PROFILES)


@pytest.mark.long
@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_rule_holds_for_many_more(figure: Figure) -> None:
    figure(said(run(_MORE)))


def test_the_cuts_are_the_cheapest_of_all_there_are(figure: Figure) -> None:
    ways: list[int] = []

    @settings(max_examples=300, **MANY)
    @given(cases(most=12))
    def none_is_cheaper(case: Case) -> None:
        rules = case.rules
        tokens = timed_tokens(case.words, rules)[:12]
        if not tokens:
            return
        prices = Prices(tokens, rules)
        costs = [cost(way, prices) for way in all_ways(tokens, rules)]
        assert cost(cheapest(prices), prices) == pytest.approx(min(costs), rel=1e-9)
        ways.append(len(costs))

    none_is_cheaper()
    figure(f"short word streams: {len(ways)}, all {sum(ways)} ways to cut them compared: none is cheaper")
    assert max(ways) > 1_000
