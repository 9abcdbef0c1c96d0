"""Captions and search by words: composed scenes, drawings with their names, photos with captions.

    python -m bench.image_to_text scenes -o OUT                    three seeds, 15 minutes of a core each
    python -m bench.image_to_text drawings FOLDER -o OUT
    python -m bench.image_to_text photos FOLDER -o OUT --python PEER/bin/python

`scenes` makes its data: drawings on grounds, 6,000 pictures to learn from and 500 to measure with, whose captions say colours,
names, counts, relations and grounds. Printed is how often each of these is right in the caption, and how often the vector of
a picture is nearer to its caption than to five that are wrong in one word (colours or places exchanged, another number,
another ground, another drawing).

`drawings` and `photos` read what `lamella train image-to-text` reads; Tux Paint's stamps are understood too (`x.png` with
`x.txt`, whose first line is English and whose others say `fr.utf8=`). Of `drawings` 500 are held out, of `photos` a tenth,
by a fixed seed. Beside lamella stand neighbours by colour histogram and coarse shape: for a picture the caption of the
training picture that is nearest; for a text the test pictures nearest to the training picture whose caption is nearest to
the text by chrF. With --python, an interpreter that has torch, transformers and Pillow, a VisionEncoderDecoder is trained
from scratch for the same minutes on the same pictures (`bench/image_to_text_peer.py`), and measured by the same scores.
"""

import argparse
import json
import random
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lamella
from lamella import metrics
from lamella.data.media.images import encode_png, read_image
from lamella.data.readers.captions import read_captions
from lamella.data.samples import image_to_text as sample
from lamella.verbs.compress import graphs_size

LEARN, TEST = 6000, 500  # scenes
GALLERY = 500  # drawings that are held out
LIKE = 2000  # training captions among which the one nearest to a text is looked for
Example = dict[str, Any]
_PHRASE = re.compile(
    rf"({'|'.join(sample.NUMBERS)}) ({'|'.join(sample.COLOURS)}) ({'|'.join(sample.NAMES)})s?"
    rf"(?: ({'|'.join([*sample.RELATIONS, *sample.RELATIONS.values()])}) a ({'|'.join(sample.COLOURS)}) ({'|'.join(sample.NAMES)}))?"
)


# ---- data -------------------------------------------------------------------------------------------------------------


def make_scenes(count: int, seed: int) -> list[Example]:
    rng = np.random.default_rng(seed)
    made = (sample.scene(rng) for _ in range(count))
    return [{"image": encode_png(points), "caption": list(captions)} for points, captions, _ in made]


def read_data(folder: Path) -> list[Example]:
    """Pictures with captions; of Tux Paint's texts the first line alone."""
    examples, lines = read_captions([folder])
    print(lines[0], lines[-1] if len(lines) > 1 else "", sep="\n")
    for example in examples:
        if any(re.match(r"[a-z]{2,3}(_[A-Z]{2})?\.utf8=", caption) for caption in example["caption"]):
            example["caption"] = example["caption"][:1]
    return examples


def parted(examples: list[Example], held: int, seed: int) -> tuple[list[Example], list[Example]]:
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    return [examples[i] for i in order[held:]], [examples[i] for i in order[:held]]


