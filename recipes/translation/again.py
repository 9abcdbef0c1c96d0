"""Write the graphs of a shipped translator anew, from its own weights, after the net's code has changed.

    python -m recipes.translation.again lamella/models/en-de+es+fr+zh [--shortlist FILE of recipes.translation.shortlist]
    python -m recipes.translation.again lamella/models/en-de+es+fr+zh --measure        its scores alone, after what stands around the net has changed

The bytes of the weights must stay what they are, and are compared; so must the answers, which tests compare. Afterwards
lamella/storage/checksums.py needs the new checksums.

--measure takes the development sets that `recipes.translation.mix` has written; sets that are not there keep their scores.
"""

import argparse
from pathlib import Path

import numpy as np
from msgspec.structs import replace

import lamella
from lamella import model as folder
from lamella.graphs.int8 import quantize
from lamella.graphs.weights import named_weights
from lamella.model import card
from lamella.train.adopt import fill
from lamella.train.export import export_graphs
from lamella.train.ship import store_learned
from recipes.translation.ship import held_out, licences, measure


def rewrite(place: Path, shortlist: Path | None) -> None:
    opened = lamella.load(place)
    if opened.manifest.precision != "int8":
        raise SystemExit(f"{place}: expected a model of int8, received {opened.manifest.precision}.")
    before, blobs, learned = named_weights(opened.files), {}, opened.manifest.learned
    if shortlist:
        opened.task.shortlist_ = shortlist.read_bytes()
        learned, blobs = store_learned(opened.task)
        vars(opened.task).pop("shortlist", None)
        assert opened.task.shortlist.parts  # it fits the vocabulary, else ValueError
    net = opened.task.build()
    filled = fill(net, before)
    if filled.missing or filled.odd:
        raise SystemExit(f"{place}: its graphs do not hold all of the net: {filled.lines()[0]}")
    graphs = {name: quantize(raw) for name, raw in export_graphs(net).items()}
    files = {**opened.files, **blobs, **graphs}
    after = named_weights(files)
    changed = [name for name in before if name not in after or not np.array_equal(before[name], after[name])]
    if changed:
        raise SystemExit(f"{place}: {changed[0]} would change. Nothing was written.")
    manifest = replace(opened.manifest, lamella=lamella.__version__, learned=learned)
    folder.write(manifest, {name: raw for name, raw in files.items() if name != "model.json"}, place)
    sizes = ", ".join(f"{name} {len(opened.files[name]):,} -> {len(raw):,} bytes" for name, raw in graphs.items())
    print(f"wrote {place}: {sizes}")


def measured(place: Path, limit: int) -> None:
    """Measure again what can be measured here, and write the scores into manifest and card."""
    opened = lamella.load(place)
    stage = "to" if place.name.startswith("en-") else "from"
    languages = sorted({code for pair in opened.task.directions for code in pair} - {"en"})
    results = measure(opened.task, opened.files, held_out(stage, languages, "test", limit))
    manifest = replace(opened.manifest, scores={**opened.manifest.scores, **results})
    text = card.write(manifest, opened.bytes, licences())
    files = {name: raw for name, raw in opened.files.items() if name != "model.json"}
    folder.write(manifest, {**files, "card.md": text.encode()}, place)
    print(f"wrote the scores of {', '.join(results)} into {place}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", type=Path, nargs="+", help="model folders")
    parser.add_argument("--shortlist", type=Path, help="a shortlist to ship with it, in the place of any that it has")
    parser.add_argument("--measure", action="store_true", help="measure again instead")
    parser.add_argument("--limit", type=int, default=400, help="at most so many pairs of each set")
    given = parser.parse_args()
    for place in given.places:
        if given.measure:
            measured(place, given.limit)
        else:
            rewrite(place, given.shortlist)


if __name__ == "__main__":
    main()
