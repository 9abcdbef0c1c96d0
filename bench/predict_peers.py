"""What a prediction costs, task by task, beside what people use: `Model.predict` and the peer's own export on onnxruntime, one thread.

    python -m bench.predict_peers                                   every task that has a peer here; some ten minutes
    python -m bench.predict_peers fill-mask --transformers HF/bin/python
    python -m bench.predict_peers --transformers HF/bin/python --write

Each of our models learns from its task's sample for a few steps, as what it costs does not hang on what it knows, but for fill-mask, of
which the model is taken that comes with the package; scikit-learn's is trained on the same. The peers are nets of about our number of weights, with random weights, exported by `torch.onnx.export` and run by
onnxruntime; what they need around the net (pictures decoded, texts cut into pieces, the best chosen) is done in the simplest way
and measured too, as the whole of `predict` is: peers of link-prediction and recommendation name as many of the best as we do, without
known facts and without the history (`argpartition` of numpy), PCA gives its pictures back as PNG. "one": each example by itself; "64": a list of 64. Processor seconds, in turn, medians;
more than 1 means that lamella is faster. A second row of a task asks for what the peer gives and no more: drawing by the label alone,
without guidance. --write puts the table into docs/bench.md.
"""

import argparse
import base64
import contextlib
import io
import logging
import platform
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import lamella  # isort: skip  # before the engine, whose messages home it turns off
import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.translation import put
from lamella.model import Model
from lamella.options import replace_config

MANY, ONE = 64, 24  # examples of a list; how many are asked one by one
STEPS = 4


class Peer(NamedTuple):
    """Another program for a task: its name, how many weights it has, and what it makes of a list of inputs."""

    name: str
    weights: int
    predict: Callable[[list[Any]], Any]


def weights_of(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def exported(net: nn.Module, folder: Path, **inputs: Tensor) -> Callable[..., list[np.ndarray]]:
    """A net on onnxruntime, by torch's own exporter; batch and, of texts and sounds, length are free."""
    path, names = str(folder / f"{type(net).__name__}.onnx"), list(inputs)
    free = {name: {0: "batch", **({1: "time"} if array.ndim == 2 else {})} for name, array in inputs.items()}
    net.eval()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(net, tuple(inputs.values()), path, input_names=names, dynamic_axes=free, dynamo=False)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda *arrays: session.run(None, dict(zip(names, arrays, strict=True)))


def pictures(values: list[Any], channels: int) -> np.ndarray:
    """(B, C, H, W) between 0 and 1 of pictures as data URIs."""
    from PIL import Image

    kind = "L" if channels == 1 else "RGB"
    opened = [Image.open(io.BytesIO(base64.b64decode(v["image"].partition(",")[2]))).convert(kind) for v in values]
    array = np.stack([np.asarray(one, np.float32) for one in opened]) / 255
    return np.ascontiguousarray(array[:, None] if channels == 1 else array.transpose(0, 3, 1, 2))


def block(before: int, after: int) -> nn.Module:
    """Two convolutions with batch norms, as in VGG, ResNet and U-Net."""
    parts = [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*parts, nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())


def best(scores: np.ndarray, gone: Sequence[Sequence[int]], names: list[str], count: int) -> list[list[str]]:
    """The names of the highest scores (B, C) of each row, the highest first, without those that are `gone`."""
    for row, places in zip(scores, gone, strict=True):
        if places:
            row[places] = -np.inf
    rows = np.arange(len(scores))[:, None]
    first = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    first = first[rows, np.argsort(-scores[rows, first], axis=1)]
    return [[names[i] for i in row] for row in first.tolist()]


# ---- the peers ---------------------------------------------------------------------------------------------------


def text_classification(model: Model, folder: Path) -> Peer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = model.task.sample("train")
    fitted = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000))
    fitted.fit([row["text"] for row in rows], [row["label"] for row in rows])
    return Peer(
        "scikit-learn, words and pairs, logistic regression",
        fitted[-1].coef_.size,
        lambda values: fitted.predict_proba([v["text"] for v in values]),
    )


