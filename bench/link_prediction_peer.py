"""pykeen's ComplEx on three files of facts: run by `bench.link_prediction` in the peer's own environment.

    python link_prediction_peer.py TRAIN VALID TEST RANK SECONDS MRR N3

It trains for at most so many processor seconds, evaluates on TEST after every few epochs, filtered by all three files, and stops when it has
reached MRR. The seconds printed are of training alone: its evaluation is not counted. It has the usual random start and penalty of published
ComplEx (small normal numbers and N3, Lacroix et al., 2018): with pykeen's own defaults (standard deviation 1, no N3) UMLS stays at .33.
"""

import logging
import sys
import time

import torch
from pykeen.evaluation import RankBasedEvaluator
from pykeen.losses import CrossEntropyLoss
from pykeen.models import ComplEx
from pykeen.training import LCWATrainingLoop
from pykeen.triples import TriplesFactory

EPOCHS = 10  # between two looks


def small_start(numbers: torch.Tensor) -> torch.Tensor:
    return torch.nn.init.normal_(numbers, std=0.01)


def main() -> None:
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    train, valid, test = sys.argv[1:4]
    rank, limit, goal, penalty = int(sys.argv[4]), float(sys.argv[5]), float(sys.argv[6]), float(sys.argv[7])
    learn = TriplesFactory.from_path(train, create_inverse_triples=True)
    ids = {"entity_to_id": learn.entity_to_id, "relation_to_id": learn.relation_to_id}
    others = [TriplesFactory.from_path(path, **ids) for path in (valid, test)]
    model = ComplEx(
        triples_factory=learn, embedding_dim=rank, loss=CrossEntropyLoss(), random_seed=0,
        entity_initializer=small_start, relation_initializer=small_start,
        regularizer="PowerSum", regularizer_kwargs={"weight": penalty, "p": 3.0},
    )  # fmt: skip
    loop = LCWATrainingLoop(
        model=model, triples_factory=learn, optimizer=torch.optim.Adagrad(model.parameters(), lr=0.1)
    )
    evaluator = RankBasedEvaluator(filtered=True)
    seconds, best, epochs = 0.0, 0.0, 0
    while seconds < limit and best < goal:
        start = time.process_time()
        epochs += EPOCHS
        loop.train(
            learn,
            num_epochs=epochs,
            batch_size=256,
            use_tqdm=False,
            only_size_probing=False,
            continue_training=epochs > EPOCHS,
        )
        seconds += time.process_time() - start
        filters = [learn.mapped_triples, others[0].mapped_triples]
        found = evaluator.evaluate(
            model, others[1].mapped_triples, additional_filter_triples=filters, use_tqdm=False, batch_size=64
        )
        best = max(best, float(found.get_metric("both.realistic.inverse_harmonic_mean_rank")))
        print(
            f"pykeen, ComplEx          mrr {best:.4f} (its best so far) after {seconds:.0f} s, {epochs} epochs",
            flush=True,
        )


if __name__ == "__main__":
    main()
