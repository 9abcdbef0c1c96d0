"""Summaries beside heuristics, sumy and joeynmt: descriptions of Debian packages and scientific abstracts.

    python -m bench.summarization debian TRANSLATION PACKAGES --minutes 30
    python -m bench.summarization debian TRANSLATION PACKAGES --sumy PYTHON --joeynmt PYTHON
    python -m bench.summarization debian TRANSLATION PACKAGES -o OUT                     keeps the model, OUT/model
    python -m bench.summarization scitldr ZIP --init OUT/model --minutes 15

debian: the long description of a package is the text, its one-line synopsis the summary. TRANSLATION is the file
Translation-en of an archive, unpacked (`apt-get -o Acquire::Languages=en update`), PACKAGES what `apt-cache dumpavail` prints,
which says from which source package each is built: packages of one source share much of their text, so they stand on one
side of the split. Packages and sources whose names begin with t are left out; other projects measure on them.
scitldr: SciTLDR-A (Cachola et al., 2020), abstracts with one-sentence summaries, of which the test set has several each; ZIP
holds train.jsonl, dev.jsonl and test.jsonl. It is too small to learn from alone, so --init names a model to begin from.

Peers run in environments of their own, which their python names: sumy 0.13 (LexRank, TextRank and LSA, one sentence each) and
joeynmt 2.3 (a Transformer of the same sizes, trained for the same minutes). All are scored alike: ROUGE by rouge-score with
stemmer, chrF, and the share of answers with a number or a name that the text has not. A row a system: seconds of training are
in front of it.
"""

import argparse
import contextlib
import hashlib
import json
import re
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import lamella
from lamella.registry import find

WORDS = 25  # of a description at least
TESTED, WATCHED = 1500, 500  # pairs
RESERVED = "t"
Pair = dict[str, str]

SUMY = """
import json, re, sys
from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers import lex_rank, lsa, text_rank
class Words:  # its own tokenizer fetches data
    def to_sentences(self, text): return [s for s in re.split(r"(?<=[.!?])\\s+", text) if s.strip()]
    def to_words(self, text): return re.findall(r"\\w+", text.lower())
kind = {"LexRank": lex_rank.LexRankSummarizer, "TextRank": text_rank.TextRankSummarizer, "LSA": lsa.LsaSummarizer}[sys.argv[1]]()
out = []
for text in json.load(sys.stdin):
    found = kind(PlaintextParser.from_string(text, Words()).document, 1)
    out.append(str(found[0]) if found else "")
json.dump(out, sys.stdout)
"""

JOEYNMT_NET = """\
model:
  initializer: xavier_uniform
  embed_initializer: xavier_uniform
  tied_embeddings: True
  tied_softmax: True
  encoder: {{type: transformer, num_layers: 3, num_heads: 4, embeddings: {{embedding_dim: 192, scale: True, dropout: 0.1}},
    hidden_size: 192, ff_size: 768, dropout: 0.1, layer_norm: pre}}
  decoder: {{type: transformer, num_layers: 2, num_heads: 4, embeddings: {{embedding_dim: 192, scale: True, dropout: 0.1}},
    hidden_size: 192, ff_size: 768, dropout: 0.1, layer_norm: pre}}
"""

JOEYNMT = (
    """
name: summaries
joeynmt_version: 2.3.0
model_dir: {out}/model
use_cuda: False
fp16: False
random_seed: 42
data:
  train: {out}/train
  dev: {out}/dev
  dataset_type: plain
  src: &side {{lang: text, max_length: 400, level: bpe, voc_limit: 8000, voc_file: {out}/vocab.txt, tokenizer_type: sentencepiece,
    tokenizer_cfg: {{model_file: {out}/sp.model}}}}
  trg: {{<<: *side, lang: summary}}
testing: {{beam_size: 4, beam_alpha: 1.0, batch_size: 64, batch_type: sentence, max_output_length: 40, eval_metrics: [chrf],
  n_best: 1}}
training: {{optimizer: adamw, adam_betas: [0.9, 0.98], scheduling: warmupinversesquareroot, learning_rate_warmup: 1000,
  learning_rate: 0.002, learning_rate_min: 0.00001, loss: crossentropy, label_smoothing: 0.1, batch_size: 2048, batch_type: token,
  normalization: tokens, early_stopping_metric: loss, epochs: 1000, validation_freq: 500, logging_freq: 500, overwrite: True,
  shuffle: True, keep_best_ckpts: 1, print_valid_sents: [0]}}
"""
    + JOEYNMT_NET
)