class Residual(nn.Module):
    """The basic block of ResNet."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(before, after, 3, stride, 1), nn.Conv2d(after, after, 3, padding=1)
        self.norms = nn.ModuleList([nn.BatchNorm2d(after), nn.BatchNorm2d(after)])
        self.shortcut = nn.Identity() if before == after and stride == 1 else nn.Conv2d(before, after, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norms[1](self.second(F.relu(self.norms[0](self.first(x)))))
        return F.relu(inner + self.shortcut(x))


class PlainResNet(nn.Module):
    """A first convolution, then a block at each of three resolutions, as our net has them; ours has a narrower first stage."""

    def __init__(self, channels: int, labels: int, wide: int = 48) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, wide, 3, padding=1), nn.BatchNorm2d(wide), nn.ReLU())
        self.blocks = nn.Sequential(
            Residual(wide, wide, 1), Residual(wide, 2 * wide, 2), Residual(2 * wide, 4 * wide, 2)
        )
        self.out = nn.Linear(4 * wide, labels)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.blocks(self.stem(x)).mean((2, 3))).softmax(1)


def image_classification(model: Model, folder: Path) -> Peer:
    channels, side = model.task.channels_, model.task.side_
    net = PlainResNet(channels, len(model.task.labels_))
    run = exported(net, folder, pictures=torch.zeros(2, channels, side, side))
    return Peer("ResNet of our depth", weights_of(net), lambda values: run(pictures(values, channels)))


class PlainUNet(nn.Module):
    def __init__(self, channels: int, labels: int, wide: int = 32) -> None:
        super().__init__()
        self.down = nn.ModuleList([block(channels, wide), block(wide, 2 * wide), block(2 * wide, 4 * wide)])
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(4 * wide, 2 * wide, 2, 2), nn.ConvTranspose2d(2 * wide, wide, 2, 2)]
        )
        self.join = nn.ModuleList([block(4 * wide, 2 * wide), block(2 * wide, wide)])
        self.out = nn.Conv2d(wide, labels, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for part in self.down[:-1]:
            kept.append(part(x))
            x = F.max_pool2d(kept[-1], 2)
        x = self.down[-1](x)
        for up, join in zip(self.up, self.join, strict=True):
            x = join(torch.cat([up(x), kept.pop()], 1))
        return self.out(x).argmax(1)


def image_segmentation(model: Model, folder: Path) -> Peer:
    channels = model.task.channels_
    net = PlainUNet(channels, len(model.task.labels_), 36)
    run = exported(net, folder, pictures=torch.zeros(2, channels, 64, 64))
    return Peer("a U-Net of three levels", weights_of(net), lambda values: run(pictures(values, channels)))


class PlainDetector(nn.Module):
    """The backbone of a one-stage detector at a quarter of the picture, with a score a label and a box at each place."""

    def __init__(self, channels: int, labels: int, wide: int = 48) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([block(channels, wide), block(wide, 2 * wide), block(2 * wide, 4 * wide)])
        self.out = nn.Conv2d(4 * wide, labels + 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.blocks[:-1]:
            x = F.max_pool2d(part(x), 2)
        return self.out(self.blocks[-1](x))


def object_detection(model: Model, folder: Path) -> Peer:
    task = model.task
    net = PlainDetector(task.channels_, len(task.labels_))
    run = exported(net, folder, pictures=torch.zeros(2, task.channels_, task.height_, task.width_))

    def predict(values: list[Any]) -> Any:
        found = run(pictures(values, task.channels_))[0]
        scores = found[:, :-4].reshape(len(values), -1)
        return np.argsort(-scores, axis=1)[:, :20]  # without suppressing what overlaps

    return Peer("a one-stage CNN at a quarter of the picture", weights_of(net), predict)


class PlainForecaster(nn.Module):
    def __init__(self, width: int, horizon: int) -> None:
        super().__init__()
        self.rnn, self.out = nn.GRU(1, width, batch_first=True), nn.Linear(width, 3 * horizon)

    def forward(self, past: Tensor) -> Tensor:
        return self.out(self.rnn(past[..., None])[0][:, -1])


def time_series_forecasting(model: Model, folder: Path) -> Peer:
    frame, width = model.task.frame, 384
    net = PlainForecaster(width, frame.horizon)
    run = exported(net, folder, past=torch.zeros(2, frame.context))

    def predict(values: list[Any]) -> Any:
        rows = np.array([v["past"][-frame.context :] for v in values], np.float32)
        mean, scale = rows.mean(1, keepdims=True), rows.std(1, keepdims=True) + 1e-6
        return run((rows - mean) / scale)[0] * scale + mean

    return Peer("a GRU, value by value, three quantiles", weights_of(net), predict)


class CausalLayer(nn.Module):
    """A block of SASRec: attention to what was before, and two products."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.norms = heads, nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.joint, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.joint(self.norms[0](x)).chunk(3, -1)
        query, key, value = (p.reshape(p.shape[0], p.shape[1], self.heads, -1).transpose(1, 2) for p in parts)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2)
        x = x + self.out(mixed.reshape(x.shape))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class PlainSASRec(nn.Module):
    """A causal Transformer over the items of a history."""

    def __init__(self, items: int, width: int, depth: int, heads: int, longest: int = 64) -> None:
        super().__init__()
        self.table, self.places = nn.Embedding(items, width), nn.Parameter(torch.zeros(longest, width))
        self.layers, self.norm = nn.Sequential(*(CausalLayer(width, heads) for _ in range(depth))), nn.LayerNorm(width)

    def forward(self, history: Tensor) -> Tensor:
        x = self.layers(self.table(history) + self.places[: history.shape[1]])
        return self.norm(x)[:, -1] @ self.table.weight.T


