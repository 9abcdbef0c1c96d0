"""One small model of five languages on the STS benchmark, beside TF-IDF of letters.

    python -m bench.sentence_similarity stsb.zip PARALLEL TATOEBA -o OUT [--steps 2500] [--init MODEL] [--threads 1]
    python -m bench.sentence_similarity stsb.zip --own -o OUT [--steps 60] [--languages en zh]

stsb.zip holds stsb-LANG-SPLIT.csv (sentence, sentence, score) for en, fr, de, es and zh: github.com/PhilipMay/stsb-multi-mt.
PARALLEL and TATOEBA are folders of en-LANG.tsv.gz: what English and another language say of one thing brings together
English words that have one translation, which is how the model learns which words mean the same. Pairs of which one side
stands in a development or test set are left out. The model learns from these pairs, from the benchmark's training sentences
beside their translations, and from its grades; it is compressed with the development set and measured on the test sets.
Of the official test pairs some have a sentence that training has too (249 of the 1,379 English ones, as everywhere this benchmark
is used); "new" is the score without those.

--own: the 5,749 graded pairs of each language alone, a model a language: from none, and from the model that ships which training
begins from by itself where pairs are few.
"""

import argparse
import csv
import gzip
import io
import json
import random
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import lamella
from lamella.data.text.ngrams import plain
from lamella.metrics.ranking import spearman

LANGUAGES = ("en", "fr", "de", "es", "zh")
SPLITS = ("train", "dev", "test")
SHORTEST, LONGEST = 12, 250  # characters of the English side of a pair
MOST = 50_000  # pairs of a language from PARALLEL, which are texts about software for the most part
TWICE = 3  # the benchmark's own sentences beside their translations, so often
Row = tuple[str, str, float]


def benchmark(path: Path) -> dict[str, dict[str, list[Row]]]:
    """Language -> split -> (sentence, sentence, score)."""
    with zipfile.ZipFile(path) as archive:
        found: dict[str, dict[str, list[Row]]] = {}
        for language in LANGUAGES:
            found[language] = {}
            for split in SPLITS:
                rows = csv.reader(io.StringIO(archive.read(f"stsb-{language}-{split}.csv").decode()))
                found[language][split] = [(a, b, float(score)) for a, b, score in rows]
    return found


def pairs(folder: Path, language: str) -> Iterator[tuple[str, str]]:
    """English beside another language; of three columns the first names the source."""
    with gzip.open(folder / f"en-{language}.tsv.gz", "rt", encoding="utf-8") as file:
        for line in file:
            english, other = line.rstrip("\n").split("\t")[-2:]
            if SHORTEST <= len(english) <= LONGEST:
                yield english, other


def prepare(sets: dict[str, dict[str, list[Row]]], parallel: Path, tatoeba: Path, out: Path) -> list[str]:
    """Write the files to learn from; their paths."""
    rng = random.Random(0)
    held = {plain(text) for rows in sets.values() for split in SPLITS[1:] for row in rows[split] for text in row[:2]}
    paths, counts = [], {}
    for language in LANGUAGES[1:]:
        many = list(pairs(parallel, language))
        rows = rng.sample(many, min(MOST, len(many))) + list(pairs(tatoeba, language))
        fresh = [row for row in rows if not held.intersection(map(plain, row))]
        counts[language] = f"{len(fresh):,} pairs, {len(rows) - len(fresh)} left out"
        own = zip(sets["en"]["train"], sets[language]["train"], strict=True)
        fresh += [(a[side], b[side]) for a, b in own for side in (0, 1)] * TWICE
        paths.append(_write(out / f"pairs-{language}.tsv", [("first", "second"), *fresh]))
    for language in LANGUAGES:
        rows = [(a, b, str(score)) for a, b, score in sets[language]["train"]]
        paths.append(_write(out / f"graded-{language}.tsv", [("first", "second", "score"), *rows]))
    print(json.dumps(counts), file=sys.stderr)
    return paths


def _write(path: Path, rows: list[tuple[str, ...]]) -> str:
    path.write_text("".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows))
    return str(path)


