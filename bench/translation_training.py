"""How fast a translator learns beside joeynmt and Hugging Face's Trainer: the same net, the same pairs, batches of one size.

    python -m bench.translation_training PAIRS.tsv --joeynmt PYTHON --transformers PYTHON [--pairs 6000] [--rounds 3]

PAIRS.tsv has a header, and the source and the target in its last two columns. Each trains the net of `--size small` (width
192, 3 layers and 2, 8,000 pieces of one sentencepiece model for all) for one epoch and for two, on one thread; the
difference of the two is an epoch without start, reading and saving. Measured is the processor time of the process, so
that other work on the machine counts little; the engines take turns, and the median of the rounds is printed with its
range. Trainer runs in float32 and in bfloat16, lamella in the type that it finds faster.

PYTHON are those of environments with joeynmt 2.3 and with transformers, accelerate and sentencepiece.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.summarization import JOEYNMT_NET

PIECES = 8000
TOKENS = 2048  # of a batch, both sides, as `--size small` has

TRAINER = """
import json, sys
import sentencepiece, torch
from transformers import MarianConfig, MarianMTModel, Trainer, TrainingArguments
torch.set_num_threads(1)
place, epochs, low, tokens = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "bfloat16", int(sys.argv[4])
cut = sentencepiece.SentencePieceProcessor(model_file=place + "/sp.model")
rows = [line.rstrip("\\n").split("\\t") for line in open(place + "/train.tsv", encoding="utf-8")][1:]
data = [{"input_ids": cut.encode(a) + [3], "labels": cut.encode(b) + [3]} for a, b in rows]
for row in data:
    row["attention_mask"] = [1] * len(row["input_ids"])
    row["decoder_input_ids"] = [2] + row["labels"][:-1]
each = sum(len(row["input_ids"]) + len(row["labels"]) for row in data) / len(data)
net = MarianMTModel(MarianConfig(
    vocab_size=len(cut), d_model=192, encoder_layers=3, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
    encoder_ffn_dim=768, decoder_ffn_dim=768, max_position_embeddings=512, pad_token_id=1, eos_token_id=3, decoder_start_token_id=2,
))
def padded(rows):
    out = {}
    for name, fill in (("input_ids", 1), ("attention_mask", 0), ("labels", -100), ("decoder_input_ids", 1)):
        longest = max(len(row[name]) for row in rows)
        out[name] = torch.tensor([row[name] + [fill] * (longest - len(row[name])) for row in rows])
    return out
given = TrainingArguments(
    output_dir=place + "/trainer", num_train_epochs=epochs, per_device_train_batch_size=max(1, round(tokens / each)), group_by_length=True,
    learning_rate=2e-3, label_smoothing_factor=0.1, bf16=low, use_cpu=True, save_strategy="no", report_to=[], disable_tqdm=True,
    remove_unused_columns=False,
)
found = Trainer(model=net, args=given, train_dataset=data, data_collator=padded).train()
print(json.dumps({"steps": found.global_step, "loss": found.training_loss}))
"""

JOEYNMT = (
    """
name: speed
joeynmt_version: 2.3.0
model_dir: {out}/joeynmt
use_cuda: False
fp16: False
random_seed: 42
data:
  train: {out}/train
  dev: {out}/dev
  dataset_type: plain
  src: &side {{lang: src, max_length: 250, level: bpe, voc_limit: 8000, voc_file: {out}/vocab.txt, tokenizer_type: sentencepiece,
    tokenizer_cfg: {{model_file: {out}/sp.model}}}}
  trg: {{<<: *side, lang: dst}}
testing: {{beam_size: 1, batch_size: 64, batch_type: sentence, max_output_length: 40, eval_metrics: [chrf], n_best: 1}}
training: {{optimizer: adamw, adam_betas: [0.9, 0.98], scheduling: warmupinversesquareroot, learning_rate_warmup: 1000,
  learning_rate: 0.002, learning_rate_min: 0.00001, loss: crossentropy, label_smoothing: 0.1, batch_size: {tokens}, batch_type: token,
  normalization: tokens, early_stopping_metric: loss, epochs: {epochs}, validation_freq: 100000, logging_freq: 100000, overwrite: True,
  shuffle: True, keep_best_ckpts: 1, print_valid_sents: [0]}}
