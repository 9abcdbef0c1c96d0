"""Explanations on real data: are the units named first those that matter? Ablation and Captum's integrated gradients.

    python -m bench.explain                          texts and digits, some five minutes of one core
    python -m bench.explain --examples 20 --steps 150

Needs Captum, without its wish for an old numpy: pip install matplotlib tqdm; pip install captum --no-deps.

Texts are VADER's reviews of films (bench/text_classification.py), pictures are handwritten digits (bench/mnist.py);
what is explained was not learned from. Each method gives an order of the units, words or patches. Ablation is what
`explain` does, which takes units away in random orders (sampled Shapley values), and beside it each taken away by
itself. Deletion takes units away in that order and insertion gives them back to an empty example (Petsiuk et al., 2018);
shown is the mean over the curve of how likely the net finds its own first answer. Both replace otherwise than ablation
did: words by _ instead of nothing, patches by the picture's mean colour instead of its edge's. Random orders stand
beside. Integrated gradients run over the same net in torch, 50 steps, from what Captum takes without being told, zeros,
and for pictures from an empty one too; a unit's weight is the sum of its places. The last columns: by how much ablation
is better, with the interval of 95% of resamples.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lamella
from bench import mnist
from bench import text_classification as vader
from lamella.explain import faithfulness
from lamella.explain.ablation import Floats, Question, ablate, shapley
from lamella.explain.gradients import rebuilt, spread

POINTS = 12  # of a curve at most, both ends aside
DRAWS = 5  # random orders
STEPS = 50  # of integrated gradients
Weigh = Callable[[Question, Any], Floats]


def captum_weights(question: Question, net: Any, empty: bool = False) -> Floats:
    """Captum's integrated gradients of the log-odds of the answer, by units."""
    import torch
    from captum.attr import IntegratedGradients
    from torch.nn import functional as F
    from torch.overrides import TorchFunctionMode

    job, full = question.task, question.inputs()
    place = job.labels_.index(question.answer["label"])
    batch = {k: torch.from_numpy(v) for k, v in job.collate([full]).items()}
    if "pictures" in batch:
        start = job.collate([question.inputs(range(len(question.units)))])["pictures"]
        method = IntegratedGradients(lambda x: odds(net.classify(x)["scores"], place))
        baseline = torch.from_numpy(start) if empty else None
        found = method.attribute(batch["pictures"], baselines=baseline, n_steps=STEPS)
        return spread(question, full, {"pictures": found[0].numpy().astype(float)})

    class Given(TorchFunctionMode):
        """In the place of what is looked up, what was given, in the order of the calls; or what was looked up is kept."""

        def __init__(self, given: list[Any], kept: list[Any]) -> None:
            super().__init__()
            self.given, self.kept = list(given), kept

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            if func is not F.embedding:
                return out
            self.kept.append(out.detach())
            return self.given.pop(0) if self.given else out

    def answer(*embedded: Any) -> Any:
        rows = {k: v.expand(len(embedded[0]), *v.shape[1:]) for k, v in batch.items()}
        with Given(list(embedded), []):
            out = net(**rows)
        deep, wide = job.mix_
        return odds(deep * out["deep"].log_softmax(dim=1) + wide * out["wide"].log_softmax(dim=1), place)

    kept: list[Any] = []
    with torch.no_grad(), Given([], kept):
        net(**batch)
    # In which order the two are looked up is told by how many there are.
    names = [next(k for k, v in batch.items() if v[0].numel() == e[0].numel() // e.shape[-1]) for e in kept]
    found = IntegratedGradients(answer).attribute(tuple(kept), n_steps=STEPS, internal_batch_size=STEPS)
    each = {n: a[0].sum(dim=-1).numpy().astype(float).reshape(full[n].shape) for n, a in zip(names, found, strict=True)}
    return spread(question, full, each)


def odds(scores: Any, place: int) -> Any:
    """Scores of labels (B, L) -> the log-odds of one, (B,)."""
    import torch

    others = [i for i in range(scores.shape[1]) if i != place]
    return scores[:, place] - torch.logsumexp(scores[:, others], dim=1)


def area(question: Question, order: list[int]) -> tuple[float, float]:
    """Deletion and insertion of an order: the mean over the curve of how likely the answer is."""
    count = len(order)
    points = sorted({round(k) for k in np.linspace(0, count, min(POINTS, count - 1) + 2)[1:-1]})
    deletion, insertion = (1 / (1 + np.exp(-v)) for v in faithfulness.curves(question, order, points))
    return float(deletion.mean()), float(insertion.mean())


def measure(model: lamella.Model, examples: list[dict[str, Any]], ways: dict[str, Weigh]) -> dict[str, Floats]:
    """For each method deletion, insertion and seconds of each example, (N, 3)."""
    net, chance = None, np.random.default_rng(0)
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in (*ways, "random order")}
    for example in examples:
        question = Question(model, example)
        if len(question.units) < 4:
            continue
        net = net or rebuilt(question)
        for name, weigh in ways.items():
            begun = time.process_time()
            weights = weigh(question, net)
            seconds = time.process_time() - begun
            found[name].append((*area(question, np.argsort(-weights, kind="stable").tolist()), seconds))
        draws = [area(question, chance.permutation(len(question.units)).tolist()) for _ in range(DRAWS)]
        found["random order"].append((*map(float, np.mean(draws, axis=0)), 0.0))
    return {name: np.array(rows) for name, rows in found.items()}


def show(title: str, found: dict[str, Floats]) -> None:
    ours = next(iter(found.values()))
    print(f"\n{title}, {len(ours)} explained")
    print(f"{'':34} {'deletion':>8} {'insertion':>9} {'sec each':>8}   ablation's lead in both")
    chance = np.random.default_rng(0)
    for name, rows in found.items():
        deletion, insertion, seconds = rows.mean(axis=0)
        leads = []
        for lead in (rows[:, 0] - ours[:, 0], ours[:, 1] - rows[:, 1]):
            means = lead[chance.integers(0, len(lead), (2000, len(lead)))].mean(axis=1)
            leads.append(f"{lead.mean():+.3f} ({np.quantile(means, 0.025):+.3f} to {np.quantile(means, 0.975):+.3f})")
        lead_text = "" if rows is ours else "   ".join(leads)
        print(f"{name:34} {deletion:8.3f} {insertion:9.3f} {seconds:8.3f}   {lead_text}", flush=True)


def texts(place: str, count: int, steps: int, data: Path | None) -> None:
    import msgspec

    learn, test = vader.halves(vader.read((data or vader.fetch()) / vader.FILES["movie"]), 0)
    path = Path(place) / "films.jsonl"
    path.write_bytes(b"\n".join(map(msgspec.json.encode, learn[:2000])))
    how: dict[str, Any] = {"steps": steps, "size": "tiny", "max_features": 20_000, "strength": 1.0}  # quick, not best
    model = trained("text-classification", str(path), f"{place}/films", **how)
    ways: dict[str, Weigh] = {
        "ablation": lambda question, net: shapley(question),
        "ablation, each by itself": lambda question, net: ablate(question).sum(axis=1),
        "integrated gradients, from zeros": captum_weights,
    }
    show("Reviews of films, words", measure(model, test[:count], ways))


def digits(place: str, count: int, steps: int) -> None:
    learn, test = mnist.split()
    if not (Path(place) / "m").exists():
        mnist.write(Path(place) / "digits", learn)
    paths = mnist.write(Path(place) / "test", (test[0][:count], test[1][:count]))
    model = trained("image-classification", f"{place}/digits", f"{place}/m", steps=steps, size="tiny")
    ways: dict[str, Weigh] = {
        "ablation": lambda question, net: shapley(question),
        "ablation, each by itself": lambda question, net: ablate(question).sum(axis=1),
        "integrated gradients, from zeros": captum_weights,
        "integrated gradients, from empty": lambda question, net: captum_weights(question, net, empty=True),
    }
    show("Handwritten digits, patches", measure(model, [{"image": p} for p in paths], ways))


def trained(task: str, data: str, out: str, **how: Any) -> lamella.Model:
    """The model that is there already, or a new one."""
    if not (Path(out) / "model.json").exists():
        lamella.train(task, data, out=out, threads=1, tell=lambda line: None, **how)
    return lamella.load(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="both", choices=["both", "films", "digits"])
    parser.add_argument("--examples", type=int, default=100, help="explained of each set")
    parser.add_argument("--steps", type=int, default=300, help="of training")
    parser.add_argument("--data", type=Path, help="folder with VADER's files, where there is no network")
    parser.add_argument("--keep", help="folder for the models; those that are there are not trained again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as gone:
        place = given.keep or gone
        if given.set != "digits":
            texts(place, given.examples, given.steps, given.data)
        if given.set != "films":
            digits(place, given.examples, given.steps)


if __name__ == "__main__":
    main()
