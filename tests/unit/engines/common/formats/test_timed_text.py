from __future__ import annotations

import pytest

from workers.engines.common.formats.reading.timed_text import read_timed_text

HEAD = (
    '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"'
    ' xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xmlns:ttp="http://www.w3.org/ns/ttml#parameter"'
    ' ttp:frameRate="25">'
)


def cues(body: str, head: str = "") -> list[tuple[int, int, str]]:
    document = f"{HEAD}<head><styling>{head}</styling></head><body>{body}</body></tt>"
    return [(cue.start_ms, cue.end_ms, "|".join(cue.lines)) for cue in read_timed_text(document).cues]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (
            '<div><p><span begin="1s" end="2s">One.</span><span begin="3s" end="4s">Two.</span></p></div>',
            [(1_000, 2_000, "One."), (3_000, 4_000, "Two.")],
        ),
        (
            '<div begin="10s"><div begin="1s"><p begin="1s" end="3s">In.</p></div></div>',
            [(12_000, 14_000, "In.")],
        ),
        ('<div begin="1s" end="3s"><p>All <span>of</span> it.</p></div>', [(1_000, 3_000, "All of it.")]),
        (
            '<div><p begin="1s" end="5s">One.<br/><span begin="2s">Two.</span></p></div>',
            [(1_000, 3_000, "One."), (3_000, 5_000, "One.|Two.")],
        ),
        (
            '<div><p begin="10s" end="14s"><span begin="10s" end="12s">From the start.</span></p></div>',
            [(10_000, 12_000, "From the start.")],
        ),
        (
            '<div timeContainer="seq"><p dur="2s">One.</p><p begin="1s" dur="2s">Two.</p></div>',
            [(0, 2_000, "One."), (3_000, 5_000, "Two.")],
        ),
        (
            '<div><p begin="1s">Until</p><p begin="3s" end="4s">then.</p></div>',
            [(1_000, 3_000, "Until"), (3_000, 4_000, "then.")],
        ),
        (
            '<div><p begin="2s" end="3s">B</p><p begin="00:00:01:05" end="1500ms">A</p></div>',
            [(1_200, 1_500, "A"), (2_000, 3_000, "B")],
        ),
        (
            '<div><p begin="1s" end="3s"><ttm:desc>a bell</ttm:desc> Ding. </p></div>',
            [(1_000, 3_000, "Ding.")],
        ),
        ('<div><p begin="1s" end="3s"><br/></p></div>', [(1_000, 3_000, "")]),
    ],
)
def test_what_is_seen_at_each_moment_is_a_cue(body, seen):
    assert cues(body) == seen


@pytest.mark.parametrize(
    ("head", "rt"),
    [
        ("", 'tts:ruby="text"'),
        ('<style xml:id="r" tts:ruby="text"/>', 'style="x r"'),
        ('<style xml:id="q" tts:ruby="textContainer"/><style xml:id="r" style="q"/>', 'style="r"'),
    ],
)
def test_ruby_is_no_text_of_the_line(head, rt):
    ruby = f'<span tts:ruby="container"><span tts:ruby="base">base</span><span {rt}>said so</span></span>'
    body = f'<div><p begin="1s" end="2s">The {ruby}.</p></div>'
    assert cues(body, head) == [(1_000, 2_000, "The base.")]


def test_the_frame_rate_is_told_and_a_time_that_is_none_is_an_error():
    assert read_timed_text(f"{HEAD}<body/></tt>").frames_per_second == 25.0
    assert read_timed_text("<tt><body/></tt>").frames_per_second is None
    with pytest.raises(ValueError, match="'soon' is not a time"):
        cues('<div><p begin="soon" end="2s">x</p></div>')