"""
    + JOEYNMT_NET
)


def prepare(source: Path, place: Path, pairs: int) -> int:
    """The pairs as each engine reads them, evenly taken from the file; how many there are."""
    import sentencepiece

    with source.open(encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t")[-2:] for line in file][1:]
    rows = [[" ".join(side.split()) for side in row] for row in rows if len(row) == 2 and all(row)]
    held, rows = rows[-100:], rows[:-100]
    rows = rows[:: max(1, len(rows) // pairs)][:pairs]
    for name, part in (("train", rows), ("dev", held)):
        (place / f"{name}.tsv").write_text("en\tfr\n" + "".join("\t".join(r) + "\n" for r in part), encoding="utf-8")
        for i, side in enumerate(("src", "dst")):
            (place / f"{name}.{side}").write_text("".join(row[i] + "\n" for row in part), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.Train(
        input=f"{place}/train.src,{place}/train.dst", model_prefix=f"{place}/sp", vocab_size=PIECES, hard_vocab_limit=False,
        unk_id=0, pad_id=1, bos_id=2, eos_id=3, minloglevel=2,
    )  # fmt: skip
    pieces = [line.split("\t")[0] for line in (place / "sp.vocab").read_text("utf-8").splitlines()][4:]
    (place / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    return len(rows)


def command(engine: str, place: Path, epochs: int, given: argparse.Namespace) -> list[str]:
    if engine == "lamella":
        words = [
            "train",
            "translation",
            f"{place}/train.tsv",
            "--test",
            f"{place}/dev.tsv",
            "-o",
            f"{place}/ours",
            "--force",
        ]
        more = ["--from", "en", "--to", "fr", "--size", "small", "--epochs", str(epochs), "--threads", "1"]
        return [sys.executable, "-m", "lamella", *words, *more, "--vocabulary-size", str(PIECES), "--patience", "1000"]
    if engine == "joeynmt":
        config = place / f"joeynmt{epochs}.yaml"
        # A batch's tokens are those of its longer side there.
        config.write_text(JOEYNMT.format(out=place, epochs=epochs, tokens=TOKENS // 2), encoding="utf-8")
        return [given.joeynmt, "-m", "joeynmt", "train", str(config), "--skip-test"]
    return [given.transformers, "-c", TRAINER, str(place), str(epochs), engine.split()[-1], str(TOKENS)]


def spent(words: list[str]) -> float:
    """Processor seconds of a process on one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    before = os.times()
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **threads, "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        sys.exit(f"{' '.join(words[:4])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="PAIRS.tsv")
    parser.add_argument("--pairs", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--joeynmt", metavar="PYTHON", help="of an environment with joeynmt")
    parser.add_argument("--transformers", metavar="PYTHON", help="of an environment with transformers and accelerate")
    given = parser.parse_args()
    engines = ["lamella", *["joeynmt"] * bool(given.joeynmt)]
    engines += [f"Trainer {kind}" for kind in ("float32", "bfloat16") if given.transformers]
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        pairs = prepare(given.source, place, given.pairs)
        tokens = sum(len(line.split()) for side in ("src", "dst") for line in (place / f"train.{side}").open("rb"))
        print(f"{pairs:,} pairs, {tokens:,} words an epoch", flush=True)
        for _ in range(given.rounds):
            for engine in engines:
                once, twice = (spent(command(engine, place, epochs, given)) for epochs in (1, 2))
                seconds[engine].append(twice - once)
                print(json.dumps({engine: round(twice - once, 2)}), file=sys.stderr, flush=True)
    ours = seconds["lamella"]
    print(f"{'':20} {'s an epoch':>10} {'words/s':>8} {'lamella is':>11} {'range':>14}")
    for engine, found in seconds.items():
        ratios = [other / own for other, own in zip(found, ours, strict=True)]
        middle = statistics.median(found)
        print(
            f"{engine:20} {middle:10.1f} {tokens / middle:8,.0f} {statistics.median(ratios):10.2f}x {min(ratios):6.2f} to {max(ratios):.2f}"
        )


if __name__ == "__main__":
    main()
