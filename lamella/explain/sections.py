"""Sections of a model's report: single units, texts coloured by them, a map of examples, filters."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import encode_png
from lamella.explain.observe import Floats, Layer, Observed, shown
from lamella.explain.pictures import weights
from lamella.graphs import wire
from lamella.graphs.anatomy import Anatomy, layer_of
from lamella.graphs.probe import constant
from lamella.model import Model
from lamella.task import Example

UNITS, TOP = 12, 5  # units of a layer, and examples of each
MAPPED = 300  # most points of a map
COLOURED = 600  # most characters of a coloured text
PICTURES = 48  # most filters that are shown
FAINT = 0.3  # smaller correlations are not reported

Section = dict[str, Any]


def units(trained: Model, seen: Observed) -> list[Section]:
    """For each hidden layer, its most selective units and the examples with their largest values."""
    labels = [label_of(trained, e) for e in seen.examples] if trained.task.answer.classes else None
    listed = []
    for number, layer in enumerate(seen.layers):
        strongest = layer.strongest
        if len(strongest) < TOP:
            return []
        how = by_label(strongest, labels) if labels and len(set(labels)) > 1 else peaks(strongest)
        order = [int(u) for u in np.argsort(-how, kind="stable")[:UNITS] if strongest[:, u].std() > 1e-6]
        items = [{"unit": str(u), "examples": _examples(trained, seen, layer, u)} for u in order]
        measure = "tell the labels apart best" if labels else "stand out most at a few examples"
        listed.append(
            {
                "kind": "units",
                "title": f"What single units respond to: {_where(number, layer)}",
                "note": f"Of {strongest.shape[1]} units those that {measure}, each with the {TOP} of {len(strongest)} "
                "examples at which it is largest.",
                "items": items,
            }
        )
    return [section for section in listed if section["items"]]


def by_label(values: Floats, labels: Sequence[str]) -> NDArray[np.float64]:
    """The share of each unit's variance between labels (eta squared): values (N, U) -> (U,), 0 to 1.

    >>> by_label(np.array([[1.0, 1], [1, 2], [5, 1], [5, 2]]), ["a", "a", "b", "b"]).tolist()
    [1.0, 0.0]
    """
    spread = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    between = np.zeros(values.shape[1])
    for label in sorted(set(labels)):
        group = values[[x == label for x in labels]]
        between += len(group) * (group.mean(axis=0) - values.mean(axis=0)) ** 2
    return np.asarray(between / np.maximum(spread, 1e-12), np.float64)


def peaks(values: Floats) -> NDArray[np.float64]:
    """How far the largest few values lie above the mean, in standard deviations: values (N, U) -> (U,)."""
    top = np.sort(values, axis=0)[-TOP:].mean(axis=0)
    return np.asarray((top - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-6), np.float64)


def _examples(trained: Model, seen: Observed, layer: Layer, unit: int) -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = []
    for i in np.argsort(-layer.strongest[:, unit], kind="stable"):
        if len(examples) == TOP:
            break
        if any(_round(layer.strongest[i, unit]) == other["value"] for other in examples):
            continue  # a repeated beginning shows nothing new
        example = {**shown(trained, seen.examples[i]), "value": _round(layer.strongest[i, unit])}
        letters = seen.places(layer, int(i))
        if letters is not None and "text" in example:  # where in the text
            at = np.flatnonzero(letters == layer.seen[i][:, unit].argmax())
            if len(at):
                example |= {"start": int(at[0]), "end": int(at[-1]) + 1}
        if trained.task.answer.classes:
            example["label"] = label_of(trained, seen.examples[i])
        examples.append(example)
    return examples


# ---- a text coloured by a unit -----------------------------------------------------------------------------------


def coloured(seen: Observed, field: str, most: int) -> list[Section]:
    """Texts coloured by the units that correlate most with a nameable property, after Karpathy, Johnson and Fei-Fei (2015),
    "Visualizing and Understanding Recurrent Networks"."""
    text, taken = "", []
    able = [layer for layer in seen.layers if seen.places(layer, 0) is not None]
    for i, example in enumerate(seen.examples):
        if able and len(text) < COLOURED and all(seen.places(layer, i) is not None for layer in able):
            taken.append(i)
            text += ("\n" if text else "") + str(example[field])
    if len(text) < 20:
        return []
    wanted = properties(text)
    best: list[tuple[float, str, int, int, Floats]] = []
    for number, layer in enumerate(seen.layers):
        if layer not in able:
            continue
        values = _by_letter(seen, layer, taken)  # (letters, U)
        for name, there in wanted.items():
            how = correlations(values, there)
            unit = int(np.abs(how).argmax())
            best.append((float(how[unit]), name, number, unit, values[:, unit]))
    best.sort(key=lambda row: -abs(row[0]))
    chosen: list[tuple[float, str, int, int, Floats]] = []
    for row in best:
        if abs(row[0]) >= FAINT and all(row[1] != c[1] and row[2:4] != c[2:4] for c in chosen):
            chosen.append(row)
    return [
        {
            "kind": "coloured text",
            "title": f"A text coloured by unit {unit}, {_where(number, seen.layers[number])}",
            "note": f"This unit follows {name} (correlation {how:.2f} over {len(text)} letters). The way of looking is that of "
            "Karpathy, Johnson and Fei-Fei (2015).",
            "text": text,
            "values": [_round(v) for v in scaled(values)],
            "unit": str(unit),
        }
        for how, name, number, unit, values in chosen[:most]
    ]


def _by_letter(seen: Observed, layer: Layer, taken: Sequence[int]) -> Floats:
    """One row for each character, and a row of zeros between texts."""
    rows: list[Floats] = []
    for i in taken:
        letters = seen.places(layer, i)
        assert letters is not None
        if rows:
            rows.append(layer.seen[i].mean(axis=0, keepdims=True))
        rows.append(layer.seen[i][letters])
    return np.concatenate(rows)


def properties(text: str) -> dict[str, NDArray[np.float64]]:
    """Nameable properties of each character of a text as numbers, (characters,) each; constant ones are left out.

    >>> properties('A "b".')["being within quotation marks"].tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]
    """
    letters, quoted, after, line, word, sentence = list(text), [], [], [], [], []
    inside, capital, at, begun, ago = False, False, 0, 0, 0
    for c in letters:
        if c in '"“”«»':
            inside = not inside
        at, begun, ago = (0, 0, 0) if c == "\n" else (at + 1, begun + 1 if c.isalnum() else 0, ago + 1)
        quoted.append(float(inside))
        after.append(float(capital))
        line.append(float(at))
        word.append(float(begun))
        sentence.append(float(ago))
        capital = c.isupper()
        ago = 0 if c in ".!?" else ago
    values_of = {
        "being within quotation marks": quoted,
        "how far into the line it is": line,
        "how far into the sentence it is": sentence,
        "how far into the word it is": word,
        "the letter after a capital": after,
        "spaces": [float(c.isspace()) for c in letters],
        "capitals": [float(c.isupper()) for c in letters],
        "vowels": [float(c.lower() in "aeiouyàâäéèêëîïôöùûü") for c in letters],
        "punctuation": [float(bool(re.match(r"[^\w\s]", c))) for c in letters],
        "digits": [float(c.isdigit()) for c in letters],
    }
    arrays = {name: np.array(values) for name, values in values_of.items()}
    return {name: a for name, a in arrays.items() if a.std() > 0}


def correlations(values: Floats, there: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of each unit with a property: (N, U) and (N,) -> (U,)."""
    a, b = values - values.mean(axis=0), there - there.mean()
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum())
    return np.where(scale > 1e-9, (a * b[:, None]).sum(axis=0) / np.maximum(scale, 1e-9), 0.0)


