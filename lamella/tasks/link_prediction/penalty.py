"""The weight of the N3 penalty, found by a short search: on small graphs a factor of five costs ten points of the metric."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lamella.metrics.filtered import filtered_ranks
from lamella.metrics.resample import Floats
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

if TYPE_CHECKING:
    from torch import Tensor, nn

TRIED = (0.003, 0.01, 0.03)
USUAL = 0.01
WORK = 1.5e11  # multiplications of one training of the search: seconds
STEPS = (40, 250)  # fewest that say something, and most
BATCH, HELD_OUT = 256, 250
RATE = 0.03


def search(
    build: "Callable[[], nn.Module]", facts: Ints, entities: int, relations: int, width: int
) -> tuple[float, bool]:
    """The weight of TRIED that is best for facts (N, 3) held out, after short trainings; and whether it was searched for.

    build: makes a small net of vectors of so many numbers (`width`). Where few steps are more than WORK, as for tens of
    thousands of entities, or there are few facts, it is USUAL.
    """
    steps = int(min(STEPS[1], WORK / (6 * BATCH * entities * width)))
    if steps < STEPS[0] or len(facts) < 2 * HELD_OUT:
        return USUAL, False
    order = np.random.default_rng(0).permutation(len(facts))
    held, learn = facts[order[:HELD_OUT]], facts[order[HELD_OUT:]]
    known = Knowledge(facts, entities, relations)
    found = [_tried(build(), learn, held, known, weight, steps) for weight in TRIED]
    best = max(found, key=np.mean)
    # A longer training overfits more than a short one: of weights that are equally good within one standard error
    # (Breiman et al., 1984) the largest is taken.
    least = best.mean() - best.std() / len(best) ** 0.5
    return max(weight for weight, ranks in zip(TRIED, found, strict=True) if ranks.mean() >= least), True


def _tried(net: "nn.Module", learn: Ints, held: Ints, known: Knowledge, weight: float, steps: int) -> Floats:
    """The reciprocal ranks of held-out facts after a short training with this weight."""
    import torch

    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    order = torch.Generator().manual_seed(0)
    rows = torch.from_numpy(learn)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * min(1.0, 2 * (1 - step / steps))
        h, r, t = rows[torch.randint(len(rows), (BATCH,), generator=order)].T
        loss(net(head=h, relation=r, tail=t), h, t, weight).backward()
        optimizer.step()
        optimizer.zero_grad()
    net.eval()
    with torch.no_grad():
        scores = net.tails(torch.from_numpy(held[:, 0]), torch.from_numpy(held[:, 1]))["scores"].numpy()  # type: ignore[operator]
    others = [known.tails(h, r) for h, r in held[:, :2].tolist()]
    return np.asarray(1 / filtered_ranks(scores, held[:, 2], others))


def loss(outputs: "dict[str, Tensor]", head: "Tensor", tail: "Tensor", weight: float) -> "Tensor":
    """The cross-entropy of both ends among all entities, and the penalty."""
    from torch.nn import functional as F

    ends = F.cross_entropy(outputs["tails"], tail) + F.cross_entropy(outputs["heads"], head)
    return ends / 2 + weight * outputs["penalty"].mean()
