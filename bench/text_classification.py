"""Short texts by opinion: three nets of text-classification beside what people would use instead.

    python -m bench.text_classification                             movie reviews, fetched
    python -m bench.text_classification --set all --seeds 0 1 2     movie, tweets and amazon, each split three times
    python -m bench.text_classification --data FOLDER               the unpacked data set, where there is no network

The data are VADER's (Hutto and Gilbert, 2014): sentences with the mean opinion of 20 raters, cut at plus and minus 0.2
into three classes, split half and half by a fixed seed. Weighted F1 on the half that was not learned from: the mean
over the seeds and each of them, then accuracy, seconds and size in the mean. What was to be chosen was chosen by
cross-validation on the learning half of seed 0; the peers choose their strength on the learning half, too.
"""

import argparse
import io
import random
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

import lamella

FILES = {
    "movie": "movieReviewSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
    "amazon": "amazonReviewSnippets_GroundTruth.txt",
    "nyt": "nytEditorialSnippets_GroundTruth.txt",
}
CACHE = Path.home() / ".cache" / "lamella" / "bench" / "vader"
NETS = ("cnn", "rnn", "transformer")
ALL = ("movie", "tweets", "amazon")  # the sets that others published figures of

Example = dict[str, str]
Result = tuple[float, float, float, float]  # weighted F1, accuracy, seconds, megabytes


def fetch() -> Path:
    """The data set's folder; the source package is fetched and unpacked once."""
    if not (CACHE / FILES["movie"]).exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        words = [
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            "--no-build-isolation",
            "vaderSentiment==0.5",
        ]
        with tempfile.TemporaryDirectory() as place:
            subprocess.run([sys.executable, "-m", "pip", *words, "-d", place], check=True)
            package = next(Path(place).iterdir())
            _unpack(package.read_bytes(), package.name)
    return CACHE


def _unpack(raw: bytes, name: str) -> None:
    """Keep the ground truth of a package, or of an archive in it."""
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    else:
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            files = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.isfile()}
            members = {n: f.read() for n, f in files.items() if f is not None}
    for member, content in members.items():
        if Path(member).name in FILES.values():
            (CACHE / Path(member).name).write_bytes(content)
        elif "hutto_ICWSM_2014" in member and member.endswith((".tar.gz", ".tgz")):
            _unpack(content, member)


def read(path: Path) -> list[Example]:
    """id, mean opinion, text -> examples; lines end at a newline only, some texts hold other separators."""
    examples = []
    for line in path.read_bytes().decode("utf-8", "replace").split("\n"):
        if line.strip():
            _, mean, text = line.rstrip("\r").split("\t")[:3]
            label = "positive" if float(mean) > 0.2 else "negative" if float(mean) < -0.2 else "neutral"
            examples.append({"text": text, "label": label})
    return examples


def halves(examples: list[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Half to learn from and half to measure with."""
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    middle = len(order) // 2
    return [examples[i] for i in order[:middle]], [examples[i] for i in order[middle:]]


def peers(learn: list[Example], test: list[Example]) -> dict[str, Result]:
    """scikit-learn's: logistic regression on TF-IDF, its strength chosen on the learning half; naive Bayes."""
    from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, f1_score
    from sklearn.model_selection import GridSearchCV
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    regression = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)), LogisticRegression(max_iter=1000)
    )
    strengths = {"logisticregression__C": [0.3, 1, 3, 10, 30]}
    models = {
        "TF-IDF + logistic regression": GridSearchCV(regression, strengths, scoring="f1_weighted", cv=5),
        "naive Bayes, word pairs": make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),
    }
    found = {}
    for name, model in models.items():
        start = time.perf_counter()
        model.fit([e["text"] for e in learn], [e["label"] for e in learn])
        seconds = time.perf_counter() - start
        answers, wanted = model.predict([e["text"] for e in test]), [e["label"] for e in test]
        f1 = f1_score(wanted, answers, average="weighted")
        found[name] = float(f1), float(accuracy_score(wanted, answers)), seconds, np.nan
    return found


def ours(
    learn: list[Example], test: list[Example], nets: list[str], length: dict[str, float | int | None]
) -> dict[str, Result]:
    """The nets, trained and measured by the verbs that a user calls."""
    import msgspec

    found = {}
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for name, examples in (("learn", learn), ("test", test)):
            paths.append(str(Path(place) / f"{name}.jsonl"))
            Path(paths[-1]).write_bytes(b"\n".join(map(msgspec.json.encode, examples)))
        for net in nets:
            start = time.perf_counter()
            model = lamella.train(
                "text-classification",
                paths[0],
                out=f"{place}/{net}",
                test=[paths[1]],
                net=net,
                tell=lambda _: None,
                **length,  # type: ignore[arg-type]
            )
            seconds = time.perf_counter() - start
            scores = lamella.evaluate(model, paths[1])["scores"]
            found[f"lamella, {net}"] = (
                scores["f1_weighted"]["value"],
                scores["accuracy"]["value"],
                seconds,
                model.bytes / 1e6,
            )
    return found


def show(rows: dict[str, list[Result]], seeds: list[int]) -> None:
    print(
        f"{'':30} {'F1':>7} " + " ".join(f"{f'seed {seed}':>7}" for seed in seeds) + f" {'acc':>7} {'sec':>6} {'MB':>6}"
    )
    for name, results in rows.items():
        f1, accuracy, seconds, size = np.mean(results, axis=0)
        each = " ".join(f"{result[0]:7.4f}" for result in results)
        print(f"{name:30} {f1:7.4f} {each} {accuracy:7.4f} {seconds:6.0f} {size:6.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="movie", choices=["all", *FILES])
    parser.add_argument("--data", type=Path, help="folder with the *_GroundTruth.txt files")
    parser.add_argument("--minutes", type=float, default=0.6, help="of training, each net")
    parser.add_argument("--steps", type=int, help="of training, each net, instead of minutes")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the splits")
    parser.add_argument("--nets", nargs="+", default=list(NETS), choices=NETS)
    given = parser.parse_args()
    length = {"steps": given.steps} if given.steps else {"minutes": given.minutes}
    folder = given.data or fetch()
    for name in ALL if given.set == "all" else (given.set,):
        rows: dict[str, list[Result]] = {}
        for seed in given.seeds:
            learn, test = halves(read(folder / FILES[name]), seed)
            for row, result in {**peers(learn, test), **ours(learn, test, given.nets, length)}.items():
                rows.setdefault(row, []).append(result)
        print(f"{name}: {len(learn)} texts to learn from, {len(test)} to measure with")
        show(rows, given.seeds)


if __name__ == "__main__":
    main()
