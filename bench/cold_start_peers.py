"""How long the first translation takes, as a user asks for it: `lamella translate`, argos-translate and transformers.

    python -m bench.cold_start_peers --transformers HF/bin/python --argos ARGOS/bin/python --ctranslate2 CT2/bin/python [--write]

Whole processes in turn, one round before them not counted. argos-translate is its own command with a package of our weights, which
CTranslate2's converter writes (it cuts no sentences here: see `bench/translation_argos.py`). transformers is a `pipeline` with a net
of our size: random weights, our vocabulary, as many pieces as our answer has, four beams. --write puts the table into docs/bench.md.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from bench.cold_start import LAMELLA, timed
from bench.translation import Peer, net_size, put
from lamella.model.shipped import translator

HERE = Path(__file__).parent
TEXT = "Hello, world!"


def argos(python: str, ctranslate2: str, folder: Path) -> list[str]:
    """The command of argos-translate, with a package made in a folder."""
    mark = "<2fr>"
    peer = Peer(ctranslate2, translator("en", "fr"), folder, max(os.sched_getaffinity(0)), mark)
    peer.end()
    made = [*peer.command, *peer.places[:-1], str(folder / "packages" / "en_fr"), "--package", "fr", mark]
    subprocess.run(made, check=True)
    return [python, str(HERE / "translation_argos.py"), str(folder / "packages"), "en", "fr", TEXT]


def transformers(python: str, folder: Path) -> list[str]:
    """The command of transformers, with a net made in a folder."""
    model = translator("en", "fr")
    vocabulary, net = folder / "vocabulary.model", str(folder / "marian")
    vocabulary.write_bytes(model.files["vocabulary.model"])
    pieces = 1 + len(model.task.target_pieces.encode([model.predict(TEXT)])[0])
    script = str(HERE / "translation_generate.py")
    made = [python, script, json.dumps(net_size(model)), "--save", net, str(vocabulary), str(pieces)]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    asked = f"from transformers import pipeline; print(pipeline('translation_en_to_fr', model={net!r})({TEXT!r}))"
    return [python, "-c", asked]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    for name in ("transformers", "argos", "ctranslate2"):
        parser.add_argument(f"--{name}", required=True, help=f"an interpreter with {name}")
    parser.add_argument("--write", action="store_true", help="put the table into docs/bench.md")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as folder:
        commands = {
            "`lamella translate`": [LAMELLA, "translate", TEXT, "--to", "fr"],
            "argos-translate": argos(given.argos, given.ctranslate2, Path(place)),
            "`pipeline` of transformers": transformers(given.transformers, Path(place)),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(given.rounds + 1):
            for name, command in commands.items():
                seconds = timed(command, folder)
                if number:
                    taken[name].append(seconds)
    ours = next(iter(taken.values()))
    rows = [
        f"One sentence by a process of its own, medians of {given.rounds} rounds in turn, {platform.machine()}, {time.strftime('%Y-%m-%d')}.", "",
        "| | seconds | times lamella's | range |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, times in taken.items():
        ratios = [a / b for a, b in zip(times, ours, strict=True)]
        cells = (
            "| |" if times is ours else f"{statistics.median(ratios):.1f} | {min(ratios):.1f} to {max(ratios):.1f} |"
        )
        rows.append(f"| {name} | {statistics.median(times):.2f} | {cells}")
    table = "\n".join(rows) + "\n"
    print(table)
    if given.write:
        put("cold start", table)


if __name__ == "__main__":
    main()
