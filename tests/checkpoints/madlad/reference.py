"""What CTranslate2 makes of texts by itself: python -m tests.checkpoints.madlad.reference FOLDER QUESTION."""

from __future__ import annotations

import json
import sys
from typing import Any


def main(folder: str, question: dict[str, Any]) -> None:
    """Print the answers as JSON."""
    import ctranslate2
    import sentencepiece

    words = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/spiece.model")
    translator = ctranslate2.Translator(folder, device="cpu", compute_type="int8", intra_threads=1)
    answers = []
    for text in question["texts"]:
        tokens = [*words.encode(f"{question['tag']} {text}", out_type=str), "</s>"]
        (made,) = translator.translate_batch(
            [tokens],
            beam_size=question["beams"],
            max_decoding_length=3 * len(tokens) + 20,
            **question["options"],
        )
        said = [token for token in made.hypotheses[0] if token != "<unk>" and not token.startswith("<2")]
        answers.append(words.decode(said))
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
