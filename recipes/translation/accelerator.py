"""Train a net of several languages on an accelerator, where minutes count: packed rows, one compiled step, no waiting.

    python -m recipes.translation.accelerator to --data part-0 part-1 --vocabulary vocabulary-16000.model \
        --seconds 280 --out weights

Needs torch, numpy, sentencepiece, and sacrebleu for the looks; `pack.py` makes what it reads, and `many.py --begin weights`
goes on from what it writes. Pairs stand one after another in rows of fixed length, and each sees only itself: no
multiplication is spent on padding, and every step has the same shapes, so that it is compiled once. Rows are made by a
thread, an epoch at a time, while the last ones are trained on.

`--decoder ssru` tries a decoder with a Simpler Simple Recurrent Unit (Kim et al., 2019) in place of self-attention.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from recipes.translation.pack import Part, gather, read

UNKNOWN, START, END = 1, 2, 3
LANGUAGES = ("fr", "de", "es", "zh")
LENGTH = 160  # of a row
SMOOTHING = 0.1
EPOCH = 8e6  # English pieces that a language has in one, times its share
SHARES = {"fr": 1.2, "de": 1.15, "es": 1.0, "zh": 0.75}  # of an epoch: German is the weakest, Chinese has least text
FILE = 16_000_000  # bytes of a file of weights
# How often a pair of each kind is drawn an epoch, where all of that kind travelled; see `many.MIX`.
MIX = {
    "tatoeba": 4.0, "noise": 2.0, "joined": 2.0, "phrases": 6.0, "health": 4.0, "prose": 2.0,
    "games": 1.0, "documentation": 0.7, "names": 0.7, "interface": 1.4, "descriptions": 0.8, "help": 0.6,
    "stories": 1.5, "verses": 0.6, "words": 1.5, "words-clean": 3.0, "words-common": 8.0,
    "greetings": 20.0, "listed-to": 8.0, "listed-from": 8.0,
}  # fmt: skip


class Epochs:
    """Rows of one epoch after another: source, prompt, target (N, LENGTH) uint16 and which pair each piece is of."""

    def __init__(self, parts: dict[str, Part], stage: str, marks: dict[str, int], seed: int) -> None:
        self.sides = ("en", "xx") if stage == "to" else ("xx", "en")
        own = list(parts.values())
        self.flat = {side: np.concatenate([p[side] for p in own]) for side in self.sides}
        lengths = {side: np.concatenate([np.diff(p[f"{side}_starts"]) for p in own]) for side in self.sides}
        self.lengths = lengths
        self.starts = {side: np.cumsum(lengths[side]) - lengths[side] for side in self.sides}
        names = [lang if stage == "to" else "en" for lang in parts]
        self.marks = np.repeat([marks[name] for name in names], [len(p["kind"]) for p in own])
        mix = MIX | {"traditional": 0.0}  # the task simplifies what it reads
        mix["listed-from" if stage == "to" else "listed-to"] = 0.0  # a list is made for its direction
        weights = []
        for lang, part in parts.items():
            each = np.array([mix[str(kind)] for kind in part["kinds"]])[part["kind"]]
            weights.append(each * (SHARES[lang] * EPOCH / (each * np.diff(part["en_starts"])).sum()))
        self.weights = np.concatenate(weights)
        self.rng = np.random.default_rng(seed)

    def draw(self) -> NDArray[np.int64]:
        """Pairs of an epoch in random order: each by its weight, a fraction by chance."""
        whole = np.floor(self.weights)
        times = (whole + (self.rng.random(len(whole)) < self.weights - whole)).astype(np.int64)
        return self.rng.permutation(np.repeat(np.arange(len(times)), times))

    def rows(self) -> dict[str, NDArray[np.generic]]:
        """One epoch, packed; a row ends where the next pair does not fit on either side."""
        order = self.draw()
        source, target = (self.lengths[side][order] + more for side, more in zip(self.sides, (2, 1), strict=True))
        ends = np.cumsum(source), np.cumsum(target)
        lists = [e.tolist() for e in ends]
        first = [0]
        while first[-1] < len(order):
            at = first[-1]
            limits = [e[at - 1] + LENGTH if at else LENGTH for e in lists]
            nexts = [int(np.searchsorted(e, limit, side="right")) for e, limit in zip(ends, limits, strict=True)]
            first.append(min(nexts))
        count = len(first) - 1
        row = np.repeat(np.arange(count), np.diff(first))
        segment = (np.arange(len(order)) - np.repeat(first[:-1], np.diff(first)) + 1).astype(np.uint8)
        out = {}
        for name, side, size, cumulated in (
            ("source", self.sides[0], source, ends[0]),
            ("target", self.sides[1], target, ends[1]),
        ):
            begin = cumulated - size
            at = (
                row * LENGTH + begin - begin[np.array(first[:-1])][row]
            )  # where each pair begins in the rows end to end
            inner = self.lengths[side][order]
            pieces = gather(self.flat[side], self.starts[side][order], inner)
            within = np.arange(len(pieces)) - np.repeat(np.cumsum(inner) - inner, inner)
            place = np.repeat(at, inner) + within
            segments = np.zeros(count * LENGTH, np.uint8)
            segments[np.arange(size.sum()) - np.repeat(begin - at, size)] = np.repeat(segment, size)
            out[f"{name}_segments"] = segments.reshape(count, LENGTH)
            if name == "source":
                tokens = np.zeros(count * LENGTH, np.uint16)
                tokens[at], tokens[place + 1], tokens[at + inner + 1] = self.marks[order], pieces, END
                out["source"] = tokens.reshape(count, LENGTH)
            else:
                prompt, answer = np.zeros((2, count * LENGTH), np.uint16)
                prompt[at], prompt[place + 1] = START, pieces
                answer[place], answer[at + inner] = (
                    np.where(pieces == UNKNOWN, 0, pieces),
                    END,
                )  # never learned to write
                out |= {"prompt": prompt.reshape(count, LENGTH), "target": answer.reshape(count, LENGTH)}
        shuffle = self.rng.permutation(count)
        return {name: array[shuffle] for name, array in out.items()}

    def batches(self, size: int, device: str) -> Iterator[dict[str, Tensor]]:
        """Batches of `size` rows on the device, for ever; the next epoch is packed while one is trained on."""
        ready: queue.Queue[dict[str, Tensor]] = queue.Queue(maxsize=1)

        def work() -> None:
            while True:
                arrays = {k: torch.from_numpy(v.astype(np.int16).view(np.int16)) for k, v in self.rows().items()}
                ready.put(arrays)

        threading.Thread(target=work, daemon=True).start()
        while True:
            epoch = {k: v.to(device) for k, v in ready.get().items()}
            for first in range(0, len(epoch["source"]) - size + 1, size):
                yield {k: v[first : first + size].int() for k, v in epoch.items()}


def packed(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """The mean cross-entropy of a batch of packed rows; what `EncoderDecoder.forward` computes of each pair alone."""
    source, prompt = batch["source_segments"], batch["target_segments"]
    steps = torch.arange(LENGTH, device=source.device)

    def embed(tokens: Tensor, segments: Tensor) -> Tensor:
        fresh = F.pad(segments[:, 1:] != segments[:, :-1], (1, 0), value=True)
        position = steps - torch.where(fresh, steps, 0).cummax(dim=1).values
        return net.drop(F.embedding(tokens, net.table) * math.sqrt(net.width) + net.positions[position])

    def bias(rows: Tensor, columns: Tensor, causal: bool = False) -> Tensor:
        seen = (rows[:, :, None] == columns[:, None, :]) | (rows == 0)[:, :, None]
        if causal:
            seen = seen & (steps[:, None] >= steps)
        return torch.where(seen, 0.0, -1e4).to(net.table.dtype)[:, None]  # (B, 1, T, S)

    look = bias(source, source)
    x = embed(batch["source"], source)
    for block in net.encoder:
        x = block(x, look)
    memory, y = net.norm_encoder(x), embed(batch["prompt"], prompt)
    crossed, causal = bias(prompt, source), bias(prompt, prompt, causal=True)
    begins = F.pad(prompt[:, 1:] != prompt[:, :-1], (1, 0), value=True)
    for block in net.decoder:
        y = block(y, memory, crossed, begins if isinstance(block, Recurrent) else causal)
    scores = (net.norm_decoder(y) @ net.table.t()).flatten(0, 1).float()
    target = batch["target"].flatten().long()
    return F.cross_entropy(scores, target, ignore_index=0, label_smoothing=SMOOTHING)


class Recurrent(nn.Module):
    """A decoder layer whose self-attention is a Simpler Simple Recurrent Unit: `c = f c + (1 - f) W x`, `f = s(V x + b)`."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float) -> None:
        from lamella.nets.layers import CrossAttention, FeedForward, Linear

        super().__init__()
        self.norm_unit, self.unit, self.out = nn.LayerNorm(width), Linear(width, 2 * width), Linear(width, width)
        self.norm_cross, self.cross = nn.LayerNorm(width), CrossAttention(width, heads, dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout)
        self.drop = nn.Dropout(dropout)

    def forward(self, y: Tensor, memory: Tensor, bias: Tensor, begins: Tensor) -> Tensor:
        """begins (B, T): where a pair begins, and so the state is empty."""
        gate, value = self.unit(self.norm_unit(y)).float().chunk(2, dim=-1)
        forget = torch.sigmoid(gate)
        state = (1 - forget) * value
        forget = forget.masked_fill(begins[..., None], 0.0)
        for step in (2**i for i in range(math.ceil(math.log2(y.shape[1])))):  # a scan by doubling
            state = state + forget * F.pad(state, (0, 0, step, 0))[:, : y.shape[1]]
            forget = forget * F.pad(forget, (0, 0, step, 0))[:, : y.shape[1]]
        y = y + self.drop(self.out(torch.relu(state).to(y.dtype)))
        y = y + self.drop(self.cross(self.norm_cross(y), *self.cross.remember(memory), bias))
        return y + self.drop(self.feed(self.norm_feed(y)))


