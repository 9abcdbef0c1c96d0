"""Handwritten digits drawn anew: image-generation beside a mixture of Gaussians and pythae's VQ-VAE, in the same minutes.

    python -m bench.image_generation                               20 minutes of training, digits from npm
    python -m bench.image_generation --python /tmp/peer/bin/python   pythae beside it (pip install pythae, in its own environment)
    python -m bench.image_generation --compare quantizers          FSQ beside VQ, a few minutes each
    python -m bench.image_generation --data FOLDER                 with 0.json to 9.json, where there is no network

8,000 digits to learn from and 2,000 to measure with, by a fixed seed; nothing was chosen by looking at the latter.

classifier: accuracy on real digits of lamella's image-classification, trained on drawn digits alone (classification accuracy
score; Ravuri and Vinyals, 2019); of real digits it says what could be had. distance: Frechet's, between the 2,000 and as
many drawn ones, by the features before the last layer of a classifier of real digits. completed: how often that
classifier gives a digit of which half was hidden, drawn anew, its true label. copies: what the card says of memorisation.
"""

import argparse
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import lamella
from bench import mnist
from lamella.data.media.images import read_image

Array = NDArray[Any]
TASK = "image-generation"
PARTS = 60  # components that a mixture has for each digit


def classifier(digits: mnist.Digits, place: Path, budget: dict[str, Any]) -> lamella.Model:
    """A classifier of digits, trained on these alone."""
    mnist.write(place / "data", digits)
    out = str(place / "classifier")
    return lamella.train(
        "image-classification", str(place / "data"), out=out, examples=False, tell=lambda _: None, **budget
    )


def right(model: lamella.Model, digits: mnist.Digits) -> float:
    """Its accuracy on these digits."""
    answers = model.predict(list(digits[0]))
    return float(np.mean([int(a["label"]) == label for a, label in zip(answers, digits[1], strict=True)]))


def features(model: lamella.Model, pictures: Array) -> Array:
    """What the classifier knows of each picture before its last layer: (N, 28, 28) bytes -> (N, W)."""
    import torch

    from lamella.train.adopt import fill
    from lamella.train.further import weights_of

    job = model.task
    net: Any = job.build()
    fill(net, weights_of(model)).all_or_error("classifier")
    net.eval()
    rows = []
    with torch.no_grad():
        for first in range(0, len(pictures), 200):
            batch = job.collate([job.inputs({"image": p}) for p in pictures[first : first + 200]])
            x = net.stem(torch.from_numpy(batch["pictures"]))
            for block in net.blocks:
                x = block(x)
            rows.append(torch.relu(x).mean(dim=(2, 3)).numpy())
    return np.concatenate(rows).astype(np.float64)


def frechet(one: Array, other: Array) -> float:
    """The Frechet distance of two normal distributions with the means and covariances of these rows (Heusel et al., 2017).

    >>> rows = np.random.default_rng(0).standard_normal((500, 3))
    >>> round(frechet(rows, rows), 6), round(frechet(rows, rows + 2), 3)
    (0.0, 12.0)
    """
    means = one.mean(axis=0) - other.mean(axis=0)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    # The trace of the root of the product, by a symmetrical product with the same eigenvalues.
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    return float(means @ means + np.trace(first) + np.trace(second) - 2 * cross)


def points(uris: list[str]) -> Array:
    return np.stack([read_image(uri, 28, 1)[0] for uri in uris])


def drawn(model: lamella.Model, each: int, **options: Any) -> mnist.Digits:
    """So many digits of each label."""
    sets = [points(lamella.predict(model, str(d), ask="draw", number=each, **options)) for d in range(10)]
    return np.concatenate(sets), np.repeat(np.arange(10), each)


def mixture(learn: mnist.Digits, each: int) -> mnist.Digits:
    """Digits drawn from mixtures of Gaussians over principal components, one for each label."""
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    flat = learn[0].reshape(len(learn[0]), -1) / 255
    pca = PCA(50, random_state=0).fit(flat)
    sets = []
    for digit in range(10):
        own = pca.transform(flat[learn[1] == digit])
        fitted = GaussianMixture(PARTS, covariance_type="full", reg_covar=1e-2, random_state=0).fit(own)
        sets.append(pca.inverse_transform(fitted.sample(each)[0]).clip(0, 1))
    made = np.rint(255 * np.concatenate(sets)).astype(np.uint8).reshape(-1, 28, 28)
    return made, np.repeat(np.arange(10), each)


def peer(python: str, learn: mnist.Digits, place: Path, minutes: float, count: int) -> Array:
    """Digits drawn by pythae's VQ-VAE with its PixelCNN, trained for as many minutes: (count, 28, 28)."""
    np.save(place / "learn.npy", learn[0])
    script = Path(__file__).with_name("image_generation_peer.py")
    command = [python, str(script), str(place / "learn.npy"), str(place / "drawn.npy"), str(minutes), str(count)]
    subprocess.run(command, check=True)
    return np.load(place / "drawn.npy")