def recommendation(model: Model, folder: Path) -> Peer:
    items, top = ["", *model.task.known.names], model.task.config.top
    ids = {name: i for i, name in enumerate(items)}
    net = PlainSASRec(len(items), 96, 2, 2)
    run = exported(net, folder, history=torch.ones(2, 8, dtype=torch.long))

    def predict(values: list[Any]) -> Any:
        rows = [[ids.get(item, 0) for item in v["history"]] for v in values]
        longest = max(map(len, rows))
        scores = run(np.array([[0] * (longest - len(row)) + row for row in rows]))[0]
        return best(scores, [[0, *row] for row in rows], items, top)

    return Peer("SASRec, names of the best that are not in the history", weights_of(net), predict)


class PlainComplEx(nn.Module):
    def __init__(self, entities: int, relations: int, rank: int) -> None:
        super().__init__()
        self.entities, self.relations = nn.Embedding(entities, 2 * rank), nn.Embedding(relations, 2 * rank)

    def forward(self, head: Tensor, relation: Tensor) -> Tensor:
        a, b = self.entities(head).chunk(2, -1)
        c, d = self.relations(relation).chunk(2, -1)
        x, y = self.entities.weight.chunk(2, -1)
        return (a * c - b * d) @ x.T + (a * d + b * c) @ y.T