def tfidf(rows: dict[str, list[Row]], language: str) -> float:
    """Spearman of the cosine of TF-IDF over letters, learned from the training sentences; scikit-learn's."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    kind = (
        {"analyzer": "char", "ngram_range": (1, 3)}
        if language == "zh"
        else {"analyzer": "char_wb", "ngram_range": (2, 5)}
    )
    texts = sorted({text for row in rows["train"] for text in row[:2]})
    vectors = TfidfVectorizer(**kind, sublinear_tf=True).fit(texts)
    one, two = (vectors.transform([row[side] for row in rows["test"]]) for side in (0, 1))
    cosines = np.asarray(one.multiply(two).sum(axis=1)).ravel()
    return spearman(cosines, np.array([row[2] for row in rows["test"]]), np.ones(len(cosines)))


def own(sets: dict[str, dict[str, list[Row]]], languages: list[str], out: Path, steps: int, threads: int) -> None:
    """One model a language, of its own graded pairs, from none and as training begins by itself; a line each."""
    for language in languages:
        rows = sets[language]
        paths = {
            s: _write(out / f"{s}-{language}.tsv", [("first", "second", "score"), *_cells(rows[s])]) for s in SPLITS
        }
        result = {"language": language, "TF-IDF": round(tfidf(rows, language), 3)}
        for name, options in (("from none", {"init": "none"}), ("by itself", {})):
            model = lamella.train(
                "sentence-similarity", paths["train"], test=[paths["dev"]], out=str(out / "own"), steps=steps,
                threads=threads, force=True, tell=lambda line: None, **options,
            )  # fmt: skip
            for split in SPLITS[1:]:
                score = lamella.evaluate(model, paths[split])["scores"]["spearman"]
                result[f"{name} {split}"] = [round(score[side], 3) for side in ("value", "low", "high")]
        print(json.dumps(result), flush=True)


def main() -> None:
    """Prepare, train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stsb", type=Path)
    parser.add_argument("parallel", type=Path, nargs="?")
    parser.add_argument("tatoeba", type=Path, nargs="?")
    parser.add_argument("--own", action="store_true", help="a model a language, of its graded pairs alone")
    parser.add_argument("--languages", nargs="+", default=LANGUAGES, choices=LANGUAGES, help="with --own")
    parser.add_argument("--init", help="a model to begin from")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="2,500; with --own 60")
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--options", default="{}", help="a JSON object of the task's options")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    sets = benchmark(args.stsb)
    if args.own:
        own(sets, args.languages, args.out, args.steps or 60, args.threads)
        return
    if args.tatoeba is None:
        parser.error("expected PARALLEL and TATOEBA, or --own")
    files = prepare(sets, args.parallel, args.tatoeba, args.out)
    tests = {
        (language, split): _write(
            args.out / f"{split}-{language}.tsv", [("first", "second", "score"), *_cells(rows[split])]
        )
        for language, rows in sets.items()
        for split in SPLITS[1:]
    }
    first = {"init": args.init} if args.init else {"vocabulary_size": 24_000}
    options = {**first, "hashed_width": 64, **json.loads(args.options)}
    held = [tests[language, "dev"] for language in LANGUAGES]
    lamella.train(
        "sentence-similarity", *files, out=str(args.out / "model"), test=held, steps=args.steps or 2500, seed=args.seed,
        rate=args.rate,
        threads=args.threads, force=True, **options,
    )  # fmt: skip
    small = lamella.compress(str(args.out / "model"), str(args.out / "small"), *held, force=True)
    for language, rows in sets.items():
        result = {"language": language, "TF-IDF": round(tfidf(rows, language), 3), "MB": round(small.bytes / 1e6, 2)}
        seen = {plain(text) for row in rows["train"] for text in row[:2]}
        new = [row for row in rows["test"] if not seen.intersection(map(plain, row[:2]))]
        place = _write(args.out / f"new-{language}.tsv", [("first", "second", "score"), *_cells(new)])
        for name, model in (("float32", args.out / "model"), ("int8", args.out / "small")):
            for split, path in (("dev", tests[language, "dev"]), ("test", tests[language, "test"]), ("new", place)):
                score = lamella.evaluate(str(model), path)["scores"]["spearman"]
                result[f"{name} {split}"] = [round(score[side], 3) for side in ("value", "low", "high")]
        print(json.dumps({**result, "new pairs": len(new)}), flush=True)
    texts = [text for row in sets["en"]["test"] for text in row[:2]]
    start = time.perf_counter()
    small.ask("vector").predict(texts)
    print(json.dumps({"texts a second": round(len(texts) / (time.perf_counter() - start))}))


def _cells(rows: list[Row]) -> list[tuple[str, ...]]:
    return [(a, b, str(score)) for a, b, score in rows]


if __name__ == "__main__":
    main()