def fused(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, dropout: float = 0.0
) -> tuple[Tensor, Tensor]:
    """`layers.attend` by torch's fused kernel, which is for long rows; the weights themselves are not made."""
    return F.scaled_dot_product_attention(query, key, value, bias, dropout), query


class Muon:
    """What `lamella.train.optimizer.Optimizer` computes, without asking the device for a number at every step."""

    def __init__(self, net: nn.Module, rate: float, decay: float = 0.01) -> None:
        named = [(n, p) for n, p in net.named_parameters()]
        self.names, self.weights = [n for n, _ in named], [p for _, p in named]
        self.masters = [p.detach().float().clone() for p in self.weights]
        self.first = [torch.zeros_like(m) for m in self.masters]
        matrix = [p.ndim == 2 and not n.endswith("table") for n, p in named]
        self.plain = [i for i, m in enumerate(matrix) if not m]
        self.second = {i: torch.zeros_like(self.masters[i]) for i in self.plain}
        self.rate, self.decay, self.count = rate, decay, 0
        self.shapes: dict[torch.Size, list[int]] = {}
        for i, m in enumerate(matrix):
            if m:
                self.shapes.setdefault(self.masters[i].shape, []).append(i)

    @torch.no_grad()
    def step(self, factor: float) -> None:
        from lamella.train.optimizer import orthogonalize

        grads = [p.grad.float() for p in self.weights]
        for p in self.weights:
            p.grad = None
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
        scale = torch.where(norm.isfinite(), (1 / norm).clamp(max=1.0), 0.0)
        grads = [torch.nan_to_num(g) * scale for g in grads]
        self.count += 1
        rate = self.rate * factor
        masters, gs = [self.masters[i] for i in self.plain], [grads[i] for i in self.plain]
        first, second = [self.first[i] for i in self.plain], [self.second[i] for i in self.plain]
        torch._foreach_lerp_(first, gs, 0.1)
        torch._foreach_mul_(second, 0.98)
        torch._foreach_addcmul_(second, gs, gs, 0.02)
        divisor = torch._foreach_sqrt(second)
        torch._foreach_div_(divisor, (1 - 0.98**self.count) ** 0.5)
        torch._foreach_add_(divisor, 1e-9)
        torch._foreach_mul_(masters, 1 - rate * self.decay)
        torch._foreach_addcdiv_(masters, first, divisor, -rate / (1 - 0.9**self.count))
        for shape, members in self.shapes.items():
            moments = [self.first[i] for i in members]
            own = [grads[i] for i in members]
            torch._foreach_lerp_(moments, own, 0.05)
            turned = orthogonalize(torch.stack(torch._foreach_lerp(own, moments, 0.95)), torch.bfloat16)
            masters = [self.masters[i] for i in members]
            torch._foreach_mul_(masters, 1 - rate * self.decay)
            torch._foreach_add_(masters, list(turned.unbind()), alpha=-rate * max(shape) ** 0.5)
        torch._foreach_copy_(self.weights, self.masters)


