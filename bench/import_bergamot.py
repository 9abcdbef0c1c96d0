"""Compare imported `.npz` and `.bin` models with Marian itself, and write down what the tests expect.

    python3.10 -m venv marian && marian/bin/pip install bergamot      # 0.4.5 holds Marian; its wheels end with Python 3.10
    python bench/import_bergamot.py marian/bin/python            # compares
    python bench/import_bergamot.py marian/bin/python --record   # and writes tests/tasks/translation/marian.json

Compared are greedy translations. In floats they are the same to the last letter; of int8 Marian rounds what flows between
products too, so that a random net, whose pieces are nearly as likely as each other, now and then writes another one.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lamella.data.text.pieces import END, START, Pieces  # noqa: E402
from lamella.decode import greedy  # noqa: E402
from lamella.graphs import torch_graphs  # noqa: E402
from lamella.tasks.translation import foreign  # noqa: E402
from lamella.tasks.translation.shortlist import Shortlist, read_with  # noqa: E402
from lamella.train.adopt import fill  # noqa: E402
from tests import foreign_models  # noqa: E402

WHOLE = [text for pair in foreign_models.SENTENCES for text in pair]
TEXTS = [*WHOLE, *(" ".join(text.split()[:k]) for text in WHOLE for k in (1, 3)), "ﬁne ½ house"]
CONFIG = """models: [{model}]
vocabs: [{vocabulary}, {vocabulary}]
beam-size: 1
normalize: 1.0
word-penalty: 0
max-length-break: 128
max-length-factor: 2.0
mini-batch-words: 1024
workspace: 64
quiet: true
quiet-translation: true
skip-cost: true
alignment: soft
gemm-precision: {precision}
ssplit-mode: paragraph
"""
# Run by the other Python. The package itself would ask the network for its list of models: only its engine is loaded.
ENGINE = """
import glob, json, sys
sys.path.insert(0, glob.glob(sys.prefix + "/lib/python3*/site-packages/bergamot")[0])
import _bergamot
service = _bergamot.Service(_bergamot.ServiceConfig(numWorkers=1, logLevel="off"))
model = service.modelFromConfigPath(sys.argv[1])
options = _bergamot.ResponseOptions(alignment=False, qualityScores=False, HTML=False)
texts = json.load(open(sys.argv[2]))  # one at a time: the shortlist of a batch is that of all its sentences
one = lambda text: service.translate(model, _bergamot.VectorString([text]), options)[0].target.text
print(json.dumps([one(text) for text in texts]))
"""


def marian(python: str, folder: Path, precision: str) -> list[str]:
    """What Marian writes."""
    [model] = [*folder.glob("model*.npz"), *folder.glob("model*.bin")]
    (folder / "config.yml").write_text(
        CONFIG.format(model=model, vocabulary=folder / "vocab.ende.spm", precision=precision)
    )
    if (folder / "lex.ende.bin").exists():
        with (folder / "config.yml").open("a") as file:
            file.write(f"shortlist: [{folder / 'lex.ende.bin'}, false]\n")
    (folder / "texts.json").write_text(json.dumps(TEXTS))
    command = [python, "-c", ENGINE, str(folder / "config.yml"), str(folder / "texts.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answers: list[str] = json.loads(done.stdout)
    return answers


def lamella(folder: Path) -> list[str]:
    """What the imported net writes, with nothing around it."""
    found = foreign.read(folder, "en", "de")
    assert found is not None
    net = found.net().build(0.0, 512, bool(found.shortlist))
    fill(net, found.weights).all_or_error("bench")
    graphs, pieces = torch_graphs(net.eval()), Pieces(found.source_pieces, normaliser=found.normaliser)

    def step(token, state, memory):  # type: ignore[no-untyped-def]
        return graph(token=token, **state, **memory)

    answers = []
    for text in TEXTS:
        source = np.array([[*pieces.encode([text])[0], END]])
        if found.shortlist:
            shortlist = Shortlist(found.shortlist, (len(pieces), len(pieces)), shared=True)
            memory, graph = read_with(shortlist, graphs, source)
        else:
            memory, graph = graphs["encode"](source=source), graphs["step"]
        [h] = greedy(step, graphs["step"].empty(batch=1, beam=1), memory, START, END, np.array([2 * source.shape[1]]))
        answers += pieces.decode([h.tokens])
    return answers


def main() -> None:
    record: dict[str, list[dict[str, str]]] = {}
    for kind, precision in (("npz", "float32"), ("bin", "float32"), ("shortlist", "float32"), ("int8", "int8shiftAll")):
        folder = foreign_models.for_the_engine(Path(tempfile.mkdtemp()) / kind, kind)
        theirs, ours = marian(sys.argv[1], folder, precision), lamella(folder)
        # Each stops a long answer at a place of its own, and writes unknown pieces in its own way.
        known = [(t, a, b) for t, a, b in zip(TEXTS, theirs, ours, strict=True) if "?" not in a]
        same = sum(a[: len(b)] == b[: len(a)] for _, a, b in known)
        print(f"{kind}: {same} of {len(known)} translations are the same")
        record[kind] = [{"text": t, "translation": a} for t, a, _ in known][:12]
    if "--record" in sys.argv:
        record.pop("int8")
        text = json.dumps({"program": "Marian, in bergamot 0.4.5", **record}, indent=1, ensure_ascii=False)
        (ROOT / "tests/tasks/translation/marian.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
