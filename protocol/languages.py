"""Languages as people write them (ISO 639-1) and as containers carry them (ISO 639-2/T, names)."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import UsageError
from protocol.timeline import UNDETERMINED

__all__ = [
    "IN_TWO_SCRIPTS",
    "UNSPACED",
    "Language",
    "Tag",
    "every_language",
    "every_script",
    "find_language",
    "find_tag",
    "language_name",
    "read_tag",
    "to_iso639_2",
]


UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue", "km"})
"""Languages written without spaces between words (faster-whisper's `split_to_word_tokens`, and Khmer)."""


@dataclass(frozen=True)
class Language:
    """`code` is ISO 639-1 where there is one, else 639-3; `alpha3` is ISO 639-2/T (or 639-3)."""

    code: str
    alpha3: str
    name: str


# Whisper's hundred languages and those of IndicTrans2 that Whisper lacks.
# Source: openai/whisper tokenizer.py (MIT) for the set, the Library of Congress for the codes.
_TABLE = """
af afr Afrikaans|am amh Amharic|ar ara Arabic|as asm Assamese|az aze Azerbaijani|ba bak Bashkir
be bel Belarusian|bg bul Bulgarian|bn ben Bengali|bo bod Tibetan|br bre Breton|bs bos Bosnian
ca cat Catalan|cs ces Czech|cy cym Welsh|da dan Danish|de deu German|el ell Greek|en eng English
es spa Spanish|et est Estonian|eu eus Basque|fa fas Persian|fi fin Finnish|fo fao Faroese|fr fra French
gl glg Galician|gu guj Gujarati|ha hau Hausa|haw haw Hawaiian|he heb Hebrew|hi hin Hindi|hr hrv Croatian
ht hat Haitian Creole|hu hun Hungarian|hy hye Armenian|id ind Indonesian|is isl Icelandic|it ita Italian
ja jpn Japanese|jw jav Javanese|ka kat Georgian|kk kaz Kazakh|km khm Khmer|kn kan Kannada|ko kor Korean
la lat Latin|lb ltz Luxembourgish|ln lin Lingala|lo lao Lao|lt lit Lithuanian|lv lav Latvian
mg mlg Malagasy|mi mri Maori|mk mkd Macedonian|ml mal Malayalam|mn mon Mongolian|mr mar Marathi
ms msa Malay|mt mlt Maltese|my mya Burmese|ne nep Nepali|nl nld Dutch|nn nno Norwegian Nynorsk
no nor Norwegian|oc oci Occitan|or ori Odia|pa pan Punjabi|pl pol Polish|ps pus Pashto|pt por Portuguese
ro ron Romanian|ru rus Russian|sa san Sanskrit|sd snd Sindhi|si sin Sinhala|sk slk Slovak|sl slv Slovenian
sn sna Shona|so som Somali|sq sqi Albanian|sr srp Serbian|su sun Sundanese|sv swe Swedish|sw swa Swahili
ta tam Tamil|te tel Telugu|tg tgk Tajik|th tha Thai|tk tuk Turkmen|tl tgl Tagalog|tr tur Turkish
tt tat Tatar|uk ukr Ukrainian|ur urd Urdu|uz uzb Uzbek|vi vie Vietnamese|yi yid Yiddish|yo yor Yoruba
yue yue Cantonese|zh zho Chinese
brx brx Bodo|doi doi Dogri|gom kok Konkani|ks kas Kashmiri|mai mai Maithili|mni mni Manipuri|sat sat Santali
"""

_LANGUAGES = {
    language.code: language
    for line in _TABLE.split("\n")
    for entry in line.split("|")
    if entry
    for language in (Language(*entry.split(" ", 2)),)
}
_ALIASES = {"jv": "jw", "kok": "gom", "fil": "tl"}
# ISO 639-2/B: what Matroska files carry where it differs from 639-2/T.
_BIBLIOGRAPHIC = {
    "alb": "sq",
    "arm": "hy",
    "baq": "eu",
    "bur": "my",
    "chi": "zh",
    "cze": "cs",
    "dut": "nl",
    "fre": "fr",
    "geo": "ka",
    "ger": "de",
    "gre": "el",
    "ice": "is",
    "mac": "mk",
    "mao": "mi",
    "may": "ms",
    "per": "fa",
    "rum": "ro",
    "slo": "sk",
    "tib": "bo",
    "wel": "cy",
}
_ALIASES |= _BIBLIOGRAPHIC
_BIBLIOGRAPHIC_OF = {code: alpha3 for alpha3, code in _BIBLIOGRAPHIC.items()}
_SCRIPT_LETTERS = 4
_BY_NAME = {language.name.casefold(): language for language in _LANGUAGES.values()}
_BY_ALPHA3 = {language.alpha3: language for language in _LANGUAGES.values()}


_SCRIPTS = {
    language: tuple(scripts.split())
    for languages, scripts in {
        "hi": "Deva Latn Arab",
        "ur": "Arab Deva Latn",
        "ks": "Arab Deva Latn",
        "pa": "Guru Latn Deva Arab",
        "mr ne sa mai gom brx doi": "Deva Latn",
        "bn as mni": "Beng Latn",
        "gu": "Gujr Latn",
        "or": "Orya Latn",
        "ta": "Taml Latn",
        "te": "Telu Latn",
        "kn": "Knda Latn",
        "ml": "Mlym Latn",
        "sr": "Cyrl Latn",
        "bs": "Latn Cyrl",
    }.items()
    for language in languages.split()
}
"""The scripts that a language can be asked in, the usual one first."""
IN_TWO_SCRIPTS = frozenset({"sr", "bs"})
"""Languages that are heard and translated in either script: the usual one is made, too."""
_SCRIPT_NAMES = {
    "Arab": "Arabic",
    "Beng": "Bengali",
    "Cyrl": "Cyrillic",
    "Deva": "Devanagari",
    "Latn": "Latin",
}


@dataclass(frozen=True)
class Tag:
    """A language and the script it is to be written in (BCP 47, `hi-Latn`)."""

    language: str
    """ISO 639-1, as `Language.code`."""
    script: str = ""
    """ISO 15924; empty: the one that the language is usually written in."""

    def __str__(self) -> str:
        return f"{self.language}-{self.script}" if self.script else self.language


def every_language() -> tuple[Language, ...]:
    """Return the languages that this program knows, by their codes."""
    return tuple(_LANGUAGES.values())


def every_script() -> tuple[Tag, ...]:
    """Return every language in every script that a target may name beside the usual one."""
    tags = (_tag(language, script) for language, scripts in _SCRIPTS.items() for script in scripts)
    return tuple(tag for tag in tags if tag.script)


def find_language(written: str) -> Language:
    """Return the language a person wrote as a code or an English name; `UsageError` where there is none."""
    key = written.strip().casefold()
    found = _LANGUAGES.get(_ALIASES.get(key, key)) or _BY_NAME.get(key) or _BY_ALPHA3.get(key)
    if found is None:
        message = f"{written!r} is not a language this program knows."
        raise UsageError(message, "Write an ISO 639-1 code such as hi, en, gu or ta.")
    return found


def find_tag(written: str) -> Tag:
    """Return the language a person wrote, with a script where it is not the usual one: `hi-Latn`, `Hindi`.

    Raises `UsageError` for a language or a script that there is not.
    """
    word, _, rest = written.strip().replace("_", "-").partition("-")
    script = rest.capitalize()
    if len(script) != _SCRIPT_LETTERS or not script.isalpha():
        return Tag(find_language(written).code)
    language = find_language(word)
    known = _SCRIPTS.get(language.code, ())
    if script not in known:
        message = f"{language.name} cannot be written in the script {script!r} here."
        ways = " or ".join(str(_tag(language.code, other)) for other in known)
        raise UsageError(message, f"Write {ways or language.code}.")
    return _tag(language.code, script)


def _tag(language: str, script: str) -> Tag:
    is_usual = _SCRIPTS[language][0] == script and language not in IN_TWO_SCRIPTS
    return Tag(language, "" if is_usual else script)


def read_tag(code: str) -> Tag:
    """Return the parts of a tag as this program writes it, such as a transcript's language."""
    language, _, script = code.partition("-")
    return Tag(language, script)


def to_iso639_2(code: str, *, bibliographic: bool = False) -> str:
    """Return the three-letter code that containers carry; `und` where the language is not known.

    Matroska carries the bibliographic one (RFC 9559, 5.1.4.1.19), mp4 the terminological one (ISO/IEC
    14496-12, 8.4.2): `fre` and `fra`. For most languages they are the same.
    """
    if bibliographic and code in _BIBLIOGRAPHIC_OF:
        return _BIBLIOGRAPHIC_OF[code]
    found = _LANGUAGES.get(code)
    return found.alpha3 if found else UNDETERMINED


def language_name(code: str) -> str:
    """Return the English name, or the code itself where there is none; `Hindi in Latin letters` of a tag."""
    tag = read_tag(code)
    found = _LANGUAGES.get(tag.language)
    if found is None or not tag.script:
        return found.name if found else code
    return f"{found.name} in {_SCRIPT_NAMES.get(tag.script, tag.script)} letters"