# ---- data ----------------------------------------------------------------------------------------------------------


def stanzas(path: Path) -> Iterator[dict[str, str]]:
    """The records of a file of Debian: field -> value, the lines of a long one joined by line breaks."""
    record: dict[str, str] = {}
    name = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.strip():
                if record:
                    yield record
                record = {}
            elif line[0] == " ":
                record[name] = f"{record.get(name, '')}\n{line[1:].rstrip()}"
            else:
                name, _, value = line.partition(":")
                record[name] = value.strip()
    if record:
        yield record


def descriptions(translation: Path, packages: Path) -> dict[str, list[Pair]]:
    """Source package -> its pairs of description and synopsis; descriptions that came before are left out."""
    sources = {r["Package"]: r.get("Source", r["Package"]).split()[0] for r in stanzas(packages) if "Package" in r}
    found: dict[str, list[Pair]] = {}
    seen: set[str] = set()
    for record in stanzas(translation):
        name = record.get("Package", "")
        source = sources.get(name, name)
        synopsis, _, rest = record.get("Description-en", "").partition("\n")
        text = " ".join(rest.replace("\n.\n", "\n").split())
        if (
            name.startswith(RESERVED)
            or source.startswith(RESERVED)
            or len(text.split()) < WORDS
            or text in seen
            or not synopsis
        ):
            continue
        seen.add(text)
        found.setdefault(source, []).append({"text": text, "summary": synopsis.strip()})
    return found


def split(found: dict[str, list[Pair]]) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """To learn from, to watch by and to measure with: whole source packages, in an order by a hash of their names."""
    order = sorted(found, key=lambda source: hashlib.blake2b(source.encode()).digest())
    parts: list[list[Pair]] = [[], [], []]
    for source in order:
        at = 2 if len(parts[2]) < TESTED else 1 if len(parts[1]) < WATCHED else 0
        parts[at] += found[source]
    return parts[0], parts[1], parts[2]


# ---- what needs no training ----------------------------------------------------------------------------------------


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def after_is_a(text: str) -> str:
    """Ten words after the first "is a", or the first twelve words: the best heuristic of Debian."""
    match = re.search(r"\b(?:is|are|provides|contains)\s+(?:an?\s+|the\s+)?", first_sentence(text))
    return " ".join(text[match.end() :].split()[:10]) if match else " ".join(text.split()[:12])


def heuristics(test: Sequence[Pair]) -> dict[str, list[str]]:
    return {
        "first sentence": [first_sentence(e["text"]) for e in test],
        "first 12 words": [" ".join(e["text"].split()[:12]) for e in test],
        'ten words after "is a"': [after_is_a(e["text"]) for e in test],
    }


def by_sumy(python: str, test: Sequence[Pair]) -> dict[str, list[str]]:
    texts = json.dumps([e["text"] for e in test])
    found = {}
    for kind in ("LexRank", "TextRank", "LSA"):
        done = subprocess.run([python, "-c", SUMY, kind], input=texts, capture_output=True, text=True, check=True)
        found[f"sumy, {kind}"] = json.loads(done.stdout)
    return found


# ---- what is trained -----------------------------------------------------------------------------------------------


def table(rows: Sequence[Pair], path: Path) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def ours(data: str, watched: str, place: Path, given: argparse.Namespace) -> tuple[lamella.Model, float]:
    """A model, and the minutes that its training took."""
    start = time.time()
    options = {"init": given.init} if given.init else {"size": given.size}
    length = {"steps": given.steps} if given.steps else {"minutes": given.minutes}
    model = lamella.train(
        "summarization", data, out=str(place / "model"), test=[watched], threads=given.threads, seed=given.seed, **options, **length
    )  # fmt: skip
    return model, (time.time() - start) / 60


