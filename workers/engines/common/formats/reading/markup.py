"""SubRip's and WebVTT's markup, and what only looks like it. Pure.

Neither format escapes in practice what looks like a tag, so a tag is what has a tag's form: `x < y and z > w`
is text. Ruby (the small letters that tell how a word is said) is not read along with a line, so it is no part
of the line's text.
"""

from __future__ import annotations

import html
import re

__all__ = ["has_lost_text", "without_srt_markup", "without_vtt_markup"]

_NAMED = (
    "a|b|big|br|c|center|del|div|em|font|i|lang|p|rb|rp|rt|ruby|s|small|span|strike|strong|sub|sup|tt|u|v"
)
_TAG = re.compile(
    rf"</\s*(?:{_NAMED}|[a-z][\w-]+)\s*>"
    rf"|<(?:{_NAMED}|[a-z][\w-]+)(?:\.[^\s<>]*)?(?:\s+[\w:-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s<>]+))*\s*/?>"
    # Whose voice it is, or which language.
    r"|<(?:v|lang)(?:\.[^\s<>]*)?[ \t][^<>=]*>",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"<\d[\d:.]*>")
"""WebVTT: when the rest of the line is said."""
_RUBY_TEXT = re.compile(
    r"<(r[tp])\b[^<>]*>.*?(?:</\1\s*>|(?=</ruby\b|<r[tpb]\b)|\Z)", re.IGNORECASE | re.DOTALL
)
_OVERRIDE = re.compile(r"\{\\[^}]*\}")
_OPEN = re.compile(r"<[^<>]*>", re.DOTALL)


def without_srt_markup(text: str) -> str:
    """Return a SubRip cue's text without tags, ruby and SubStation's overrides."""
    return _OVERRIDE.sub("", _TAG.sub("", _RUBY_TEXT.sub("", text)))


def without_vtt_markup(text: str) -> str:
    """Return a WebVTT cue's text without tags and ruby, and with its escapes resolved (W3C, 6.4)."""
    return html.unescape(_MOMENT.sub("", _TAG.sub("", _RUBY_TEXT.sub("", text))))


def has_lost_text(text: str) -> bool:
    """Return whether a browser takes text for a tag: WebVTT wants `<` escaped, and this is none."""
    return _OPEN.search(_MOMENT.sub("", _TAG.sub("", text))) is not None
