"""RecBole's SASRec and implicit on the files of `bench.recommendation`: run by it in the peers' own environment.

    python recommendation_peer.py FOLDER SECONDS AGAIN

FOLDER holds events.jsonl (user, item, time) and test.jsonl (history, next). RecBole trains for at most so many processor seconds, its best epoch by
the last item of events.jsonl is measured; implicit has no such limit. AGAIN 1: items of the history may be recommended. The last line that is
printed is JSON: name -> ranks of the wanted items from 1, 0 where one cannot be recommended, and seconds.

RecBole 1.2.1 needs numpy < 2 and reads its own checkpoints only with weights_only=False: torch.load is asked so here.
"""

import contextlib
import functools
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


class Over(Exception):
    """The time is over."""


def place(scores, wanted, seen, again):
    """The rank of an item by its score among all that may be recommended."""
    allowed = np.isfinite(scores)
    if not again:
        allowed[list(seen)] = False
    return int((scores[allowed] > scores[wanted]).sum()) + 1 if allowed[wanted] else 0


def sasrec(histories, wanted, seconds, again):
    """RecBole's SASRec with cross-entropy over all items, two layers of width 64, the latest 50 items."""
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed
    from recbole.utils.case_study import full_sort_scores

    torch.load = functools.partial(torch.load, weights_only=False)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place_of:
        folder = Path(place_of, "bench")
        folder.mkdir()
        with (folder / "bench.inter").open("w") as file:
            file.write("user_id:token\titem_id:token\ttimestamp:float\n")
            for user, (history, item) in enumerate(zip(histories, wanted, strict=True)):
                for at, one in enumerate([*history, item]):
                    file.write(f"{user}\t{one}\t{at}\n")
        settings = {
            "data_path": place_of, "checkpoint_dir": place_of, "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "MAX_ITEM_LIST_LENGTH": 50, "hidden_size": 64, "inner_size": 256, "n_layers": 2, "n_heads": 2,
            "hidden_dropout_prob": 0.3, "attn_dropout_prob": 0.3, "loss_type": "CE", "train_neg_sample_args": None,
            "train_batch_size": 512, "eval_batch_size": 512, "epochs": 10_000, "stopping_step": 30, "learning_rate": 1e-3,
            "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
            "metrics": ["NDCG"], "topk": [10], "valid_metric": "NDCG@10", "show_progress": False, "use_gpu": False, "seed": 0,
        }  # fmt: skip
        config = Config(model="SASRec", dataset="bench", config_dict=settings)
        init_seed(0, True)
        dataset = create_dataset(config)
        train, valid, test = data_preparation(config, dataset)
        model = get_model("SASRec")(config, train.dataset)
        trainer = get_trainer(config["MODEL_TYPE"], "SASRec")(config, model)
        start = time.process_time()

        def over(epoch, score):
            if time.process_time() - start > seconds:
                raise Over

        with contextlib.suppress(Over):
            trainer.fit(train, valid, saved=True, show_progress=False, callback_fn=over)
        spent = time.process_time() - start
        model.load_state_dict(torch.load(trainer.saved_model_file)["state_dict"])
        model.eval()
        ranks = []
        for first in range(0, len(histories), 256):
            users = [str(u) for u in range(first, min(first + 256, len(histories)))]
            inner = dataset.token2id(dataset.uid_field, users)
            scores = full_sort_scores(inner, model, test, device="cpu").numpy()
            for user, row in zip(map(int, users), scores, strict=True):
                ids = dataset.token2id(dataset.iid_field, [str(i) for i in (*histories[user], wanted[user])])
                row[0] = -np.inf  # padding
                ranks.append(place(row, ids[-1], ids[:-1], again))
        return {"ranks": ranks, "seconds": spent}


def by_implicit(make, histories, wanted, items, again):
    """One of implicit's recommenders: it reads which items each user chose, not in which order."""
    from scipy.sparse import csr_matrix

    users = np.repeat(np.arange(len(histories)), [len(h) for h in histories])
    chosen = csr_matrix((np.ones(len(users), np.float32), (users, np.concatenate(histories))), (len(histories), items))
    start = time.process_time()
    model = make()
    model.fit(chosen, show_progress=False)
    ids, _ = model.recommend(np.arange(len(histories)), chosen, N=100, filter_already_liked_items=not again)
    ranks = [
        int(np.flatnonzero(row == w)[0]) + 1 if (row == w).any() else 0 for row, w in zip(ids, wanted, strict=True)
    ]
    return {"ranks": ranks, "seconds": time.process_time() - start}


def main():
    folder, seconds, again = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "1"
    tests = [json.loads(line) for line in (folder / "test.jsonl").read_text().splitlines()]
    names = sorted({name for e in tests for name in (*e["history"], e["next"])})
    number = {name: n for n, name in enumerate(names)}
    histories = [[number[name] for name in e["history"]] for e in tests]
    wanted = [number[e["next"]] for e in tests]
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender

    als = functools.partial(AlternatingLeastSquares, factors=64, iterations=20, random_state=0)
    found = {
        "implicit, BM25 neighbours": by_implicit(lambda: BM25Recommender(K=200), histories, wanted, len(names), again),
        "implicit, ALS": by_implicit(als, histories, wanted, len(names), again),
        "RecBole, SASRec": sasrec(histories, wanted, seconds, again),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