def by_joeynmt(python: str, parts: tuple[list[Pair], list[Pair], list[Pair]], place: Path, minutes: float) -> list[str]:
    """joeynmt trained on the same pairs for the same minutes; what it has saved by then answers."""
    import sentencepiece

    names = ("train", "dev", "test")
    for name, rows in zip(names, parts, strict=True):
        for side in ("text", "summary"):
            lines = (" ".join(row[side].split()) for row in rows)
            (place / f"{name}.{side}").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    files = ",".join(str(place / f"train.{side}") for side in ("text", "summary"))
    sentencepiece.SentencePieceTrainer.Train(
        input=files,
        model_prefix=str(place / "sp"),
        vocab_size=8000,
        unk_id=0,
        pad_id=1,
        bos_id=2,
        eos_id=3,
        minloglevel=2,
    )
    pieces = [line.split("\t")[0] for line in (place / "sp.vocab").read_text("utf-8").splitlines()][4:]
    (place / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    config = place / "config.yaml"
    config.write_text(JOEYNMT.format(out=place), encoding="utf-8")
    with contextlib.suppress(subprocess.TimeoutExpired):  # the time is what ends it
        subprocess.run(
            [python, "-m", "joeynmt", "train", str(config)], timeout=60 * minutes, capture_output=True, check=False
        )
    with (place / "test.text").open(encoding="utf-8") as texts:
        done = subprocess.run(
            [python, "-m", "joeynmt", "translate", str(config)], stdin=texts, capture_output=True, text=True, check=True
        )
    return done.stdout.splitlines()[-len(parts[2]) :]


# ---- figures -------------------------------------------------------------------------------------------------------


def show(name: str, answers: Sequence[str], test: Sequence[dict[str, object]], minutes: float = 0.0) -> None:
    """One row: minutes of training, and all measures."""
    values = find("summarization")().score(list(answers), list(test)).values
    figures = "  ".join(f"{value:7.4f}" for value in values.values())
    print(f"{name:34}{minutes:7.1f}  {figures}", flush=True)


def measure(parts: tuple[list[Pair], list[Pair], list[Pair]], given: argparse.Namespace) -> None:
    """All systems on one split."""
    learn, watched, test = parts
    print(f"{len(learn):,} pairs to learn from, {len(watched):,} to watch by, {len(test):,} to measure with")
    print(f"{'':34}minutes   rouge1   rouge2   rougeL     chrF  unsupported")
    for name, answers in heuristics(test).items():
        show(name, answers, test)
    if given.sumy:
        for name, answers in by_sumy(given.sumy, test).items():
            show(name, answers, test)
    with contextlib.ExitStack() as stack:
        place = given.out or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place.mkdir(parents=True, exist_ok=True)
        if given.joeynmt:
            show("joeynmt, Transformer", by_joeynmt(given.joeynmt, parts, place, given.minutes), test, given.minutes)
        model, minutes = ours(
            table(learn, place / "learn.jsonl"), table(watched, place / "watched.jsonl"), place, given
        )
        texts = [e["text"] for e in test]
        show(f"lamella, {given.size}", model.predict(texts), test, minutes)
        small = lamella.compress(model, str(place / "small"), str(place / "watched.jsonl"))
        show(f"lamella, int8, {small.bytes / 1e6:.1f} MB", small.predict(texts), test, minutes)
        free = model.with_config(type(model.task.config)(**{**_config(model), "faithful": False}))
        show("lamella, without the guard", free.predict(texts), test, minutes)
        picked = model.ask("sentences").predict(texts)
        show("lamella, --ask sentences", [model.ask("sentences").task.render(a) for a in picked], test, minutes)


def _config(model: lamella.Model) -> dict[str, object]:
    import msgspec

    return dict(msgspec.structs.asdict(model.task.config))


def scitldr(path: Path) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """The splits of SciTLDR-A, as the task's own reader gives them."""
    parts = []
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        for name in ("train", "dev", "test"):
            inside = next(n for n in archive.namelist() if n.endswith(f"{name}.jsonl"))
            file = Path(folder, f"{name}.jsonl")
            file.write_bytes(archive.read(inside))
            parts.append(find("summarization")().read([str(file)])[0])
    return parts[0], parts[1], parts[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["debian", "scitldr"])
    parser.add_argument("files", type=Path, nargs="+", help="TRANSLATION and PACKAGES, or ZIP")
    parser.add_argument("--minutes", type=float, default=30, help="of each training")
    parser.add_argument("--steps", type=int, help="of our training, instead of minutes")
    parser.add_argument("--size", default="small")
    parser.add_argument("--init", help="a model to begin from")
    parser.add_argument("-o", "--out", type=Path, help="folder that keeps the model, for --init; else it is not kept")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--most", type=int, help="pairs to learn from, at most")
    parser.add_argument("--sumy", help="python of an environment with sumy")
    parser.add_argument("--joeynmt", help="python of an environment with joeynmt")
    given = parser.parse_args()
    learn, watched, test = split(descriptions(*given.files)) if given.data == "debian" else scitldr(given.files[0])
    measure((learn[: given.most], watched, test), given)


if __name__ == "__main__":
    main()