def scaled(values: Floats) -> NDArray[np.float64]:
    """A unit's values -> -1 to 1, 0 staying 0.

    >>> scaled(np.array([-1.0, 0.0, 4.0])).tolist()
    [-0.25, 0.0, 1.0]
    """
    return np.asarray(values / max(float(np.abs(values).max()), 1e-9), np.float64)


# ---- a map -------------------------------------------------------------------------------------------------------


def plane(trained: Model, seen: Observed) -> list[Section]:
    """Examples on a plane: two latent variables as they are, else the first two principal components."""
    whole = np.stack(seen.latent) if seen.latent else seen.layers[0].mean
    if len(whole) < 3 or whole.shape[1] < 2:
        return []
    whole = whole[:MAPPED]
    points, share = (whole, 1.0) if seen.latent and whole.shape[1] == 2 else principal(whole)
    note = "The two hidden numbers of each example." if share == 1.0 and seen.latent else (
        f"The two directions in which {_where(0, seen.layers[0])} varies most; they hold {share:.0%} of its variance "
        "(principal components, Pearson, 1901)."
    )  # fmt: skip
    rows = []
    for (x, y), example in zip(points, seen.examples, strict=False):
        words = shown(trained, example)
        drawn = {"image": words["image"]} if "image" in words else {}
        caption = words.get("text") or (" ".join(f"{v:g}" for v in words["series"][-8:]) if "series" in words else "")
        rows.append(
            {"x": _round(x), "y": _round(y), "label": label_of(trained, example), "text": caption[:120], **drawn}
        )
    return [{"kind": "map", "title": f"A map of {len(rows)} examples", "note": note, "points": rows}]


