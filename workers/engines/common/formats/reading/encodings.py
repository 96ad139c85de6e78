"""Finds the encoding of a text file: by marks, zero bytes, UTF-8, then by the letters. Pure.

Before Unicode, a language had its own encoding. Bytes that are read with a wrong one give letters that no
language uses in that way. So each candidate is judged by how many of its letters beyond ASCII belong to its
language.

Bytes get lost or damaged on the way: a file is still in the encoding that nearly all of it has. What cannot
be read in it becomes U+FFFD.
"""

# ruff: noqa: RUF001 - the letters are the subject.

from __future__ import annotations

import codecs
from collections import Counter

__all__ = ["LOST", "decode"]

LOST = "\ufffd"
"""Stands where a byte cannot be read."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32's mark begins with UTF-16's, so it comes first."""

_HIRAGANA = (
    "ぁあいうえおかがきぎくぐけげこごさざしじすずせぜそぞただちっつてでとどなにのはば"
    "ひびふぶへべほぼまみむめもゃやゅゆょよらりるれろわをん"
)
_SYLLABLES = (
    "이다는에가을하고의지도은니어아로한사자기나그를라대서리시들게일만보있말해요했면내"
    "너거정것인었안않네야우까주오여수무"
)
"""The most frequent syllables of Korean."""
_LETTERS = (
    # All letters beyond ASCII if these have accents, else the most frequent ones.
    ("cp1252", "fr", "éèêëàâçùûîïôœÉÈÊÀÇÔ"),
    ("cp1252", "de", "äöüßÄÖÜ"),
    ("cp1252", "es", "ñáéíóúüÁÉÍÓÚÑ"),
    ("cp1252", "pt", "ãõáéíóúâêôçàÁÉÍÓÃ"),
    ("cp1252", "it", "àèéìòùÈÀ"),
    ("cp1252", "sv", "åäöéÅÄÖ"),
    ("cp1252", "da", "åæøéÅÆØ"),
    ("cp1252", "no", "åæøéÅÆØ"),
    ("cp1252", "nl", "éëïóèö"),
    ("cp1252", "fi", "äöåÄÖ"),
    ("cp1252", "is", "áðéíóúýþæöÁÐÉÍÓÚÞÆÖ"),
    ("cp1250", "cs", "áčďéěíňóřšťúůýžČŠŘŽÁÚ"),
    ("cp1250", "sk", "áäčďéíľňóôšťúýžČŠŽ"),
    ("cp1250", "pl", "ąćęłńóśźżŁŚŻ"),
    ("cp1250", "hu", "áéíóöőúüűÁÉÓÖ"),
    ("cp1250", "hr", "čćđšžČŠŽ"),
    ("cp1250", "sl", "čšžČŠŽ"),
    ("cp1250", "ro", "ăâîşţÎŞ"),
    ("cp1254", "tr", "çğıöşüÇĞİÖŞÜ"),
    ("cp1257", "lt", "ąčęėįšųūž"),
    ("cp1257", "lv", "āčēģīķļņšūž"),
    ("cp1251", "ru", "оеаинтсрвлкмд"),
    ("cp1251", "uk", "оаиніетврслкуд"),
    ("cp1251", "bg", "аеиотнрсвдлкъ"),
    ("cp1251", "sr", "аоиенрсјтукдм"),
    ("koi8-r", "ru", "оеаинтсрвлкмд"),
    ("cp1253", "el", "αοιετσνηυρπκμςλάέίόή"),
    ("cp1255", "he", "יוהלאתרבשמנ"),
    ("cp1256", "ar", "اليمونرتبةهع"),
    ("cp1256", "fa", "اینردهوتمبسش"),
    ("cp874", "th", "านรกเอมงลยวดท่้ไม"),
    ("cp932", "ja", _HIRAGANA),
    ("euc_jp", "ja", _HIRAGANA),
    ("cp949", "ko", _SYLLABLES),
    (
        "gb18030",
        "zh",
        "的是不我一了有人在他这你们来到说就那要会没好么什得上下里去过道想知看都也很吧吗把能和她",
    ),
    ("big5", "zh", "的是不我一了有人在他這你們來到說就那要會沒好麼什得上下裡去過道想知看都也很吧嗎把能和她"),
)
_ACCEPTED = 0.2
"""The share of the letters beyond ASCII that must belong to the language."""
_FALLBACK = "cp1252"
_MARKED_UTF8 = "utf-8-sig"
_MOST_ZEROS = 0.005
_MOST_LOST = 0.005
"""The share of a text in Unicode that may be lost."""
_MOST_LOST_LETTERS = 0.03
"""The share of a text's letters beyond ASCII that an encoding may be unable to read; two always may be."""
_SAMPLE_BYTES = 200_000


