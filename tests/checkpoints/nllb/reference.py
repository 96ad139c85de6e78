"""What transformers makes of texts by itself: python -m tests.checkpoints.nllb.reference FOLDER QUESTIONS."""

from __future__ import annotations

import json
import sys
from typing import Any


def main(folder: str, questions: list[dict[str, Any]]) -> None:
    """Print the answers as JSON."""
    import torch
    from transformers import AutoTokenizer, M2M100ForConditionalGeneration

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = M2M100ForConditionalGeneration.from_pretrained(folder).eval()
    model.generation_config.max_length = None
    answers = []
    for question in questions:
        tokenizer.src_lang = question["source"]
        made = model.generate(
            **tokenizer(question["text"], return_tensors="pt"),
            forced_bos_token_id=tokenizer.convert_tokens_to_ids(question["target"]),
            num_beams=question["beams"],
            max_new_tokens=question["most_new_tokens"],
            early_stopping=True,
        )
        answers.append(tokenizer.batch_decode(made, skip_special_tokens=True)[0])
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
