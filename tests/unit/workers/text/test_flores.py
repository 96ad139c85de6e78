from __future__ import annotations

import re

import pytest

from envspecs.models.registry import read_registry
from protocol.errors import InputError, UsageError
from protocol.languages import find_language
from workers.text.flores import INDICTRANS2, NLLB, indictrans2_tag, nllb_tag
from workers.text.scripts import scripts_of

TAG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
OF_INDICTRANS2 = """
asm_Beng ben_Beng brx_Deva doi_Deva gom_Deva guj_Gujr hin_Deva kan_Knda kas_Arab kas_Deva mai_Deva mal_Mlym
mar_Deva mni_Beng mni_Mtei npi_Deva ory_Orya pan_Guru san_Deva sat_Olck snd_Arab snd_Deva tam_Taml tel_Telu
urd_Arab eng_Latn
"""


def test_indictrans2_has_its_26_tags():
    assert sorted(tag for tags in INDICTRANS2.values() for tag in tags) == sorted(OF_INDICTRANS2.split())


@pytest.mark.parametrize("table", [INDICTRANS2, NLLB])
def test_every_language_is_one_of_the_programs_and_every_tag_has_the_form(table):
    for code, tags in table.items():
        assert find_language(code).code == code
        assert all(TAG.fullmatch(tag) for tag in tags)
    every = [tag for tags in table.values() for tag in tags]
    assert len(set(every)) == len(every)


@pytest.mark.parametrize(
    ("code", "tag"),
    [("hi", "hin_Deva"), ("gom", "gom_Deva"), ("brx", "brx_Deva"), ("ks", "kas_Arab"), ("en", "eng_Latn")],
)
def test_indictrans2_is_given_the_usual_script(code, tag):
    assert indictrans2_tag(code) == tag


@pytest.mark.parametrize(
    ("code", "tag"),
    [("de", "deu_Latn"), ("no", "nob_Latn"), ("zh", "zho_Hans"), ("jw", "jav_Latn"), ("sq", "als_Latn")],
)
def test_nllb_is_given_the_usual_script(code, tag):
    assert nllb_tag(code) == tag


def test_another_script_can_be_asked_for():
    assert indictrans2_tag("ks", "Deva") == "kas_Deva"
    assert indictrans2_tag("mni", "beng") == "mni_Beng"
    assert nllb_tag("zh", "Hant") == "zho_Hant"
    assert nllb_tag("sat", "Olck") == "sat_Beng"


def test_a_script_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(UsageError, match="does not write Kashmiri in the script 'Latn'") as caught:
        indictrans2_tag("ks", "Latn")
    assert caught.value.remedy == "Write Arab or Deva, or no script."


@pytest.mark.parametrize(
    ("tag_of", "code"), [(indictrans2_tag, "si"), (indictrans2_tag, "de"), (nllb_tag, "br")]
)
def test_a_language_that_a_family_has_not_is_refused(tag_of, code):
    with pytest.raises(InputError, match="does not have the language"):
        tag_of(code)


def test_the_registrys_models_have_the_tables_languages():
    indic = set(INDICTRANS2) - {"en"}
    for model in read_registry().values():
        if model.kind == "nllb":
            assert set(model.translates_from) == set(model.translates_to) == set(NLLB)
        if model.kind == "indictrans2":
            sides = model.id.removeprefix("indictrans2-").split("-")[:2]
            meant = [{"en"} if side == "en" else indic for side in sides]
            assert [set(model.translates_from), set(model.translates_to)] == meant


@pytest.mark.parametrize("table", [INDICTRANS2, NLLB])
def test_the_script_of_a_tag_is_one_that_the_languages_texts_are_judged_by(table):
    for code, tags in table.items():
        for tag in tags:
            script = "Olck" if tag == "sat_Beng" else tag[4:]
            names, allowed = scripts_of("", script), scripts_of(code)
            assert names, f"{script} is no script that texts are judged by"
            assert not allowed or set(names) & set(allowed), f"{tag} is not written in {allowed}"