@torch.no_grad()
def translate(
    net: nn.Module, pieces: sentencepiece.SentencePieceProcessor, texts: list[str], marks: list[int]
) -> list[str]:
    """Texts -> greedy translations; the decoder runs over the whole prefix again for each piece, which is simple."""
    from lamella.nets.layers import causal_bias

    device = net.table.device
    answers = [""] * len(texts)
    ids = [[mark, *pieces.EncodeAsIds(t)[:126], END] for mark, t in zip(marks, texts, strict=True)]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    for first in range(0, len(order), 512):
        rows = order[first : first + 512]
        longest = max(len(ids[i]) for i in rows)
        source = torch.tensor([ids[i] + [0] * (longest - len(ids[i])) for i in rows], device=device)
        bias = net.padding_bias(source)
        x = net.embed(source)
        for block in net.encoder:
            x = block(x, bias)
        memory = net.norm_encoder(x)
        prefix = torch.full((len(rows), 1), START, device=device)
        ended = torch.zeros(len(rows), dtype=torch.bool, device=device)
        for _ in range(min(150, 2 * longest + 10)):
            y = net.embed(prefix)
            causal = causal_bias(prefix.shape[1]).to(y)
            begins = torch.zeros_like(prefix, dtype=torch.bool)
            begins[:, 0] = True
            for block in net.decoder:
                y = block(y, memory, bias, begins if isinstance(block, Recurrent) else causal)
            best = (net.norm_decoder(y[:, -1]) @ net.table.t()).float().argmax(dim=-1)
            best = torch.where(ended, END, best)
            ended |= best == END
            prefix = torch.cat([prefix, best[:, None]], dim=1)
            if bool(ended.all()):
                break
        for i, line in zip(rows, prefix[:, 1:].tolist(), strict=True):
            answers[i] = pieces.DecodeIds(line[: line.index(END)] if END in line else line)
    return answers