def write(examples: list[Example], path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = (json.dumps({**e, "image": str(e["image"])}, ensure_ascii=False) + "\n" for e in examples)
    path.write_text("".join(rows), encoding="utf-8")
    return str(path)


# ---- what a scene's caption says --------------------------------------------------------------------------------------


def facts(caption: str) -> dict[str, Any]:
    """What a caption says, however it says it: things, count, relation with its order, ground; None for what it does not say."""
    match = _PHRASE.search(caption)
    ground = re.search(rf"on ({'|'.join(sample.GROUNDS)})", caption)
    said: dict[str, Any] = {"things": None, "count": None, "relation": None, "ground": ground[1] if ground else None}
    if not match:
        return said
    number, colour, name, relation, colour2, name2 = match.groups()
    if relation is None:
        return {**said, "things": [(colour, name)], "count": sample.NUMBERS.index(number) + 1}
    one, other = (colour, name), (colour2, name2)
    if relation not in sample.RELATIONS:
        relation = next(word for word, back in sample.RELATIONS.items() if back == relation)
        one, other = other, one
    return {**said, "things": sorted([one, other]), "relation": (one, relation, other)}


def wrong(caption: str, rng: random.Random) -> list[str]:
    """The caption with one thing wrong, in five ways at most."""
    match = _PHRASE.search(caption)
    assert match is not None
    number, colour, name, relation, colour2, name2 = match.groups()

    def other(words: Any, than: str) -> str:
        return rng.choice([word for word in words if word != than])

    variants = [
        (match.start(2), match.end(2), other(sample.COLOURS, colour)),
        (match.start(3), match.end(3), other(sample.NAMES, name)),
    ]
    ground = re.search(rf"on ({'|'.join(sample.GROUNDS)})", caption)
    assert ground is not None
    variants.append((ground.start(1), ground.end(1), other(sample.GROUNDS, ground[1])))
    texts = [caption[:a] + word + caption[b:] for a, b, word in variants]
    if relation:
        back = {**sample.RELATIONS, **{v: k for k, v in sample.RELATIONS.items()}}[relation]
        texts.append(caption[: match.start(4)] + back + caption[match.end(4) :])
        swapped = f"a {colour2} {name} {relation} a {colour} {name2}"
        texts += [caption[: match.start()] + swapped + caption[match.end() :]] if colour != colour2 else []
    else:
        word = other(sample.NUMBERS, number)
        phrase = f"{word} {colour} {name}{'s' if word != 'a' else ''}"
        texts.append(caption[: match.start()] + phrase + caption[match.end() :])
    return [text for text in texts if text != caption]


def of_scenes(model: lamella.Model, test: list[Example]) -> dict[str, float]:
    """Shares of the captions in which each kind of fact is right, and of pictures that are nearer to the right caption."""
    answers = model.predict([{"image": e["image"]} for e in test])
    said, true = [facts(a) for a in answers], [facts(e["caption"][0]) for e in test]
    shares = {"colour and noun": float(np.mean([a["things"] == b["things"] for a, b in zip(said, true, strict=True)]))}
    for kind in ("count", "relation", "ground"):
        those = [(a[kind], b[kind]) for a, b in zip(said, true, strict=True) if b[kind] is not None]
        shares[kind] = float(np.mean([a == b for a, b in those]))
    shares["all of it"] = float(np.mean([a == b for a, b in zip(said, true, strict=True)]))
    rng, right = random.Random(0), []
    vectors = np.array(model.ask("vector").predict([{"image": e["image"]} for e in test]), np.float32)
    for example, vector in zip(test, vectors, strict=True):
        caption = example["caption"][0]
        texts = [caption, *wrong(caption, rng)]
        cosines = np.array(model.ask("text-vector").predict([{"text": t} for t in texts]), np.float32) @ vector
        right.append(cosines.argmax() == 0)
    return {**shares, "hard negatives": float(np.mean(right))}


# ---- neighbours -------------------------------------------------------------------------------------------------------


def looks(examples: list[Example]) -> NDArray[np.float32]:
    """A picture as a unit vector: a histogram of 64 colours, and edges by direction in 6 x 6 cells (as HOG counts them)."""
    rows = []
    for example in examples:
        points = read_image(example["image"], 48, 3).astype(np.float32)  # (3, 48, 48)
        levels = (points // 64).astype(int)
        colours = np.bincount((levels[0] * 16 + levels[1] * 4 + levels[2]).ravel(), minlength=64).astype(np.float32)
        grey = points.mean(axis=0)
        down, across = np.gradient(grey)
        length, angle = np.hypot(down, across), (np.arctan2(down, across) % np.pi / np.pi * 8).astype(int) % 8
        cells = np.zeros((6, 6, 8), np.float32)
        y, x = np.mgrid[0:48, 0:48] // 8
        np.add.at(cells, (y.ravel(), x.ravel(), angle.ravel()), length.ravel())
        parts = [np.sqrt(colours), np.sqrt(cells).ravel()]
        rows.append(np.concatenate([part / (np.linalg.norm(part) + 1e-6) for part in parts]) / np.sqrt(2))
    return np.array(rows, np.float32)


def neighbours(learn: list[Example], test: list[Example]) -> dict[str, float]:
    """The scores of the nearest training picture's first caption, and of search by histograms."""
    from sacrebleu.metrics import CHRF

    known, asked = looks(learn), looks(test)
    nearest = (asked @ known.T).argmax(axis=1)
    answers = [learn[i]["caption"][0] for i in nearest]
    scores = metrics.captions(answers, [e["caption"] for e in test]).values
    chrf, some = CHRF(), random.Random(0).sample(range(len(learn)), min(LIKE, len(learn)))
    places = []
    for at, example in enumerate(test):
        text = example["caption"][0]
        like = max(some, key=lambda i: chrf.sentence_score(text, learn[i]["caption"]).score)
        places.append(int((asked @ known[like] > asked[at] @ known[like]).sum()))
    ranks = np.array(places)
    return {**scores, "text_recall_at_1": float(np.mean(ranks < 1)), "text_mrr": float(np.mean(1 / (1 + ranks)))}


# ---- printing ---------------------------------------------------------------------------------------------------------


def line(name: str, values: dict[str, float]) -> None:
    print(f"{name:28} " + "  ".join(f"{key} {value:.3f}" for key, value in values.items()), flush=True)


def report(name: str, model: lamella.Model, file: str, test: list[Example], what: str) -> None:
    line(name, {key: score["value"] for key, score in lamella.evaluate(model, file)["scores"].items()})
    if what == "scenes":
        line("", of_scenes(model, test))


def peer(python: str, files: tuple[str, str], out: Path, given: argparse.Namespace, test: list[Example]) -> None:
    """transformers' VisionEncoderDecoder from scratch, in its own environment, in the same minutes."""
    answers = out / "peer.json"
    script = Path(__file__).with_name("image_to_text_peer.py")
    command = [python, str(script), *files, str(answers), str(given.minutes), str(given.side), str(given.threads)]
    subprocess.run(command, check=True)
    line("VisionEncoderDecoder", metrics.captions(json.loads(answers.read_text()), [e["caption"] for e in test]).values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("scenes", "drawings", "photos"))
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=15.0, help="of training, each")
    parser.add_argument("--steps", type=int, help="instead of minutes, on a busy machine")
    parser.add_argument("--size", default="small")
    parser.add_argument("--side", type=int, default=96, help="of the peer's pictures, a multiple of 16")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--options", default="{}", help="a JSON object of the task's options")
    parser.add_argument("--python", help="an interpreter with torch, transformers and Pillow, for the peer")
    given = parser.parse_args()
    if given.what == "scenes":
        learn, test = make_scenes(LEARN, 101), make_scenes(TEST, 102)
    else:
        examples = read_data(given.folder)
        learn, test = parted(examples, GALLERY if given.what == "drawings" else len(examples) // 10, seed=0)
    files = write(learn, given.out / "learn.jsonl"), write(test, given.out / "test.jsonl")
    budget = {"steps": given.steps} if given.steps else {"minutes": given.minutes}
    print(f"{given.what}: {len(learn):,} pictures to learn from, {len(test):,} to measure with, {budget}, {given.size}")
    for seed in given.seeds:
        start = time.process_time()
        model = lamella.train(
            "image-to-text", files[0], test=[files[1]], out=str(given.out / f"model-{seed}"), seed=seed, size=given.size,
            threads=given.threads, force=True, tell=lambda _: None, **budget, **json.loads(given.options),
        )  # fmt: skip
        seconds = time.process_time() - start
        report(f"lamella, seed {seed}, float32", model, files[1], test, given.what)
        small = lamella.compress(model, str(given.out / f"small-{seed}"), files[1], force=True, tell=lambda _: None)
        report(f"lamella, seed {seed}, int8", small, files[1], test, given.what)
        steps = model.manifest.training["steps"]
        sizes = " and ".join(f"{graphs_size(one.files) / 1e6:.2f} MB" for one in (model, small))
        print(
            f"seed {seed}: {steps} steps, {seconds:.0f} CPU seconds with all that is around them, {sizes}", flush=True
        )
    line("neighbours", neighbours(learn, test))  # slow, so last
    if given.python:
        peer(given.python, files, given.out, given, test)


if __name__ == "__main__":
    main()
