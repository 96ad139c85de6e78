"""SubRip's and WebVTT's markup, and what only looks like it. Pure.

Neither format escapes in practice what looks like a tag, so a tag is what has a tag's form: `x < y and z > w`
is text. Ruby (the small letters that tell how a word is said) is not read along with a line, so it is no part
of the line's text.
"""

from __future__ import annotations

import html
import re

__all__ = ["has_lost_text", "voices_of", "without_srt_markup", "without_vtt_markup"]

_NAMED = (
    "a|b|big|br|c|center|del|div|em|font|i|lang|p|rb|rp|rt|ruby|s|small|span|strike|strong|sub|sup|tt|u|v"
)
_TAG = re.compile(
    rf"</\s*(?:{_NAMED}|[a-z][\w-]+)\s*>"
    rf"|<(?:{_NAMED}|[a-z][\w-]+)(?:\.[^\s<>]*)?(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>"
    # Whose voice it is, or which language.
    r"|<(?:v|lang)(?:\.[^\s<>]*)?[ \t]+[^\s<>=][^<>]*>",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"<\d[\d:.]*>")
"""WebVTT: when the rest of the line is said."""
_RUBY_TEXT = re.compile(
    r"<(r[tp])\b[^<>]*>.*?(?:</\1\s*>|(?=</ruby\b|<r[tpb]\b)|\Z)", re.IGNORECASE | re.DOTALL
)
_OVERRIDE = re.compile(r"\{\\[^}]*\}")
_VOICE = re.compile(r"(</v>|<v(?:\.[^\s<>]*)?[ \t]+[^\s<>=][^<>]*>)")
_OPEN = re.compile(r"<[^<>]*>", re.DOTALL)


def without_srt_markup(text: str) -> str:
    """Return a SubRip cue's text without tags, ruby and SubStation's overrides."""
    return _OVERRIDE.sub("", _TAG.sub("", _RUBY_TEXT.sub("", text)))


def without_vtt_markup(text: str) -> str:
    """Return a WebVTT cue's text without tags and ruby, and with its escapes resolved (W3C, 6.4)."""
    return html.unescape(_MOMENT.sub("", _TAG.sub("", _RUBY_TEXT.sub("", text))))


def voices_of(text: str) -> tuple[str, ...]:
    """Return who says each line of a WebVTT cue's text, by its voice spans; empty where none tells it."""
    found, voice = [], ""
    for line in text.split("\n"):
        of_line = ""
        # Text stands between the tags: the first that is heard in a line is whose line it is.
        for at, part in enumerate(_VOICE.split(line)):
            if at % 2:
                voice = html.unescape(part[2:-1].partition(" ")[2]).strip() if part[1] != "/" else ""
            elif _TAG.sub("", part).strip():
                of_line = of_line or voice
        found.append(of_line)
    return tuple(found)


def has_lost_text(text: str) -> bool:
    """Return whether a browser takes text for a tag: WebVTT wants `<` escaped, and this is none."""
    return _OPEN.search(_MOMENT.sub("", _TAG.sub("", text))) is not None
