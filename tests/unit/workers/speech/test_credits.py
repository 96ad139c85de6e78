"""The table of phrases that nobody says in a film."""

from __future__ import annotations

import unicodedata

import pytest

from workers.speech.credits import credit_in, folded


@pytest.mark.parametrize(
    "sentence",
    [
        "Thanks for watching!",
        "THANK YOU FOR WATCHING.",
        "Don’t forget to like and subscribe!",  # noqa: RUF001 (the letters are meant)
        "Subtitles by the Amara.org community",
        "Transcribed by ESO, translated by —",
        "देखने के लिए धन्यवाद।",
        "वीडियो को लाइक और शेयर करें।",
        "চ্যানেলটি সাবস্ক্রাইব করুন।",
        "பார்த்ததற்கு நன்றி!",
        "చూసినందుకు ధన్యవాదాలు.",
        "ದೇಖನೆ www.example.in",
        "دیکھنے کا شکریہ۔",  # noqa: RUF001 (the letters are meant)
        "ご視聴ありがとうございました。",
        "ご視聴 ありがとう ございました",
        "字幕由 Amara.org 社区提供",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "시청해주셔서 감사합니다!",
        "¡Suscríbete al canal!",
        "Merci d'avoir regardé cette vidéo !",
        "Untertitelung des ZDF, 2020",
        "Субтитры сделал DimaTorzok",
        "İzlediğiniz için teşekkür ederim.",
        "Abone olmayı unutmayın.",  # noqa: RUF001 (the letters are meant)
        "ترجمة نانسي قنقر",
    ],
)
def test_a_credit_is_known_in_many_languages_whatever_its_case_and_punctuation(sentence):
    assert credit_in(sentence)
    assert credit_in(unicodedata.normalize("NFD", sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        "Thank you for watching the children while I was away.",
        "Who is watching?",
        "Subtitles are for people who cannot hear, and for all who would rather read than listen to films.",
        "धन्यवाद।",
        "मुझे देखने के लिए वह आया।",
        "ありがとうございました。",
        "நன்றி!",
        "The ends justify the means.",
        "",
        "...",
    ],
)
def test_a_sentence_that_only_resembles_one_is_none(sentence):
    assert credit_in(sentence) == ""


def test_folding_takes_no_sign_off_an_indic_letter():
    assert folded("हिन्दी, में!") == "हिन्दी में"
    assert folded("ज़्यादा") == folded(unicodedata.normalize("NFD", "ज़्यादा"))
    assert folded("தமிழ்.") == "தமிழ்"
    assert folded("क्\u200dष।") == "क्ष"