def principal(values: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """Principal components: (N, U) -> (N, 2), and the share of the variance that the two explain.

    >>> points, share = principal(np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0], [2, 1, 0]]))
    >>> round(share, 6), points[:, 0].round(6).tolist() in ([-1, 1, -1, 1], [1, -1, 1, -1])
    (1.0, True)
    """
    centred = np.asarray(values, np.float64) - values.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    power = s**2
    return u[:, :2] * s[:2], float(power[:2].sum() / max(power.sum(), 1e-12))


def label_of(trained: Model, example: Example) -> str:
    """The group that colours an example, such as its label; "" if it has none."""
    task = trained.task
    wanted = example.get(task.target) if task.target not in task.fields else None
    if wanted is None:
        return ""
    return task.answer.group(wanted, next((v for k, v in example.items() if k in task.fields), None))


# ---- filters -----------------------------------------------------------------------------------------------------


def filters(trained: Model) -> list[Section]:
    """The filters of the first layer of nets that read pictures."""
    for file, raw in trained.files.items():
        if not file.endswith(".onnx"):
            continue
        for name, (_, axes) in trained.graphs[file.removesuffix(".onnx")].axes.items():
            whole = len(axes) == 4 and all(isinstance(a, int) for a in axes[1:])
            blocks = len(axes) == 6 and isinstance(axes[1], int)  # of any size: height and width are cut into blocks
            if not whole and not blocks:
                continue
            anatomy = Anatomy(wire.read(raw))
            product = anatomy.first(name)
            if product is None:
                continue
            kernels = as_filters(constant(raw, product.node.inputs[1]).astype(np.float32), int(axes[1]))
            if kernels is None:
                continue
            order = np.argsort(-np.abs(kernels).reshape(len(kernels), -1).sum(axis=1), kind="stable")[:PICTURES]
            side = kernels.shape[-1]
            what = "Filters of the first convolution" if product.node.op == "Conv" else "What the first layer looks for"
            return [
                {
                    "kind": "filters",
                    "title": what,
                    "note": f"{len(order)} of {len(kernels)}, {side} x {side} points each, the strongest first; each by itself "
                    "from dark (speaks against) over grey (nothing) to light (speaks for).",
                    "pictures": [encode_png(weights(kernels[i], 8 if side < 12 else 3)) for i in order],
                }
            ]
    return []


def as_filters(kernels: Floats, channels: int) -> Floats | None:
    """Weights of a convolution (K, C, h, w) or of flat patches (C h h, K) -> filters (K, C, h, w); None if neither.

    >>> as_filters(np.zeros((48, 7), np.float32), 3).shape
    (7, 3, 4, 4)
    """
    if kernels.ndim == 4:
        return kernels
    side = round((kernels.shape[0] / channels) ** 0.5) if kernels.ndim == 2 else 0
    if side < 2 or side**2 * channels != kernels.shape[0]:
        return None
    return kernels.T.reshape(-1, channels, side, side)


def _where(number: int, layer: Layer) -> str:
    words = layer_of(layer.product.path)
    if not layer.product.weight:  # no product reads it
        return "the vector that the net gives"
    return (
        "the last hidden layer"
        if number == 0
        else f"a layer in the middle ({words})"
        if words
        else "a layer in the middle"
    )


def _round(value: Any) -> float:
    return float(f"{float(value):.4g}")
