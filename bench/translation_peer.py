"""CTranslate2 with the weights of one of our translators: the peer of `bench.translation`.

    PEER/bin/python bench/translation_peer.py WEIGHTS.npz VOCABULARY.model MAP.txt FOLDER
    PEER/bin/python bench/translation_peer.py WEIGHTS.npz VOCABULARY.model MAP.txt FOLDER --package fr "<2fr>"

It runs in an environment of its own, which needs ctranslate2, sentencepiece and numpy, and imports nothing of lamella. The
weights are written to FOLDER as a model in int8, with the map of pieces beside them. Then it reads requests, a JSON object a
line: {"texts": [...], "beams": 4, "batch": 2048, "mark": "", "map": false}, and answers each with {"seconds": ..., "texts":
[...], "peak": bytes}. With --package it writes a package of argos-translate from English instead, and ends.
"""

import json
import resource
import shutil
import sys
import time
from pathlib import Path

import ctranslate2
import numpy as np
import sentencepiece
from ctranslate2.specs import common_spec, transformer_spec

START, END, UNKNOWN = 2, 3, 1


def set_norm(spec, weights, name):
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def set_linear(spec, weights, name):
    spec.weight, spec.bias = weights[f"{name}.weight"], weights[f"{name}.bias"]


def set_feed(spec, weights, name):
    set_norm(spec.layer_norm, weights, f"{name}.norm_feed")
    set_linear(spec.linear_0, weights, f"{name}.feed.up")
    set_linear(spec.linear_1, weights, f"{name}.feed.down")


def spec_of(weights, tokens):
    """The net as CTranslate2 describes it: pre-norm, one table for both sides and the output, positions as given."""
    depths = [1 + max(int(n.split(".")[1]) for n in weights if n.startswith(side)) for side in ("encoder.", "decoder.")]
    heads = int(weights["heads"])
    spec = transformer_spec.TransformerSpec.from_config(tuple(depths), heads, activation=common_spec.Activation.RELU)
    table = weights["table"]
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = spec.decoder.projection.weight = table
    for side in (spec.encoder, spec.decoder):
        side.scale_embeddings = True
        side.position_encodings.encodings = weights["positions"]
    set_norm(spec.encoder.layer_norm, weights, "norm_encoder")
    set_norm(spec.decoder.layer_norm, weights, "norm_decoder")
    for i, layer in enumerate(spec.encoder.layer):
        name = f"encoder.{i}"
        set_norm(layer.self_attention.layer_norm, weights, f"{name}.norm_attention")
        set_linear(layer.self_attention.linear[0], weights, f"{name}.attention.query_key_value")
        set_linear(layer.self_attention.linear[1], weights, f"{name}.attention.out")
        set_feed(layer.ffn, weights, name)
    for i, layer in enumerate(spec.decoder.layer):
        name = f"decoder.{i}"
        set_norm(layer.self_attention.layer_norm, weights, f"{name}.norm_attention")
        set_linear(layer.self_attention.linear[0], weights, f"{name}.attention.query_key_value")
        set_linear(layer.self_attention.linear[1], weights, f"{name}.attention.out")
        set_norm(layer.attention.layer_norm, weights, f"{name}.norm_cross")
        set_linear(layer.attention.linear[0], weights, f"{name}.cross.query")
        set_linear(layer.attention.linear[1], weights, f"{name}.cross.key_value")
        set_linear(layer.attention.linear[2], weights, f"{name}.cross.out")
        set_feed(layer.ffn, weights, name)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.decoder_start_token, spec.config.eos_token = tokens[START], tokens[END]
    spec.config.bos_token, spec.config.unk_token = tokens[START], tokens[UNKNOWN]
    spec.config.add_source_bos = spec.config.add_source_eos = False
    return spec


def write_package(spec, vocabulary, folder, language, mark):
    """A package of argos-translate: it gives the model pieces alone, so the model is told to add the mark and the end."""
    if mark:
        spec.config.bos_token, spec.config.add_source_bos = mark, True
    spec.config.add_source_eos = True
    (folder / "model").mkdir(parents=True)
    spec.save(str(folder / "model"))
    shutil.copy(vocabulary, folder / "sentencepiece.model")
    facts = {"package_version": "1.0", "argos_version": "1.9", "from_code": "en", "from_name": "English"}
    facts |= {"to_code": language, "to_name": language, "type": "translate"}
    (folder / "metadata.json").write_text(json.dumps(facts), "utf-8")


def main():
    weights, vocabulary, pieces_map, folder = sys.argv[1:5]
    pieces = sentencepiece.SentencePieceProcessor(model_file=vocabulary)
    tokens = [pieces.id_to_piece(i) for i in range(len(pieces))]
    spec = spec_of(dict(np.load(weights)), tokens)
    spec.validate()
    spec.optimize(quantization="int8")
    if sys.argv[5:6] == ["--package"]:
        write_package(spec, vocabulary, Path(folder), *sys.argv[6:8])
        return
    spec.register_vocabulary_mapping(pieces_map)
    Path(folder).mkdir(parents=True, exist_ok=True)
    spec.save(folder)
    del spec
    translator = ctranslate2.Translator(folder, compute_type="int8", inter_threads=1, intra_threads=1)
    print(json.dumps({"version": ctranslate2.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        start = time.perf_counter()
        mark = [asked["mark"]] if asked["mark"] else []
        rows = [[*mark, *pieces.encode(text, out_type=str), tokens[END]] for text in asked["texts"]]
        size = {"max_batch_size": asked["batch"], "batch_type": "tokens"}
        groups = [rows] if asked["batch"] else [[row] for row in rows]
        answers = []
        for group in groups:
            found = translator.translate_batch(
                group, beam_size=asked["beams"], length_penalty=1.0, max_decoding_length=250, max_input_length=0,
                use_vmap=asked["map"], **(size if asked["batch"] else {}),
            )  # fmt: skip
            answers += [pieces.decode(one.hypotheses[0]) for one in found]
        seconds = time.perf_counter() - start
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": seconds, "texts": answers, "peak": peak}), flush=True)


if __name__ == "__main__":
    main()
