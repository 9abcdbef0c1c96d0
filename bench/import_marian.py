"""Compare an imported MarianMT model with Hugging Face's own program, and write down what the tests expect.

    pip install transformers
    python bench/import_marian.py            # compares
    python bench/import_marian.py --record   # and writes tests/tasks/translation/marian_mt.json

The net is random and made by tests/foreign_models.py; compared are log-probabilities with the right beginning given, and
greedy search through the exported graphs.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers
from transformers import MarianMTModel

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lamella.tasks.translation import foreign  # noqa: E402
from lamella.train.adopt import fill  # noqa: E402
from tests import foreign_models  # noqa: E402

SHOWN, STEPS = 12, 15  # log-probabilities that are written down, and tokens


def main() -> None:
    folder = foreign_models.huggingface(Path(tempfile.mkdtemp()) / "marian")
    theirs = MarianMTModel.from_pretrained(folder).eval()
    found = foreign.read(folder, "en", "de")
    assert found is not None
    ours = found.net().build(0.0, 64)
    fill(ours, found.weights).all_or_error("bench")
    ours.eval()
    padding = theirs.config.pad_token_id
    rng, cases, worst = np.random.default_rng(5), [], 0.0
    for length in (1, 5, 9):
        source, target = rng.integers(2, padding, length).tolist(), rng.integers(2, padding, 6).tolist()
        with torch.no_grad():
            out = theirs(input_ids=torch.tensor([[*source, 0]]), decoder_input_ids=torch.tensor([[padding, *target]]))
            logits = out.logits[0].clone()
            logits[:, padding] = -torch.inf  # never written
            wanted = torch.log_softmax(logits, dim=-1)[:, 2:padding]
            mine = ours(torch.tensor([[*(i + 2 for i in source), 3]]), torch.tensor([[2, *(i + 2 for i in target)]]))
            came = torch.log_softmax(mine["hidden"] @ mine["table"].t() + mine["bias"], dim=-1)[0, :, 4:]
            greedy = theirs.generate(
                input_ids=torch.tensor([[*source, 0]]), num_beams=1, do_sample=False, max_length=STEPS + 1,
                forced_eos_token_id=None,
            )[0, 1:].tolist()  # fmt: skip
        worst = max(worst, float((came - wanted).abs().max()))
        greedy = greedy[: greedy.index(0)] if 0 in greedy else greedy
        rounded = [round(float(x), 6) for x in wanted[-1, :SHOWN]]
        greedy = [i + 2 if i > 1 else 1 for i in greedy]  # as lamella numbers them: two more stand before, unknown is 1
        cases.append({"source": source, "target": target, "log_probabilities": rounded, "greedy": greedy})
        print(f"{length} pieces: greedy {greedy}")
    print(f"transformers {transformers.__version__}: log-probabilities differ by {worst:.2g} at most")
    if "--record" in sys.argv:
        record = {"program": f"transformers {transformers.__version__}", "pieces": padding + 1, "cases": cases}
        (ROOT / "tests/tasks/translation/marian_mt.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
