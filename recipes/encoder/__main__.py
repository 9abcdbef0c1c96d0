"""The shipped encoder from nothing, in one command: collect text, train on masked words, round to int8, write.

    python -m recipes.encoder                               some six hours of a core
    python -m recipes.encoder --minutes 2 --out /tmp/try    a try of every step
    python -m recipes.encoder train ship --resume           some of the steps; training goes on where it stopped
    python -m recipes.encoder ship --weights weights        ship what an accelerator trained (accelerator.py, pack.py)

The text is in five languages: both sides of what `python -m recipes.translation.mix pairs` writes (sentences, prose, games,
documentation) and of the corpus that `python -m recipes.translation.corpus all --lang fr` builds, where they are there; novels, what
words mean, and lists of near words with `--books`, `--wordnet` and `--thesaurus` (SOURCES.md names them). What those recipes reserve or
hold out is not in it. More text is added with `--more FILE`. The model is written to lamella/models/encoder; put the checksums of
its files into lamella/storage/checksums.py then.
"""

import argparse
from pathlib import Path

import lamella
from recipes.encoder import text
from recipes.encoder.ship import assemble, ship
from recipes.translation.common import Folders

STEPS = ("text", "train", "ship")
CACHE = Path.home() / ".cache" / "lamella"
PIECES = 20_000  # of five languages
MIXED = ("fr", "es", "de", "zh")  # whose files of the mixed corpus are read


def train(cache: Path, minutes: float, size: str, resume: bool, threads: int) -> None:
    """Train on text.jsonl, with `lamella train` as it is."""
    lamella.train(
        "fill-mask", str(cache / "text.jsonl"), out=str(cache / "model"), size=size, minutes=minutes, threads=threads,
        resume=resume, force=not resume, vocabulary_size=PIECES,
    )  # fmt: skip


def main() -> None:
    """Run the steps asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"{', '.join(STEPS)}; without any, all of them")
    parser.add_argument(
        "--corpus", type=Path, default=CACHE / "translation", help="where the translation recipe keeps its files"
    )
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="text files to add")
    parser.add_argument("--books", type=Path, help="a clone of novels, see books.py")
    parser.add_argument("--wordnet", type=Path, help="a folder of WordNet's files, see meanings.py")
    parser.add_argument("--thesaurus", type=Path, help="words.txt of npm's package moby")
    parser.add_argument("--cache", type=Path, default=CACHE / "encoder")
    parser.add_argument("--out", type=Path, default=Path(lamella.__file__).parent / "models" / "encoder")
    parser.add_argument(
        "--weights", type=Path, help="to ship: what `accelerator.py` wrote, in place of what was trained here"
    )
    parser.add_argument(
        "--text", type=Path, help="to ship: the passages that the words are counted in; text.jsonl in the cache"
    )
    parser.add_argument("--minutes", type=float, default=360.0)
    parser.add_argument("--most", type=int, default=0, help="characters of text to use; 0: all")
    parser.add_argument("--size", default="small")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    steps = given.steps or STEPS
    if unknown := set(steps) - {*STEPS}:
        parser.error(f"unknown step {sorted(unknown)[0]}. Expected some of {', '.join(STEPS)}.")
    if "text" in steps and not given.resume:
        corpus = given.corpus.expanduser()
        mixed = [corpus / "five" / f"train-{lang}.tsv" for lang in MIXED]
        first = Folders(corpus, "fr").final / "train.tsv"
        corpora = [path for path in (first, *mixed) if path.is_file()]
        sources = text.Sources(corpora, given.books, given.wordnet, given.thesaurus, given.more)
        text.collect(sources, given.cache / "text.jsonl", given.most)
    if "train" in steps:
        train(given.cache, given.minutes, given.size, given.resume, given.threads)
    if "ship" in steps:
        trained, source = given.cache / "model", given.text or given.cache / "text.jsonl"
        if given.weights:
            vocabulary, trained = given.cache / "vocabulary.model", given.cache / "assembled"  # where `pack` learned it
            assemble(given.weights, vocabulary, source, trained)
        ship(trained, source, given.out)


if __name__ == "__main__":
    main()