def decode(data: bytes, language: str = "") -> tuple[str, str] | None:
    """Return the text and the encoding's name; None if no encoding known here gives text.

    `language` (ISO 639-1) decides if several encodings are possible.
    """
    named = _by_mark(data) or _by_zeros(data)
    if named and named != _MARKED_UTF8:
        return _named(data, named)
    # Zeros at the end are what a copy that was broken off leaves.
    data = data.removeprefix(codecs.BOM_UTF8).rstrip(b"\0")
    if data.count(0) > len(data) * _MOST_ZEROS:
        return None
    parts = data.split(codecs.BOM_UTF8)
    if len(parts) > 1 and _try(data, "utf-8") is None:
        return _each(parts, language)
    encoding = "utf-8" if _is_utf8(data) else _by_letters(data, language)
    if encoding is None:
        return None
    return data.decode(encoding, "replace"), named if named and encoding == "utf-8" else encoding


def _named(data: bytes, encoding: str) -> tuple[str, str] | None:
    text = data.decode(encoding, "replace")
    return (text, encoding) if text.count(LOST) <= max(1, len(text) * _MOST_LOST) else None


def _each(parts: list[bytes], language: str) -> tuple[str, str] | None:
    """Return the text of files that were joined, each with its own encoding; the first one's is named."""
    decoded = [decode(part, language) for part in parts]
    found = [part for part in decoded if part is not None]
    return ("\ufeff".join(text for text, _ in found), found[0][1]) if len(found) == len(parts) else None


def _is_utf8(data: bytes) -> bool:
    """Return whether the text is UTF-8, or most of what is not ASCII in it.

    Text in other encodings has few or no sequences that could be UTF-8: under half as many as others, in the
    languages of `_LETTERS`.
    """
    if _try(data, "utf-8") is not None:
        return True
    text = data.decode("utf-8", "replace")
    lost = text.count(LOST) - data.count(LOST.encode())
    return sum(character > "\x7f" and character != LOST for character in text) >= lost


def _by_mark(data: bytes) -> str | None:
    return next((name for mark, name in _MARKS if data.startswith(mark)), None)


def _by_zeros(data: bytes) -> str | None:
    """Return the kind of UTF-16 without a mark: in it, times and line ends have zero bytes."""
    sample = data[: _SAMPLE_BYTES // 2 * 2]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) <= len(sample) / 10 or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeError:
        return None


def _by_letters(data: bytes, language: str) -> str | None:
    best, found = _ACCEPTED, _FALLBACK if _letters(data, _FALLBACK) is not None else None
    counts: dict[str, Counter[str] | None] = {}
    for encoding, of_language, letters in _LETTERS:
        if encoding not in counts:
            counts[encoding] = _letters(data, encoding)
        count = counts[encoding]
        if count is None:
            continue
        share = sum(count[letter] for letter in letters) / max(1, count.total())
        if share > _ACCEPTED:
            # The language that a person or the file's name gives counts more than the letters.
            share += of_language == language
        if share > best:
            best, found = share, encoding
    return found


def _letters(data: bytes, encoding: str) -> Counter[str] | None:
    """Return how often each letter beyond ASCII is in the text; None if it is not in this encoding."""
    count = _beyond_ascii(data.decode(encoding, "replace"))
    return count if count[LOST] <= max(2, count.total() * _MOST_LOST_LETTERS) else None


def _beyond_ascii(text: str) -> Counter[str]:
    """Count the characters beyond ASCII, except marks that all Windows encodings have in one place."""
    return Counter(
        character for character in text if ord(character) > 0x7F and character not in "’‘“”„…–—«»\u00a0"
    )