def link_prediction(model: Model, folder: Path) -> Peer:
    graph, top = model.task.graph, model.task.config.top
    places = [{name: i for i, name in enumerate(names)} for names in (graph.entities, graph.relations)]
    net = PlainComplEx(len(places[0]), len(places[1]), max(8, model.manifest.parameters // (2 * len(places[0]))))
    run = exported(net, folder, head=torch.zeros(2, dtype=torch.long), relation=torch.zeros(2, dtype=torch.long))
    known: dict[tuple[int, int], list[int]] = {}
    for h, r, t in graph.knowledge.facts.tolist():
        known.setdefault((h, r), []).append(t)

    def predict(values: list[Any]) -> Any:
        asked = [[at[v[field]] for v in values] for at, field in zip(places, ("head", "relation"), strict=True)]
        scores = run(*(np.array(ids) for ids in asked))[0]
        return best(scores, [known.get(pair, ()) for pair in zip(*asked, strict=True)], graph.entities, top)

    return Peer("ComplEx, names of the best that are no known facts", weights_of(net), predict)


class Logits(nn.Module):
    """BERT, what it gives for each piece."""

    def __init__(self, net: nn.Module, sentence: bool) -> None:
        super().__init__()
        self.net, self.sentence = net, sentence

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        out = self.net(input_ids=input_ids, attention_mask=attention_mask)
        if not self.sentence:
            return out.logits
        mask = attention_mask[..., None].float()
        return F.normalize((out.last_hidden_state * mask).sum(1) / mask.sum(1), dim=-1)


def bert(
    model: Model, folder: Path, sentence: bool, width: int, depth: int, heads: int
) -> tuple[int, Callable[..., Any]]:
    """A BERT of these sizes: its weights, and what it gives for texts."""
    from transformers import BertConfig, BertForMaskedLM, BertModel

    pieces = model.task.pieces
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads,
        intermediate_size=4 * width, max_position_embeddings=512,
    )  # fmt: skip
    net = Logits(BertModel(config, add_pooling_layer=False) if sentence else BertForMaskedLM(config), sentence)
    ids = torch.ones(2, 9, dtype=torch.long)
    run = exported(net, folder, input_ids=ids, attention_mask=ids)

    def called(texts: list[str]) -> tuple[np.ndarray, list[list[int]]]:
        rows = [[2, *row, 3] for row in pieces.processor.EncodeAsIds(texts, num_threads=1)]
        array = np.zeros((len(rows), max(map(len, rows))), np.int64)
        for place, row in zip(array, rows, strict=True):
            place[: len(row)] = row
        return run(array, (array != 0).astype(np.int64))[0], rows

    return weights_of(net), called


def fill_mask(model: Model, folder: Path) -> Peer:
    size = model.task.size
    weights, run = bert(model, folder, False, size.width, size.depth, size.heads)

    def predict(values: list[Any]) -> Any:
        logits, rows = run([v["text"] for v in values])
        return [np.argsort(-one[len(row) // 2])[:5] for one, row in zip(logits, rows, strict=True)]

    return Peer("BertForMaskedLM, one piece a blank", weights, predict)


def sentence_similarity(model: Model, folder: Path) -> Peer:
    weights, run = bert(model, folder, True, 384, 6, 12)

    def predict(values: list[Any]) -> Any:
        vectors = run([text for v in values for text in (v["first"], v["second"])])[0]
        return (vectors[::2] * vectors[1::2]).sum(1)

    return Peer("BERT of MiniLM's size (384 wide, 6 layers)", weights, predict)


def speech_recognition(model: Model, folder: Path) -> Peer:
    from transformers import Wav2Vec2Config, Wav2Vec2ForCTC

    size = model.task.size
    config = Wav2Vec2Config(
        vocab_size=len(model.task.letters_) + 1, hidden_size=size.width, num_hidden_layers=size.depth, num_attention_heads=size.heads,
        intermediate_size=4 * size.width, conv_dim=(64,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    core = Wav2Vec2ForCTC(config)

    class Wav2Vec2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.core = core

        def forward(self, sound: Tensor) -> Tensor:
            return self.core(sound).logits

    run = exported(Wav2Vec2(), folder, sound=torch.zeros(2, 16000))

    def predict(values: list[Any]) -> Any:
        import soundfile

        found = []
        for v in values:  # of its own length each
            raw = base64.b64decode(v["audio"].partition(",")[2])
            sound, _ = soundfile.read(io.BytesIO(raw), dtype="float32")
            found.append(run(((sound - sound.mean()) / (sound.std() + 1e-7))[None])[0].argmax(-1))
        return found

    return Peer("Wav2Vec2ForCTC, greedy", weights_of(core), predict)


def summarization(model: Model, folder: Path) -> Peer:
    from transformers import BartConfig, BartForConditionalGeneration

    size, task = model.task.size, model.task
    config = BartConfig(
        vocab_size=len(task.pieces), d_model=size.width, encoder_layers=size.depth, decoder_layers=task.config.decoder_depth,
        encoder_attention_heads=size.heads, decoder_attention_heads=size.heads, encoder_ffn_dim=4 * size.width,
        decoder_ffn_dim=4 * size.width, pad_token_id=0, bos_token_id=2, eos_token_id=3, decoder_start_token_id=2, forced_eos_token_id=None,
    )  # fmt: skip
    net = BartForConditionalGeneration(config).eval()
    texts = [row["text"] for row in task.sample("test")]
    written = dict(zip(texts, task.pieces.encode([str(answer) for answer in model.predict(texts)]), strict=True))

    def predict(values: list[Any]) -> Any:
        rows = [
            row[: task.config.max_length]
            for row in task.pieces.processor.EncodeAsIds([v["text"] for v in values], num_threads=1)
        ]
        ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
        for place, row in zip(ids, rows, strict=True):
            place[: len(row)] = torch.tensor(row)
        longest = 1 + max(len(written[v["text"]]) for v in values)
        with torch.inference_mode():
            found = net.generate(
                ids,
                attention_mask=(ids != 0).long(),
                num_beams=task.config.beams,
                do_sample=False,
                min_new_tokens=longest,
                max_new_tokens=longest,
            )
        return task.pieces.decode(found.tolist())

    return Peer("BART, `generate` with torch, as many pieces, 4 beams", weights_of(net), predict)


def image_to_text(model: Model, folder: Path) -> Peer:
    from transformers import BertConfig, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    size, task = model.task.size, model.task
    inner = {"hidden_size": size.width, "num_attention_heads": size.heads, "intermediate_size": 4 * size.width}
    seen = ViTConfig(
        image_size=task.side_, patch_size=8, num_channels=task.channels_, num_hidden_layers=size.depth, **inner
    )
    written = BertConfig(
        vocab_size=len(task.pieces), num_hidden_layers=task.config.decoder_depth, max_position_embeddings=64,
        is_decoder=True, add_cross_attention=True, pad_token_id=0, **inner,
    )  # fmt: skip
    both = VisionEncoderDecoderConfig.from_encoder_decoder_configs(seen, written)
    both.decoder_start_token_id, both.pad_token_id, both.eos_token_id = 2, 0, 3
    net = VisionEncoderDecoderModel(both).eval()
    rows = [row["image"] for row in task.sample("test")]
    lengths = [len(ids) for ids in task.pieces.encode([str(answer) for answer in model.predict(rows)])]
    longest = dict(zip(rows, lengths, strict=True))

    def predict(values: list[Any]) -> Any:
        points = torch.from_numpy((pictures(values, task.channels_) - 0.5) / 0.5)
        most = 1 + max(longest[v["image"]] for v in values)
        with torch.inference_mode():
            found = net.generate(
                points, num_beams=task.config.beams, do_sample=False, min_new_tokens=most, max_new_tokens=most
            )
        return task.pieces.decode(found.tolist())

    return Peer(
        f"VisionEncoderDecoder (ViT, BERT), `generate` with torch, as many pieces, {task.config.beams} beams",
        weights_of(net), predict,
    )  # fmt: skip


class PlainDecoder(nn.Module):
    """Codes of a grid -> a picture, by two transposed convolutions."""

    def __init__(self, codes: int, channels: int, wide: int = 96) -> None:
        super().__init__()
        self.table = nn.Embedding(codes, wide)
        self.parts = nn.Sequential(
            block(wide, wide), nn.ConvTranspose2d(wide, wide // 2, 2, 2), nn.ReLU(),
            block(wide // 2, wide // 2), nn.ConvTranspose2d(wide // 2, channels, 2, 2), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, codes: Tensor) -> Tensor:
        return self.parts(self.table(codes).permute(0, 3, 1, 2))


def image_generation(model: Model, folder: Path) -> Peer:
    """An image GPT (Chen et al., 2020) over codes as VQ-VAE's users draw them: a label, then code after code."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from lamella.data.media.images import encode_png

    size, task = model.task.size, model.task
    count, places = task.config.codebook_size, task.grid**2
    config = GPT2Config(
        vocab_size=count + 1 + len(task.labels_), n_positions=places + 1, n_embd=size.width, n_layer=size.depth + 1,
        n_head=size.heads, bos_token_id=count, eos_token_id=None, pad_token_id=count,
    )  # fmt: skip
    net = GPT2LMHeadModel(config).eval()
    drawer = PlainDecoder(count, task.channels_)
    run = exported(drawer, folder, codes=torch.zeros(2, task.grid, task.grid, dtype=torch.long))
    first = {label: count + 1 + i for i, label in enumerate(task.labels_)}

    def predict(values: list[Any]) -> Any:
        begun = torch.tensor([[first.get(v["label"], count)] for v in values])
        with torch.inference_mode():
            found = net.generate(
                begun, attention_mask=torch.ones_like(begun), do_sample=True, top_k=0, min_new_tokens=places,
                max_new_tokens=places, suppress_tokens=list(range(count, config.vocab_size)),
            )  # fmt: skip
        points = run(found[:, 1:].reshape(-1, task.grid, task.grid).numpy())[0]
        return [[encode_png(np.rint(one * 255).astype(np.uint8))] for one in points]

    return Peer(
        "an image GPT, `generate` with torch and keys kept, and a convolutional decoder",
        weights_of(net) + weights_of(drawer), predict,
    )  # fmt: skip


def dimensionality_reduction(model: Model, folder: Path) -> Peer:
    from sklearn.decomposition import PCA

    def rows(values: list[Any]) -> np.ndarray:
        found = pictures([{"image": v["example"]} for v in values], 1)
        return found.reshape(len(values), -1)

    from PIL import Image

    fitted, side = PCA(2).fit(rows(model.task.sample("train"))), model.task.shape_[1]

    def predict(values: list[Any]) -> Any:
        given = rows(values)
        points = fitted.transform(given)
        made = fitted.inverse_transform(points)
        errors, answers = np.square(made - given).mean(axis=1), []
        for array in np.rint(255 * made.clip(0, 1)).astype(np.uint8).reshape(-1, side, side):
            file = io.BytesIO()
            Image.fromarray(array).save(file, "PNG")
            answers.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
        return points.tolist(), answers, errors.tolist()

    return Peer("PCA of scikit-learn, its pictures as PNG", fitted.components_.size, predict)


PEERS: dict[str, Callable[[Model, Path], Peer]] = {
    "text-classification": text_classification,
    "image-classification": image_classification,
    "image-segmentation": image_segmentation,
    "object-detection": object_detection,
    "time-series-forecasting": time_series_forecasting,
    "recommendation": recommendation,
    "link-prediction": link_prediction,
    "dimensionality-reduction": dimensionality_reduction,
    "fill-mask": fill_mask,
    "sentence-similarity": sentence_similarity,
    "speech-recognition": speech_recognition,
    "summarization": summarization,
    "image-to-text": image_to_text,
    "image-generation": image_generation,
}
HUGGING_FACE = (
    *("fill-mask", "sentence-similarity", "speech-recognition", "summarization"),
    *("image-to-text", "image-generation"),
)
ASKED = {"image-generation": "draw"}  # where the first question is not what the peer answers
SHIPPED = {
    "fill-mask": "encoder"
}  # models that come with the package: how sure a net is decides how long its search takes
OPTIONS = {
    "speech-recognition": {"beams": 1},  # greedy, as the peer
    "summarization": {"style": "words"},  # written and not picked, as the peer's
}
BESIDE = {
    "image-generation": ("label alone", {"guidance": 1.0}),
    "text-classification": ("the linear part alone", {"linear": True}),
}  # a second row: asked for what the peer gives, and no more


def seconds(predict: Callable[[list[Any]], Any], inputs: list[list[Any]]) -> float:
    """Processor milliseconds an example."""
    start = time.process_time()
    for some in inputs:
        predict(some)
    return 1e3 * (time.process_time() - start) / sum(map(len, inputs))


def compared(name: str, rounds: int) -> list[str]:
    """A task's rows of the table."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if name not in SHIPPED:
            lamella.train(name, "sample", out=str(folder / "model"), steps=STEPS, threads=1, tell=lambda _: None)
        model = lamella.load(SHIPPED.get(name) or str(folder / "model"))
        model = model.with_config(replace_config(model.task.config, OPTIONS.get(name, {}), name))
        model.threads = 1
        model = model.ask(ASKED.get(name, ""))
        peer = PEERS[name](model, folder)
        rows = [beside(name, model, peer, rounds)]
        if name in BESIDE:
            note, options = BESIDE[name]
            model = model.with_config(replace_config(model.task.config, options, name))
            rows.append(beside(f"{name}, {note}", model, peer, rounds))
        if name == "link-prediction":  # as a graph is answered that is too large for tables of all its answers
            with patch("lamella.tasks.link_prediction.tables.MOST", 0):
                model = lamella.load(model.where)
                model.threads = 1
                rows.append(beside(f"{name}, nothing kept", model, peer, rounds))
    return rows


def beside(name: str, model: Model, peer: Peer, rounds: int) -> str:
    """A row of the table."""
    rows = [{field: row[field] for field in model.task.fields} for row in model.task.sample("test")]
    rows = (rows * MANY)[:MANY]
    cells = []
    for predict in (model.predict, peer.predict) * 2:  # what is made once and kept, such as tables of answers
        predict(rows)
    for inputs in ([[row] for row in rows[:ONE]], [rows]):
        found: list[tuple[float, float]] = []
        for turn in range(rounds + 1):
            pair = seconds(model.predict, inputs), seconds(peer.predict, inputs)
            if turn:
                found.append(pair)
        ratios = [theirs / ours for ours, theirs in found]
        ours, theirs = (statistics.median(column) for column in zip(*found, strict=True))
        cells.append(
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) | {ours:.3g} | {theirs:.3g}"
        )
    weights = f"{model.manifest.parameters / 1e6:.2f} | {peer.name}, {peer.weights / 1e6:.2f} M"
    return f"| {name} | {weights} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help="by default all")
    parser.add_argument("--rounds", type=int, default=5, help="that count")
    parser.add_argument("--transformers", help="an interpreter with transformers, whose package is used for the export")
    parser.add_argument("--write", action="store_true", help="put the table into docs/bench.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    if given.transformers:
        sys.path += [str(p) for p in Path(given.transformers).parent.parent.glob("lib/python*/site-packages")]
    asked = given.tasks or [name for name in PEERS if given.transformers or name not in HUGGING_FACE]
    rows = [
        f"One thread, onnxruntime {ort.__version__}, {platform.machine()}, {time.strftime('%Y-%m-%d')}; processor milliseconds an example.", "",
        "| | million weights | the peer | one by one, times as fast | ms | the peer's | 64 together | ms | the peer's |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name in asked:
        rows += (found := compared(name, given.rounds))
        print("\n".join(found), flush=True)
    if given.write:
        put("predictions", "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