def completed(model: lamella.Model, judge: lamella.Model, test: mnist.Digits) -> dict[str, float]:
    """How often a digit of which a half was drawn anew has its true label."""
    shares = {}
    for region in ("bottom", "top", "left", "right"):
        answers = model.ask("complete").predict([{"image": p, "region": region} for p in test[0]])
        shares[region] = right(judge, (points([a[0] for a in answers]), test[1]))
    return shares


def line(name: str, minutes: float, accuracy: float | None, distance: float | None) -> None:
    shown = [f"{100 * accuracy:10.2f}%" if accuracy is not None else f"{'':11}"]
    shown.append(f"{distance:10.3f}" if distance is not None else "")
    print(f"{name:34} {minutes:8.1f} {' '.join(shown)}", flush=True)


def train(place: Path, out: str, budget: dict[str, Any], **options: Any) -> lamella.Model:
    data, test = str(place / "learn"), [str(place / "test")]
    return lamella.train(TASK, data, out=out, test=test, tell=lambda _: None, **budget, **options)


def quantizers(place: Path, budget: dict[str, Any]) -> None:
    """FSQ beside VQ with moving averages and restarts, the same number of codes and minutes."""
    print(f"{'':10} {'bits a value':>12} {'used codes':>12}")
    for kind in ("fsq", "vq"):
        model = train(place, str(place / kind), budget, quantizer=kind, codebook_size=240)
        bits = model.manifest.scores["held out"]["scores"]["bits_per_dim"]
        test = sorted((place / "test").rglob("*.png"))
        rows = model.task.collate([model.task.inputs({"image": str(p)}) for p in test])
        codes = model.graphs["encode"](**rows)["codes"]
        _, counts = np.unique(codes, return_counts=True)
        share = counts / counts.sum()
        used = np.exp(-(share * np.log(share)).sum())  # the perplexity
        print(f"{kind:10} {bits['value']:12.4f} {used:12.1f}   {bits['low']:.4f} to {bits['high']:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--judge-minutes", type=float, default=4.0, help="of each classifier")
    parser.add_argument(
        "--steps", type=int, nargs=2, metavar=("NET", "JUDGE"), help="in the place of minutes, on a busy machine"
    )
    parser.add_argument("--each", type=int, default=800, help="digits drawn of each label")
    parser.add_argument(
        "--guidance", type=float, default=1.0, help="for the classifier's digits: 1 keeps all their variety"
    )
    parser.add_argument("--python", help="an interpreter with pythae, for the peer")
    parser.add_argument("--compare", choices=["quantizers"])
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    learn, test = mnist.split(place=given.data)
    own, judged = ({"steps": n} for n in given.steps) if given.steps else (
        {"minutes": given.minutes}, {"minutes": given.judge_minutes}
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        mnist.write(place / "learn", learn)
        mnist.write(place / "test", test)
        if given.compare:
            quantizers(place, own)
            return
        print(f"{'':34} {'minutes':>8} {'classifier':>11} {'distance':>10}")
        judge = classifier(learn, place / "real", judged)
        known = features(judge, test[0])
        line("real digits", 0.0, right(judge, test), frechet(known, features(judge, learn[0][:2000])))
        start = time.perf_counter()
        made = mixture(learn, given.each)
        minutes = (time.perf_counter() - start) / 60
        of_drawn = classifier(made, place / "mixture", judged)
        some = np.random.default_rng(0).permutation(len(made[0]))[:2000]
        line("mixtures of Gaussians", minutes, right(of_drawn, test), frechet(known, features(judge, made[0][some])))
        start = time.perf_counter()
        model = train(place, str(place / "model"), own)
        minutes = (time.perf_counter() - start) / 60
        for guidance in sorted({given.guidance, model.task.config.guidance}):
            made = drawn(model, given.each, guidance=guidance)
            of_drawn = classifier(made, place / f"drawn-{guidance}", judged)
            distance = frechet(known, features(judge, made[0][some]))
            line(f"lamella, guidance {guidance:g}", minutes, right(of_drawn, test), distance)
        if given.python:
            other = peer(given.python, learn, place, given.minutes, 2000)
            line("pythae VQ-VAE and PixelCNN", given.minutes, None, frechet(known, features(judge, other)))
        shares = completed(model, judge, test)
        print("completed: " + ", ".join(f"{region} {100 * share:.1f}%" for region, share in shares.items()))
        print(*model.manifest.training["findings"], sep="\n")
        bits = model.manifest.scores["held out"]["scores"]["bits_per_dim"]
        print(f"bits a value: {bits['value']:.4f}, {bits['low']:.4f} to {bits['high']:.4f}; {model.bytes / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
