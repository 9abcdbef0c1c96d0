"""How often a relation leads to each end, whoever begins it: what is known of an answer before the question's entity is looked at.

The net has learned this too, inside its vectors, where no fact can be taken out again. So it is taken out of what the net says,
and counted from the facts that are known when it answers (Menon et al., 2021, "Long-tail learning via logit adjustment"): it
then can be shown, and it follows facts that are added or taken away.
"""

import numpy as np
from numpy.typing import NDArray

from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

UNSEEN = 0.1  # facts that each entity is given, so that what never was is unlikely, not impossible


def log_shares(knowledge: Knowledge, relations: Ints, entities: int) -> NDArray[np.float32]:
    """Relations (B,) -> the logarithm of each entity's share of their ends, (B, entities).

    >>> known = Knowledge(np.array([[0, 0, 2], [1, 0, 2], [1, 0, 0]]), entities=3, relations=1)
    >>> np.exp(log_shares(known, np.array([0, 1]), 3)).round(2).tolist()  # the second is asked the other way round
    [[0.33, 0.03, 0.64], [0.33, 0.64, 0.03]]
    """
    shares = np.zeros((len(relations), entities), np.float32)
    for relation in np.unique(relations).tolist():
        counts = np.bincount(knowledge.ends(relation), minlength=entities)[:entities] + UNSEEN
        shares[relations == relation] = np.log(counts / counts.sum())
    return shares
