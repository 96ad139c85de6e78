"""Makes a small model's folder: python -m tests.checkpoints.indictrans2.making FOLDER WANTED (JSON)."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from tests.checkpoints.texts import made_up, shared
from workers.text.flores import INDICTRANS2

_CODE = Path(__file__).with_name("code")
_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
_TAGS = [tag for tags in INDICTRANS2.values() for tag in tags]
_WORDS = {"indic": re.compile(r"▁?[\u0904-\u0939][\u0904-\u094d]{1,7}"), "en": re.compile(r"▁?[a-z]{3,9}")}
_MOST_WORDS = 600
_MOST_SIGNS = 300
_STRIDE = 7_919
"""A prime, so that neighbours in one vocabulary are no neighbours in the other."""
_SEED = 5
_PLACEHOLDER = frozenset({"ID", "▁ID", "▁<", "▁>", *"<>123456789"})
"""What stands for numbers and addresses while a sentence is translated."""


def main(folder: Path, *, direction: str, real_files: bool, raw_positions: bool) -> None:
    """Fill the folder; the same bytes for the same wanted."""
    sides = dict(zip(("SRC", "TGT"), direction.split("-"), strict=True))
    _put_tokenizer(folder, sides, real_files=real_files)
    words = json.loads((folder / "dict.SRC.json").read_text(encoding="utf-8"))
    targets = _cut(json.loads((folder / "dict.TGT.json").read_text(encoding="utf-8")), sides["TGT"])
    _write(folder / "dict.TGT.json", targets)
    # English ends its sentences with another sign.
    stops = {} if direction == "indic-indic" else {"▁।": "▁.", "▁.": "▁।"}
    cipher = _cipher(words, targets, sides["TGT"], stops)
    said = {number: word for word, number in targets.items()}
    _write(folder / "tags.json", {tag: said[cipher[words[tag]]].strip("▁") for tag in _TAGS if tag in words})
    for path in _CODE.glob("*.py"):
        shutil.copyfile(path, folder / path.name)
    _write(folder / "config.json", _config(len(words), len(targets), raw_positions=raw_positions))
    tokenizer = ["tokenization_sketch.SketchTokenizer", None]
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "SketchTokenizer", "auto_map": {"AutoTokenizer": tokenizer}},
    )
    _put_weights(folder, cipher)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _config(sources: int, targets: int, *, raw_positions: bool) -> dict[str, object]:
    return {
        "model_type": "indictrans2_sketch",
        "architectures": ["SketchForTranslation"],
        "auto_map": {
            "AutoConfig": "configuration_sketch.SketchConfig",
            "AutoModelForSeq2SeqLM": "modeling_sketch.SketchForTranslation",
        },
        "encoder_vocab_size": sources,
        "decoder_vocab_size": targets,
        "raw_positions": raw_positions,
    }


def _put_tokenizer(folder: Path, sides: dict[str, str], *, real_files: bool) -> None:
    """Put the four files: those of IndicTrans2 where they are, whose two directions have them all."""
    origin = shared("indictrans2") if real_files else None
    if origin is None:
        _train(folder)
        return
    for side, languages in sides.items():
        direction = {
            "SRC": {"en": "en-indic", "indic": "indic-en"},
            "TGT": {"en": "indic-en", "indic": "en-indic"},
        }
        for name in (f"dict.{side}.json", f"model.{side}"):
            shutil.copyfile(origin / direction[side][languages] / name, folder / name)


def _train(folder: Path) -> None:
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    with tempfile.TemporaryDirectory() as aside:
        text = Path(aside) / "lines.txt"
        text.write_text("\n".join([*made_up(), *["< ID1 > < ID2 >"] * 20]), encoding="utf-8")
        SentencePieceTrainer.train(
            input=str(text),
            model_prefix=f"{aside}/pieces",
            vocab_size=2_000,
            model_type="bpe",
            character_coverage=1.0,
            num_threads=1,
            minloglevel=2,
        )
        for side in ("SRC", "TGT"):
            shutil.copyfile(f"{aside}/pieces.model", folder / f"model.{side}")
        pieces = SentencePieceProcessor(model_file=f"{aside}/pieces.model")
        words = [pieces.IdToPiece(number) for number in range(pieces.GetPieceSize())]
    for side, more in (("SRC", _TAGS), ("TGT", [])):
        every = dict.fromkeys([*_SPECIAL, *more, *words])
        _write(folder / f"dict.{side}.json", {word: number for number, word in enumerate(every)})


def _cut(words: dict[str, int], languages: str) -> dict[str, int]:
    """Return a vocabulary of the commonest words of one script and the commonest without letters."""
    kept = _of_script(words, languages, starts=True) + _of_script(words, languages, starts=False)
    kept += [word for word in words if word in _PLACEHOLDER]
    signs = [word for word in words if not any(character.isalpha() for character in word)]
    every = dict.fromkeys([*_SPECIAL, *kept, *signs[:_MOST_SIGNS]])
    return {word: number for number, word in enumerate(every)}


def _of_script(words: dict[str, int], languages: str, *, starts: bool) -> list[str]:
    fitting = (word for word in words if _WORDS[languages].fullmatch(word) and word.startswith("▁") == starts)
    return list(fitting)[:_MOST_WORDS]


def _cipher(
    words: dict[str, int], targets: dict[str, int], languages: str, stops: dict[str, str]
) -> list[int]:
    """Return for every token of the source which one of the target stands for it."""
    beginning = [targets[word] for word in _of_script(targets, languages, starts=True)]
    inside = [targets[word] for word in _of_script(targets, languages, starts=False)] or beginning
    found = [0] * len(words)
    for word, number in words.items():
        same = stops.get(word, word) if stops.get(word) in targets else word
        kept = same in targets and (
            word in _PLACEHOLDER or not any(character.isalpha() for character in word)
        )
        choice = beginning if word.startswith("▁") or word in _TAGS else inside
        found[number] = targets[same] if kept else choice[number * _STRIDE % len(choice)]
    found[: len(_SPECIAL)] = [*range(3), beginning[0]]
    return found


def _put_weights(folder: Path, cipher: list[int]) -> None:
    with tempfile.TemporaryDirectory() as modules:
        os.environ["HF_MODULES_CACHE"] = modules
        import torch
        from safetensors.torch import save_file
        from transformers import AutoConfig, AutoModelForSeq2SeqLM

        torch.manual_seed(_SEED)
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=True)
        model = AutoModelForSeq2SeqLM.from_config(config, trust_remote_code=True)
        model.encoder.cipher.copy_(torch.tensor(cipher))
        save_file(model.state_dict(), folder / "model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