def look(
    net: nn.Module,
    pieces: sentencepiece.SentencePieceProcessor,
    folder: Path,
    stage: str,
    languages: list[str],
    limit: int,
) -> dict[str, float]:
    """chrF of the first pairs of each development set."""
    import sacrebleu

    scores = {}
    net.eval()
    for path in sorted(folder.glob("dev-*.tsv")):
        kind, lang = path.stem.split("-")[1:]
        if lang not in languages:
            continue
        rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[:limit]]
        texts, references = [r[2 if stage == "to" else 3] for r in rows], [r[3 if stage == "to" else 2] for r in rows]
        mark = pieces.PieceToId(f"<2{lang if stage == 'to' else 'en'}>")
        answers = translate(net, pieces, texts, [mark] * len(texts))
        scores[f"{kind}-{lang}"] = round(sacrebleu.corpus_chrf(answers, [references]).score, 2)
    net.train()
    return scores


def recode(
    parts: dict[str, Part], old: sentencepiece.SentencePieceProcessor, new: sentencepiece.SentencePieceProcessor
) -> dict[str, Part]:
    """The same pairs in the pieces of another vocabulary."""
    for part in parts.values():
        for side in ("en", "xx"):
            lines = np.split(part[side], part[f"{side}_starts"][1:-1])
            ids = new.EncodeAsIds(old.DecodeIds([line.tolist() for line in lines], num_threads=4), num_threads=4)
            ids = [line[:126] for line in ids]
            part[side] = np.concatenate([np.array(line, np.uint16) for line in ids])
            part[f"{side}_starts"] = np.concatenate([[0], np.cumsum([len(line) for line in ids])])
    return parts


