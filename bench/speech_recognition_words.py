"""A text for the language model of a voice whose words are many: sentences, and the words of a language as often as they are used.

    python -m bench.speech_recognition_words SENTENCES... --list large_de.msgpack.gz --voice VOICE -o text.txt

SENTENCES: texts, a sentence a line; of lines with tabs the last column is taken, as in English to German pairs. LIST: word frequencies as
the package wordfreq holds them (Speer, 2022; `wordfreq/data` in its wheel; CC BY-SA 4.0). VOICE: the folder of the voice; whatever it
reads is left out.

A language that joins words, such as German, has so many that a seventh of those that are said were never read in 260,000 sentences. So
each word of the list that the sentences lack, or have less often, is written as often as its frequency says, three by chance in a line:
a count-based model measures how likely a word is by how many different words it was read behind.
"""

import argparse
import gzip
import random
from pathlib import Path

import msgspec

from lamella.data.readers.speech import read_speech
from lamella.tasks.speech_recognition.spelling import normalise

LISTED = 400_000  # words of the list, the most frequent first: behind them stand mostly words of other languages
SCALE = 3e6  # words that the list stands for: one of a frequency of 1 / SCALE is written once
MOST = 12  # times that a word is written
TOGETHER = 3  # words of a line


def frequencies(path: Path) -> list[tuple[str, float]]:
    """The words of a list of wordfreq with the share of each of all words: they stand in buckets of a hundredth of a power of ten."""
    buckets = msgspec.msgpack.decode(gzip.decompress(path.read_bytes()))[1:]
    return [(word, 10 ** (-at / 100)) for at, words in enumerate(buckets) for word in words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path, nargs="+")
    parser.add_argument("--list", type=Path, required=True)
    parser.add_argument("--voice", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    read = {normalise(row["text"]) for row in read_speech([args.voice])[0]}
    letters = set("".join(read)) - {" "}
    sentences: dict[str, str] = {}  # as they are said -> as they are written
    for path in args.sentences:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in raw.decode().splitlines():
            text = line.split("\t")[-1].strip()
            sentences.setdefault(normalise(text), text)
    known = {said: text for said, text in sentences.items() if said and said not in read}
    vocabulary = {word for said in known for word in said.split()}
    words: list[str] = []
    for word, share in frequencies(args.list)[:LISTED]:
        times = min(MOST, max(1, round(share * SCALE)))
        if letters.issuperset(word) and word.isalpha() and (word not in vocabulary or times < MOST):
            words += [word] * times
    order = random.Random(0)
    order.shuffle(words)
    lines = [*known.values(), *(" ".join(words[at : at + TOGETHER]) for at in range(0, len(words), TOGETHER))]
    order.shuffle(lines)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(
        f"{len(known):,} sentences with {len(vocabulary):,} words, and {len(set(words)):,} words of the list: {args.out}"
    )


if __name__ == "__main__":
    main()
