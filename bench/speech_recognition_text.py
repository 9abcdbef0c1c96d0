"""A text for the language model of an English voice: everyday sentences, and novels of about the time of what the voice reads.

    python -m bench.speech_recognition_text TATOEBA.txt CLONE VOICE -o text.txt

CLONE: github.com/mlschmitt/classic-books-markdown, with or without a work tree. VOICE: the folder of the voice; whatever it reads is left out,
and so are all books of the two writers from whom the sentences of CMU Arctic are mostly taken.
"""

import argparse
import random
from pathlib import Path

from lamella.data.readers.speech import read_speech
from lamella.data.text.sentences import split
from lamella.tasks.speech_recognition.spelling import normalise
from recipes.encoder.books import books

WRITERS = ("Jack London", "James Oliver Curwood")  # of the voice's own sentences
FEWEST, MOST = 3, 22  # words of a sentence
LETTERS = 19_600_000  # of the whole text: more is not read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("everyday", type=Path)
    parser.add_argument("clone", type=Path)
    parser.add_argument("voice", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    read = {normalise(row["text"]) for row in read_speech([args.voice])[0]}
    everyday = [line for line in args.everyday.read_text(encoding="utf-8").splitlines() if normalise(line) not in read]
    told: set[str] = set()
    for name, paragraphs in books(args.clone):
        if not name.startswith(WRITERS):
            told.update(normalise(part.text) for paragraph in paragraphs for part in split(paragraph))
    fit = sorted(
        t for t in told - read if FEWEST <= len(t.split()) <= MOST and t.replace(" ", "").replace("'", "").isalpha()
    )
    random.Random(0).shuffle(fit)
    left = LETTERS - sum(len(line) + 1 for line in everyday)
    kept = 0
    while kept < len(fit) and left > 0:
        left -= len(fit[kept]) + 2
        kept += 1
    lines = [*everyday, *(f"{text.capitalize()}." for text in fit[:kept])]
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(everyday):,} everyday sentences and {kept:,} of the {len(fit):,} of novels: {args.out}")


if __name__ == "__main__":
    main()