def write_weights(optimizer: Muon, out: Path, facts: dict[str, object], largest: int = FILE) -> None:
    """Weights of two bytes each, in files of at most `largest` bytes: name|number holds so many rows of one."""
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    files: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, weight in zip(optimizer.names, optimizer.masters, strict=True):
        rows = max(1, largest // 64 // max(1, weight[0].numel()))
        for i, piece in enumerate(weight.to("cpu", torch.float16).split(rows)):
            if size + 2 * piece.numel() > largest:
                files.append({})
                size = 0
            files[-1][f"latest.{name}|{i:03}"] = piece.contiguous()
            size += 2 * piece.numel()
    for i, file in enumerate(files):
        save_file(file, out / f"weights-{i}.safetensors", {"facts": json.dumps(facts)})


def build(given: argparse.Namespace, vocabulary: int) -> nn.Module:
    """The net that is asked for, on its device, with fused attention."""
    from lamella.nets import layers
    from lamella.nets.transformer.encoder_decoder import EncoderDecoder

    width, heads = given.width, given.width // 64
    net = EncoderDecoder(vocabulary, width, given.depth, given.decoder_depth, heads, dropout=given.dropout, longest=512)
    if given.decoder == "ssru":
        layer = partial(Recurrent, width, heads, 4 * width, given.dropout)
        net.decoder = nn.ModuleList(layer() for _ in range(given.decoder_depth))
    layers.attend = fused
    return net.to(given.device, torch.bfloat16 if given.device == "cuda" else torch.float32)


def compiled(net: nn.Module, given: argparse.Namespace, name: str) -> Callable[..., Tensor]:
    """The loss as one compiled graph, tried on an empty batch; as it is where it cannot be compiled."""
    if not given.compile:
        return packed
    loss = torch.compile(packed, dynamic=False)
    names = ("source", "prompt", "target", "source_segments", "target_segments")
    empty = {k: torch.zeros(given.rows, LENGTH, dtype=torch.int32, device=given.device) for k in names}
    try:
        loss(net, empty).backward()
    except Exception as error:  # minutes are few: slower is better than nothing
        print(f"{name}: not compiled ({type(error).__name__}: {str(error)[:300]})", flush=True)
        loss = packed
    net.zero_grad()
    return loss


def steps(net: nn.Module, optimizer: Muon, epochs: Epochs, given: argparse.Namespace, began: float) -> dict[str, float]:
    """Train to the end of the steps or seconds; how many steps, target tokens and seconds it took."""
    name = given.name or given.stage
    batches = epochs.batches(given.rows, given.device)  # the first epoch is packed while the loss is compiled
    loss = compiled(net, given, name)
    start, step, losses, shown, counted = 0.0, 0, [], time.time(), 0
    spent = torch.zeros((), device=given.device)
    while True:
        batch = next(batches)
        if step == 5:  # compiled by now: what it took is not of the budget
            start = time.time()
            if given.within:
                given.seconds = given.within - (start - began)
            print(f"{name}: first steps after {start - began:.0f} s", flush=True)
        passed = time.time() - start if start else 0.0
        progress = step / given.steps if given.steps else passed / given.seconds
        if progress >= 1:
            break
        value = loss(net, batch)
        value.backward()
        fall = min(1.0, (1 - progress) / given.cooldown) if given.cooldown else 1.0
        optimizer.step(min(1.0, (step + 1) / given.warmup) * fall)
        losses.append(value.detach())
        spent += (batch["target"] != 0).sum()
        step += 1
        if step % 20 == 0 and time.time() - shown > given.every:  # the device is asked for numbers here alone
            recent, total, now = torch.stack(losses).mean().item(), int(spent.item()), time.time()
            rate = (total - counted) / (now - shown)
            line = f"loss {recent:.3f} tokens/s {rate:,.0f} M {total / 1e6:.1f} {100 * progress:.0f}%"
            print(f"{name} step {step} {line}", flush=True)
            losses, shown, counted = [], now, total
    return {"steps": step, "tokens": int(spent.item()), "seconds": round(time.time() - start, 1)}


def train(given: argparse.Namespace) -> None:
    """Read, train, look at the development sets, write weights and facts."""
    began = time.time()
    torch.manual_seed(given.seed)
    torch.set_float32_matmul_precision("high")
    languages, name = given.lang or list(LANGUAGES), given.name or given.stage
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(given.vocabulary))
    parts = read(given.data, languages)
    if given.encoded_by:
        parts = recode(parts, sentencepiece.SentencePieceProcessor(model_file=str(given.encoded_by)), pieces)
    marks = {code: pieces.PieceToId(f"<2{code}>") for code in ("en", *LANGUAGES)}
    epochs = Epochs(parts, given.stage, marks, given.seed)
    net = build(given, len(pieces))
    optimizer = Muon(net, given.rate)
    size = sum(p.numel() for p in net.parameters())
    ready = f"{size / 1e6:.1f} M weights, {len(epochs.weights):,} pairs, ready in {time.time() - began:.0f} s"
    print(f"{name}: {ready}", flush=True)
    done = steps(net, optimizer, epochs, given, began)
    scores = look(net, pieces, given.dev, given.stage, languages, given.limit) if given.dev else {}
    how = f"{done['steps']} steps, {done['tokens'] / 1e6:.1f} M target tokens in {done['seconds']:.0f} s"
    print(f"{name}: {how}; chrF {scores}", flush=True)
    if given.out:
        told = {k: v for k, v in vars(given).items() if isinstance(v, (int, float, str, list)) and k != "data"}
        facts = {**told, "budget": given.seconds, **done, "weights": size, "scores": scores}
        given.out.mkdir(parents=True, exist_ok=True)
        if given.save:
            write_weights(optimizer, given.out, facts)
        (given.out / "facts.json").write_text(json.dumps(facts))
    print(f"{name}: done after {time.time() - began:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=["to", "from"])
    parser.add_argument("--name", help="of the run, in what is printed")
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="folders that `pack.py` wrote")
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--encoded-by", type=Path, help="vocabulary of the data, where it is another")
    parser.add_argument("--dev", type=Path, help="folder of the development sets")
    parser.add_argument("--limit", type=int, default=400, help="pairs of each that are looked at")
    parser.add_argument("--out", type=Path, help="folder for weights and facts")
    parser.add_argument("--no-save", dest="save", action="store_false", help="facts alone, no weights")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--seconds", type=float, default=60, help="of training, after it was compiled")
    parser.add_argument(
        "--within", type=float, help="seconds from the start to the last step, in place of those of training"
    )
    parser.add_argument("--steps", type=int, help="in place of seconds")
    parser.add_argument("--rows", type=int, default=224, help=f"of {LENGTH} pieces in a batch")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--warmup", type=int, default=200, help="steps in which it rises")
    parser.add_argument("--cooldown", type=float, default=0.5, help="last share of the time, in which it falls to 0")
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--decoder-depth", type=int, default=2)
    parser.add_argument("--decoder", choices=["attention", "ssru"], default="attention")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=10, help="seconds between two lines of the log")
    parser.add_argument("--lang", choices=LANGUAGES, action="append")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
