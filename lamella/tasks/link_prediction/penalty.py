"""The weight of the N3 penalty, found by a short search: on small graphs a factor of five costs ten points of the metric."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lamella.metrics.filtered import filtered_ranks
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

if TYPE_CHECKING:
    from torch import Tensor, nn

TRIED = (0.003, 0.01, 0.03)
USUAL = 0.01
OF_MANY = 0.05  # where there are too many entities for a search: each has few facts, and would be learned by heart
WORK = 1.5e11  # multiplications of one training of the search: seconds
STEPS = (40, 250)  # fewest that say something, and most
CLOSE, LONGER = 0.03, 4  # difference of the metric below which two weights are tried again, so many times as long
BATCH = 256
HELD_OUT = (
    400,
    1500,
)  # facts: fewest, and most; with 400 of one direction the weights of CoDEx-S differed by less than chance
FEWEST = 1000  # facts of a search: fewer that are held out tell nothing
RATE = 0.1  # of AdaGrad


def search(build: "Callable[[], nn.Module]", facts: Ints, known: Knowledge, width: int) -> float:
    """The weight of TRIED that is best for facts (N, 3) held out, after short trainings.

    build: makes a small net, of vectors of so many numbers (`width`); known: all facts that count as right, those not learned from
    among them, or what is right would count as wrong. OF_MANY where few steps are more than WORK already, as for tens of
    thousands of entities; USUAL where there are few facts.
    """
    steps = int(min(STEPS[1], WORK / (6 * BATCH * known.entities * width)))
    if len(facts) < FEWEST:
        return USUAL
    if steps < STEPS[0]:
        return OF_MANY
    order = np.random.default_rng(0).permutation(len(facts))
    count = min(HELD_OUT[1], max(HELD_OUT[0], len(facts) // 8))
    held, learn = facts[order[:count]], facts[order[count:]]
    found = {weight: _tried(build(), learn, held, known, weight, steps) for weight in TRIED}
    first, second = sorted(TRIED, key=lambda weight: -found[weight])[:2]
    if found[first] - found[second] < CLOSE:
        # A strong penalty learns sooner and ends lower: the two are told apart by longer trainings.
        found = {weight: _tried(build(), learn, held, known, weight, LONGER * steps) for weight in (first, second)}
    return max(found, key=lambda weight: found[weight])


def _tried(net: "nn.Module", learn: Ints, held: Ints, known: Knowledge, weight: float, steps: int) -> float:
    """The mean reciprocal rank of held-out facts, asked both ways, after a short training with this weight."""
    import torch

    optimizer = torch.optim.Adagrad(net.parameters(), lr=RATE)
    order = torch.Generator().manual_seed(0)
    rows = torch.from_numpy(learn)
    for _ in range(steps):
        h, r, t = rows[torch.randint(len(rows), (BATCH,), generator=order)].T
        loss(net(head=h, relation=r, tail=t), weight).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        optimizer.zero_grad()
    net.eval()
    turned = np.stack([held[:, 2], held[:, 1] + known.relations, held[:, 0]], axis=1)
    ranks = []
    for part in np.array_split(np.concatenate([held, turned]), max(1, 2 * len(held) // BATCH)):
        with torch.no_grad():
            scores = net.tails(torch.from_numpy(part[:, 0]), torch.from_numpy(part[:, 1]))["scores"].numpy()  # type: ignore[operator]
        others = [known.tails(h, r) for h, r in part[:, :2].tolist()]
        ranks.append(filtered_ranks(scores, part[:, 2], others))
    return float((1 / np.concatenate(ranks)).mean())


def loss(outputs: "dict[str, Tensor]", weight: float) -> "Tensor":
    """The cross-entropy of both ends among the entities that they are compared with, and the penalty."""
    from torch.nn import functional as F

    ends = F.cross_entropy(outputs["tails"], outputs["tail_at"]) + F.cross_entropy(outputs["heads"], outputs["head_at"])
    return ends / 2 + weight * outputs["penalty"].mean()
