"""Hugging Face's `generate` on a net of our size: run by `bench.translation --transformers PYTHON`, in an environment of its own.

Reads lines of JSON from standard input: {"sources": [[ids]], "lengths": [pieces of each answer], "batch": tokens}; writes {"seconds": ...} for each.
The weights are random, since how long a product takes does not hang on its numbers; each batch generates as many pieces as its longest answer has.

    HF/bin/python bench/translation_generate.py SIZE --save FOLDER VOCABULARY.model PIECES

writes such a net as a folder that its `pipeline` opens, for `bench.cold_start`: with our vocabulary, and answers of so many pieces.
"""

import json
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

torch.set_num_threads(1)


def save(net, folder, vocabulary, pieces):
    import sentencepiece

    folder.mkdir(parents=True)
    known = sentencepiece.SentencePieceProcessor(model_file=vocabulary)
    names = {known.id_to_piece(i): i for i in range(len(known))}
    (folder / "words.json").write_text(json.dumps(names), "utf-8")
    files = {"source_spm": vocabulary, "target_spm": vocabulary, "vocab": str(folder / "words.json")}
    marks = {"pad_token": known.id_to_piece(0), "unk_token": known.id_to_piece(1), "eos_token": known.id_to_piece(3)}
    MarianTokenizer(**files, **marks, source_lang="en", target_lang="fr").save_pretrained(folder)
    net.generation_config = GenerationConfig(
        num_beams=4,
        min_new_tokens=pieces,
        max_new_tokens=pieces,
        decoder_start_token_id=2,
        pad_token_id=0,
        eos_token_id=3,
    )
    net.save_pretrained(folder)


def main():
    size = json.loads(sys.argv[1])
    config = MarianConfig(
        vocab_size=size["pieces"], d_model=size["width"], encoder_layers=size["encoders"], decoder_layers=size["decoders"],
        encoder_attention_heads=size["heads"], decoder_attention_heads=size["heads"], encoder_ffn_dim=size["inner"],
        decoder_ffn_dim=size["inner"], max_position_embeddings=512, pad_token_id=0, eos_token_id=3, decoder_start_token_id=2,
        forced_eos_token_id=None,
    )  # fmt: skip
    net = MarianMTModel(config).eval()
    if sys.argv[2:3] == ["--save"]:
        save(net, Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
        return
    print(json.dumps({"version": transformers.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        rows = sorted(zip(asked["sources"], asked["lengths"], strict=True), key=lambda row: len(row[0]))
        start, first = time.perf_counter(), 0
        while first < len(rows):
            last = first + 1
            while last < len(rows) and (last + 1 - first) * len(rows[last][0]) <= asked["batch"]:
                last += 1
            part, longest = rows[first:last], len(rows[last - 1][0])
            ids = torch.tensor([row + [0] * (longest - len(row)) for row, _ in part])
            pieces = max(length for _, length in part)
            with torch.inference_mode():
                net.generate(
                    ids, attention_mask=(ids != 0).long(), num_beams=asked["beams"], do_sample=False,
                    min_new_tokens=pieces, max_new_tokens=pieces,
                )  # fmt: skip
            first = last
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
