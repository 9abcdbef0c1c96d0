"""A translator from nothing but 29,000 captions of pictures, as papers train it: Multi30k, task 1.

    python -m bench.multi30k FOLDER --to de [--minutes 60] [--threads 1]
    python -m bench.multi30k FOLDER --to fr

FOLDER holds train.LANG.gz, val.LANG.gz and test_2016_flickr.LANG.gz for en and the other language. Trained on train, the
weights of the best look at val kept, and measured with four beams on test_2016. BLEU as papers give it is of lower-cased
words; both are printed. Small nets need much dropout here (Wu et al., 2021: width 128, 0.3). For benchmarks only: the
captions' licence is non-commercial, and nothing that is trained on them ships.
"""

import argparse
import gzip
import tempfile
import time
from pathlib import Path

import lamella

OPTIONS = {"vocabulary_size": 6000, "dropout": 0.3, "decoder_depth": 3}


def lines(folder: Path, split: str, lang: str) -> list[str]:
    """The captions of a split in a language."""
    with gzip.open(folder / f"{split}.{lang}.gz", "rt", encoding="utf-8") as file:
        return [line.strip() for line in file]


def table(folder: Path, split: str, dst: str, out: Path) -> Path:
    """A table of both languages, as `lamella train` reads it."""
    rows = zip(lines(folder, split, "en"), lines(folder, split, dst), strict=True)
    path = out / f"{split}.tsv"
    path.write_text(f"en\t{dst}\n" + "".join(f"{a}\t{b}\n" for a, b in rows if a and b), encoding="utf-8")
    return path


def main() -> None:
    import sacrebleu
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--to", choices=["de", "fr"], default="de")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--size", default="small")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        start = time.time()
        model = lamella.train(
            "translation", str(table(given.folder, "train", given.to, out)), out=str(out / "model"), to=given.to,
            test=[str(table(given.folder, "val", given.to, out))], minutes=given.minutes, threads=given.threads,
            size=given.size, seed=given.seed, patience=1000, **OPTIONS,
        )  # fmt: skip
        spent = (time.time() - start) / 60
        answers = model.predict(lines(given.folder, "test_2016_flickr", "en"))
    references = [lines(given.folder, "test_2016_flickr", given.to)]
    exact = sacrebleu.corpus_bleu(answers, references).score
    lowered = sacrebleu.corpus_bleu(answers, references, lowercase=True).score
    chrf = sacrebleu.corpus_chrf(answers, references).score
    size = model.manifest.parameters / 1e6
    print(
        f"en-{given.to}, {size:.1f} M weights, {given.minutes:g} min of training ({spent:.0f} in all): "
        f"BLEU {exact:.1f}, of lower-cased words {lowered:.1f}, chrF {chrf:.1f} on test_2016"
    )


if __name__ == "__main__":
    main()
