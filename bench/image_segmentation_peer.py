"""smp's Unet and scikit-image's random forest, from a random start: the peers of `bench.image_segmentation`.

    PEER/bin/python bench/image_segmentation_peer.py KIND TRAIN TEST OUT SET MINUTES SEED

It runs in an environment of its own, which needs torch, segmentation-models-pytorch, scikit-image, scikit-learn and Pillow, and
imports nothing of lamella. KIND: smp-unet-resnet18 or random-forest. TRAIN and TEST hold images/ and labels/ or masks/. Of
nuclei three labels are learned: background, nucleus, and the border where two are within a point of each other. It writes a PNG of
labels for each picture of TEST into OUT, and prints CPU seconds of training, MB of weights, and milliseconds a picture.
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

IGNORE, CROP, BATCH, RATE = 255, 128, 8, 1e-3
FOREST_POINTS = 2000  # of each picture that a tree may learn from


def spread(numbers, pick, edge):
    """The largest or smallest number in the square of 3 x 3 around each point."""
    wide = np.pad(numbers, 1, constant_values=edge)
    high, across = numbers.shape
    return pick.reduce([wide[y : y + high, x : x + across] for y in range(3) for x in range(3)])


def load(folder: Path, kind: str) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(name, picture (H, W, 3), labels (H, W)) of each picture; of nuclei the border is label 2."""
    masks = folder / ("labels" if kind == "nuclei" else "masks")
    rows = []
    for file in sorted((folder / "images").glob("*.png")):
        picture = Image.open(file).convert("RGB")
        mask = Image.open(masks / file.name)
        if kind == "camvid":
            picture, small = picture.resize((240, 180), Image.Resampling.BILINEAR), mask.resize((240, 180), 0)
            labels = np.asarray(small).astype(np.int64)
            labels[labels >= 11] = IGNORE
        else:
            things = np.asarray(mask).astype(np.int64)
            high, low = (
                spread(things, np.maximum, 0),
                spread(np.where(things == 0, 1 << 30, things), np.minimum, 1 << 30),
            )
            labels = (things > 0).astype(np.int64)
            labels[(high > 0) & (low != high) & (low < 1 << 30)] = 2
        rows.append((file.stem, np.asarray(picture, np.float32), labels))
    return rows


def standard(points: np.ndarray) -> np.ndarray:
    return (points - points.mean()) / max(float(points.std()), 8.0)


def crop(points, labels, rng, kind):
    """A window, mirrored; of nuclei turned and made a negative at times too."""
    pads = [(0, max(0, CROP - side)) for side in labels.shape]
    points, labels = np.pad(points, [*pads, (0, 0)], mode="reflect"), np.pad(labels, pads, mode="reflect")
    top, left = (int(rng.integers(0, side - CROP + 1)) for side in labels.shape)
    points, labels = points[top : top + CROP, left : left + CROP], labels[top : top + CROP, left : left + CROP]
    if rng.random() < 0.5:
        points, labels = points[:, ::-1], labels[:, ::-1]
    if kind == "nuclei":
        turns = int(rng.integers(4))
        points, labels = np.rot90(points, turns), np.rot90(labels, turns)
        points = -points if rng.random() < 0.5 else points
    return points * np.exp(rng.uniform(-0.2, 0.2)) + rng.uniform(-0.2, 0.2), labels


def unet(train, test, out, kind, minutes, seed):
    import segmentation_models_pytorch as smp

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    count = 3 if kind == "nuclei" else 11
    net = smp.Unet("resnet18", encoder_weights=None, classes=count)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    rows = [(standard(points), labels) for _, points, labels in train]
    begun, cpu = time.time(), time.process_time()
    while (progress := (time.time() - begun) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * progress))
        pairs = [crop(*rows[int(i)], rng, kind) for i in rng.integers(0, len(rows), BATCH)]
        x = torch.from_numpy(np.stack([p.transpose(2, 0, 1) for p, _ in pairs]).astype(np.float32))
        y = torch.from_numpy(np.stack([np.ascontiguousarray(labels) for _, labels in pairs]))
        scores = net(x)
        known = (y != IGNORE)[:, None]
        wanted = F.one_hot(torch.where(y == IGNORE, 0, y), count).movedim(-1, 1) * known
        likely = scores.softmax(1) * known
        dice = 1 - (2 * (likely * wanted).sum((0, 2, 3)) + 1) / ((likely + wanted).sum((0, 2, 3)) + 1)
        loss = F.cross_entropy(scores, y, ignore_index=IGNORE) + dice[kind == "nuclei" :].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    cpu = time.process_time() - cpu
    net.eval()
    start = time.perf_counter()
    for name, points, labels in test:
        high, across = labels.shape
        x = np.pad(standard(points), [(0, -high % 32), (0, -across % 32), (0, 0)], mode="symmetric")
        with torch.no_grad():
            scores = net(torch.from_numpy(x.transpose(2, 0, 1)[None].astype(np.float32)))[:, :, :high, :across]
            if kind == "camvid":
                scores = F.interpolate(scores, (360, 480), mode="bilinear")
        Image.fromarray(scores[0].argmax(0).numpy().astype(np.uint8)).save(out / f"{name}.png")
    return cpu, 4e-6 * sum(p.numel() for p in net.parameters()), 1000 * (time.perf_counter() - start) / len(test)


def forest(train, test, out, kind, seed):
    from skimage.feature import multiscale_basic_features
    from sklearn.ensemble import RandomForestClassifier

    def features(points):
        found = multiscale_basic_features(standard(points), sigma_min=1, sigma_max=16, channel_axis=-1)
        return found.reshape(-1, found.shape[-1])

    rng = np.random.default_rng(seed)
    cpu, xs, ys = time.process_time(), [], []
    for _, points, labels in train:
        known = np.flatnonzero(labels.ravel() != IGNORE)
        chosen = rng.choice(known, min(FOREST_POINTS, len(known)), replace=False)
        xs.append(features(points)[chosen])
        ys.append(labels.ravel()[chosen])
    model = RandomForestClassifier(n_estimators=50, max_depth=16, max_samples=0.1, n_jobs=1, random_state=seed)
    model.fit(np.concatenate(xs), np.concatenate(ys))
    cpu, start = time.process_time() - cpu, time.perf_counter()
    size = 64e-6 * sum(tree.tree_.node_count for tree in model.estimators_)  # 64 bytes a node
    for name, points, labels in test:
        image = Image.fromarray(model.predict(features(points)).reshape(labels.shape).astype(np.uint8))
        (image.resize((480, 360), 0) if kind == "camvid" else image).save(out / f"{name}.png")
    return cpu, size, 1000 * (time.perf_counter() - start) / len(test)


def main() -> None:
    name, train, test, out, kind, minutes, seed = sys.argv[1:]
    learn, held = load(Path(train), kind), load(Path(test), kind)
    if name == "random-forest":
        facts = forest(learn, held, Path(out), kind, int(seed))
    else:
        facts = unet(learn, held, Path(out), kind, float(minutes), int(seed))
    print(*facts)


if __name__ == "__main__":
    main()
