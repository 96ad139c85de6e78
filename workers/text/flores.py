"""The names that translation models give languages: FLORES-200 codes, a language and a script. Pure.

A person writes ISO 639-1 (`protocol.languages`). Where a language has several scripts, a person may name one
(ISO 15924); the first is the usual one.

Sources: the FLORES-200 list of the NLLB team (2022) as transformers' `tokenization_nllb.py` has it; the
language tags of IndicTrans2 (Gala et al. 2023, table 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from protocol.errors import InputError, UsageError
from protocol.languages import language_name
from protocol.stages.translate import TranslateRequest

__all__ = [
    "ENGLISH",
    "INDICTRANS2",
    "NLLB",
    "find_tag",
    "indictrans2_tag",
    "nllb_tag",
    "read_table",
    "tags_of",
]

ENGLISH = "en"


def read_table(text: str) -> dict[str, tuple[str, ...]]:
    """Return language to tags, the usual one first; the text has them as `ks kas_Arab kas_Deva|...`."""
    entries = (part.split() for line in text.splitlines() for part in line.split("|") if part.strip())
    return {code: tuple(tags) for code, *tags in entries}


# Kashmiri and Sindhi are mostly written in Arabic script. Of Manipuri's two scripts, the law of the state
# names Meetei Mayek, and its newspapers use it since 2023.
INDICTRANS2: dict[str, tuple[str, ...]] = read_table("""
en eng_Latn|as asm_Beng|bn ben_Beng|brx brx_Deva|doi doi_Deva|gom gom_Deva|gu guj_Gujr|hi hin_Deva|kn kan_Knda
ks kas_Arab kas_Deva|mai mai_Deva|ml mal_Mlym|mni mni_Mtei mni_Beng|mr mar_Deva|ne npi_Deva|or ory_Orya
pa pan_Guru|sa san_Deva|sat sat_Olck|sd snd_Arab snd_Deva|ta tam_Taml|te tel_Telu|ur urd_Arab
""")
"""Languages of IndicTrans2: English and the 22 scheduled languages of India."""

# NLLB's tag for Santali says Beng by mistake; its text is Ol Chiki (FLORES-200 README).
NLLB: dict[str, tuple[str, ...]] = read_table("""
af afr_Latn|am amh_Ethi|ar arb_Arab|as asm_Beng|az azj_Latn|ba bak_Cyrl|be bel_Cyrl|bg bul_Cyrl|bn ben_Beng
bo bod_Tibt|bs bos_Latn|ca cat_Latn|cs ces_Latn|cy cym_Latn|da dan_Latn|de deu_Latn|el ell_Grek|en eng_Latn
es spa_Latn|et est_Latn|eu eus_Latn|fa pes_Arab|fi fin_Latn|fo fao_Latn|fr fra_Latn|gl glg_Latn|gu guj_Gujr
ha hau_Latn|he heb_Hebr|hi hin_Deva|hr hrv_Latn|ht hat_Latn|hu hun_Latn|hy hye_Armn|id ind_Latn|is isl_Latn
it ita_Latn|ja jpn_Jpan|jw jav_Latn|ka kat_Geor|kk kaz_Cyrl|km khm_Khmr|kn kan_Knda|ko kor_Hang
ks kas_Arab kas_Deva|lb ltz_Latn|ln lin_Latn|lo lao_Laoo|lt lit_Latn|lv lvs_Latn|mai mai_Deva|mg plt_Latn
mi mri_Latn|mk mkd_Cyrl|ml mal_Mlym|mn khk_Cyrl|mni mni_Beng|mr mar_Deva|ms zsm_Latn|mt mlt_Latn|my mya_Mymr
ne npi_Deva|nl nld_Latn|nn nno_Latn|no nob_Latn|oc oci_Latn|or ory_Orya|pa pan_Guru|pl pol_Latn|ps pbt_Arab
pt por_Latn|ro ron_Latn|ru rus_Cyrl|sa san_Deva|sat sat_Beng|sd snd_Arab|si sin_Sinh|sk slk_Latn|sl slv_Latn
sn sna_Latn|so som_Latn|sq als_Latn|sr srp_Cyrl|su sun_Latn|sv swe_Latn|sw swh_Latn|ta tam_Taml|te tel_Telu
tg tgk_Cyrl|th tha_Thai|tk tuk_Latn|tl tgl_Latn|tr tur_Latn|tt tat_Cyrl|uk ukr_Cyrl|ur urd_Arab|uz uzn_Latn
vi vie_Latn|yi ydd_Hebr|yo yor_Latn|yue yue_Hant|zh zho_Hans zho_Hant
""")
"""Languages of NLLB-200. It does not have Breton, Hawaiian, Latin, Bodo, Dogri and Konkani."""

_SCRIPTS = {"sat_Beng": "Olck"}


def tags_of(request: TranslateRequest, tag: Callable[[str, str], str]) -> tuple[str, str]:
    """Return the tags of the request's source and target; `tag` returns the tag of a language and a script.

    Raises `InputError` where they are the same, and what `tag` raises.
    """
    source = tag(request.source_language, request.source_script)
    target = tag(request.target_language, request.target_script)
    if source == target:
        message = f"The film is in {language_name(request.source_language)}: there is nothing to translate."
        raise InputError(message)
    return source, target


def indictrans2_tag(language: str, script: str = "") -> str:
    """Return IndicTrans2's tag, as `hin_Deva`; see `find_tag` for what is refused."""
    return find_tag(INDICTRANS2, "IndicTrans2", language, script)


def nllb_tag(language: str, script: str = "") -> str:
    """Return NLLB's tag, as `zho_Hans`; see `find_tag` for what is refused."""
    return find_tag(NLLB, "NLLB", language, script)


def find_tag(table: Mapping[str, tuple[str, ...]], family: str, language: str, script: str) -> str:
    """Return the language's usual tag or the one in `script`.

    Raises `InputError` for a language that the family does not have, `UsageError` for a script that the
    language does not have.
    """
    tags = table.get(language)
    if tags is None:
        message = f"{family} does not have the language {language_name(language)} ({language})."
        raise InputError(message, "Translate with another environment, or into another language.")
    by_script = {_SCRIPTS.get(tag, tag.partition("_")[2]): tag for tag in tags}
    if script and script.title() not in by_script:
        message = f"{family} does not write {language_name(language)} in the script {script!r}."
        raise UsageError(message, f"Write {' or '.join(by_script)}, or no script.")
    return by_script[script.title()] if script else tags[0]
