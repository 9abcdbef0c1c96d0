"""What a pre-trained encoder is worth with few labels: text-classification with and without it, beside TF-IDF.

    python -m bench.few_labels                                            films, tweets and products, a tenth of the labels
    python -m bench.few_labels --share 1 --steps 1000 --seeds 0 1 2         all labels, three splits
    python -m bench.few_labels --files polarity.csv trec.csv              other sets: a file each, text and label
    python -m bench.few_labels --sets movie --nets transformer cnn        by a net of the same family, from none and from it

Films, tweets and products are VADER's (`bench.text_classification` fetches them), cut into three classes. Each set is split half and
half by the seed, and of the learning half the given share is used. Macro F1 on the other half, the mean over the seeds and each of
them. Without `--nets` each way has the net that `lamella train` takes by itself. The peer is scikit-learn's logistic regression on
TF-IDF of words and pairs of words, its strength chosen by cross-validation. Nothing is chosen by the half that is measured with.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import lamella
from bench.text_classification import FILES, fetch, halves, read
from lamella.registry import find

NONE = "none"
Example = dict[str, str]


def tfidf(learn: list[Example], test: list[Example]) -> list[str]:
    """Labels by logistic regression on TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    strengths = {"logisticregression__C": [0.3, 1, 3, 10, 30]}
    search = GridSearchCV(model, strengths, scoring="f1_macro", cv=3)
    search.fit([e["text"] for e in learn], [e["label"] for e in learn])
    return list(search.predict([e["text"] for e in test]))


def trained(learn: list[Example], test: list[Example], init: str, net: str, steps: int) -> list[str]:
    """Labels by a net that begins from a model, or from none. net: its family, "" for the usual one."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, examples in (("learn", learn), ("test", test)):
            paths[name] = Path(folder) / f"{name}.jsonl"
            paths[name].write_text("".join(json.dumps(e) + "\n" for e in examples))
        model = lamella.train(
            "text-classification", str(paths["learn"]), test=[str(paths["test"])], out=str(Path(folder) / "model"),
            init=init, steps=steps, threads=1, tell=lambda line: None, **({"net": net} if net else {}),
        )  # fmt: skip
        return [a["label"] for a in model.predict([{"text": e["text"]} for e in test])]


def macro(wanted: list[str], answers: list[str]) -> float:
    """Macro F1: the mean over the labels."""
    from sklearn.metrics import f1_score

    return float(f1_score(wanted, answers, average="macro"))


def sets(names: list[str], files: list[str]) -> dict[str, list[Example]]:
    """Each data set by its name."""
    found = {}
    if names:
        folder = fetch()
        found = {name: read(folder / FILES[name]) for name in names}
    job = find("text-classification")()
    return found | {Path(file).stem: [dict(e) for e in job.read([file])[0]] for file in files}


def main() -> None:
    """Train, measure, print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", default="encoder", help="the encoder")
    parser.add_argument("--share", type=float, default=0.1, help="of the labels of the learning half")
    parser.add_argument("--sets", nargs="*", default=["movie", "tweets", "amazon"])
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--nets", nargs="*", default=[""])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--most", type=int, default=0, help="texts to measure with; 0: the whole half")
    given = parser.parse_args()
    for name, examples in sets(
        [] if given.files and given.sets == ["movie", "tweets", "amazon"] else given.sets, given.files
    ).items():
        figures: dict[str, list[float]] = {}
        for seed in given.seeds:
            learn, test = halves(examples, seed)
            learn, test = learn[: max(20, round(given.share * len(learn)))], test[: given.most or None]
            wanted = [e["label"] for e in test]
            figures.setdefault("TF-IDF + logistic regression", []).append(macro(wanted, tfidf(learn, test)))
            for net in given.nets:
                for init in (NONE, given.init):
                    start = time.perf_counter()
                    value = macro(wanted, trained(learn, test, init, net, given.steps))
                    what = f"{net + ', ' if net else ''}from {Path(init).name}"
                    figures.setdefault(what, []).append(value)
                    seconds = time.perf_counter() - start
                    print(f"  {name}, seed {seed}, {what}: {value:.3f}, {seconds:.0f} s", flush=True)
        print(f"{name}: {len(learn):,} labels, {len(test):,} to measure with")
        for what, values in figures.items():
            print(f"  {what:<32} macro F1 {np.mean(values):.3f}  ({', '.join(f'{v:.3f}' for v in values)})", flush=True)


if __name__ == "__main__":
    main()
