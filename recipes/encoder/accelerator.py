"""Train the masked net that ships on an accelerator, where minutes count: packed rows, masks made on the device, no waiting.

    python -m recipes.encoder.accelerator --data FOLDER --out weights --seconds 90

Needs torch, numpy and what the translators' accelerator needs. `pack.py` makes the folder, `ship.py --weights` ships what this
writes. Rows are cut anew from the stream of all passages in each epoch, at another offset; in each a passage sees only itself, from
position 0 on, so that short texts are learned too. All of it is on the device from the start. Where there are pairs that mean the
same (pairs.xz), each step learns from a batch of them too: the mean of a text's states is to lie near that of its other.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from lamella.nets import layers
from lamella.nets.transformer.masked import MaskedTransformer, mask_words
from recipes.encoder.stream import read
from recipes.translation.accelerator import Muon, fused, write_weights

START = 2  # stands before each passage in the stream, and is not shown to the net
WINDOW = 128
FILE = 14_000_000  # bytes of a file of weights
SHARES = (0.3, 0.15)  # of the words that are masked, at first and at the end
LENGTHS = (16, 48)  # pieces of a text of a pair: two shapes to compile
MOST_PAIRS = 2048  # of a batch
LEFT_OUT = 0.1  # share of the pieces of a pair that are not seen
TEMPERATURE = 0.05


class Rows:
    """Batches of rows of `WINDOW` pieces, for ever, drawn and masked on the device."""

    def __init__(self, stream: np.ndarray, kinds: Tensor, mask: int, device: str, seed: int) -> None:
        self.stream = torch.from_numpy(stream.astype(np.int16)).to(device)
        self.kinds, self.mask, self.device = kinds.to(device), mask, device
        self.rng = torch.Generator(device).manual_seed(seed)

    def starts(self, size: int) -> Iterator[Tensor]:
        """Where the rows of each batch begin, (size,)."""
        count = len(self.stream) // WINDOW - 1
        if count < size:
            raise SystemExit(f"--rows {size}: the data has {count} rows.")
        while True:
            offset = torch.randint(WINDOW, (1,), generator=self.rng, device=self.device)
            order = torch.randperm(count, generator=self.rng, device=self.device)
            for first in range(0, count - size + 1, size):
                yield offset + WINDOW * order[first : first + size]

    def batch(self, starts: Tensor, share: float) -> dict[str, Tensor]:
        """Rows (B, T) that begin at `starts` (B,), masked: what `packed` takes."""
        steps = torch.arange(WINDOW, device=self.device)
        rows = self.stream[starts[:, None] + steps].long()  # (B, T)
        begins = rows == START
        passage = begins.cumsum(dim=1)
        position = steps - torch.where(begins, steps + 1, 0).cummax(dim=1).values
        whole = torch.where(begins, 0, rows)
        pieces, wanted = mask_words(whole, self.kinds, share, self.mask, self.rng)
        seen = (passage[:, :, None] == passage[:, None, :]) & (pieces != 0)[:, None, :]
        bias = torch.where(seen, 0.0, layers.MASKED)[:, None]  # (B, 1, T, T)
        # As many places in each batch, so that it is compiled once: those asked for come first, then some that are not.
        places = (wanted.flatten() != 0).to(torch.int8).argsort(descending=True)[: int(SHARES[0] * wanted.numel())]
        targets = wanted.flatten()[places]
        return {"pieces": pieces, "position": position.clamp(min=0), "bias": bias, "places": places, "targets": targets}


def packed(net: MaskedTransformer, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Packed rows -> scores (P, V) in float32 and targets (P,); what `MaskedTransformer.hidden` computes of each passage alone."""
    x = F.embedding(batch["pieces"], net.table) * math.sqrt(net.width)
    x = x + net.positions[batch["position"]]
    bias = batch["bias"].to(x.dtype)
    for block in net.blocks:
        x = block(x, bias)
    at = net.norm(x).flatten(0, 1)[batch["places"]]  # (P, D)
    return (at @ net.table.t() + net.output_bias).float(), batch["targets"]


class Pairs:
    """Batches of pairs that mean the same, for ever, drawn on the device: short texts beside short ones, long beside long."""

    def __init__(self, stream: np.ndarray, device: str, tokens: int, seed: int) -> None:
        starts = np.flatnonzero(stream == START)
        lengths = np.diff(np.append(starts, len(stream))) - 1
        both = lengths.reshape(-1, 2).max(axis=1)
        self.groups = []
        for least, most in zip((0, *LENGTHS), LENGTHS, strict=False):
            chosen = np.flatnonzero((both > least) & (both <= most))
            count = min(MOST_PAIRS, tokens // (2 * most))
            if len(chosen) < count:
                continue
            table = np.zeros((len(chosen), 2, most), np.int16)
            for side in (0, 1):
                at = 2 * chosen + side
                rows = np.repeat(np.arange(len(at)), lengths[at])
                within = np.arange(len(rows)) - np.repeat(np.cumsum(lengths[at]) - lengths[at], lengths[at])
                table[rows, side, within] = stream[starts[at][rows] + 1 + within].astype(np.int16)
            self.groups.append((torch.from_numpy(table).to(device), count))
        if not self.groups:
            raise SystemExit(f"pairs.xz: expected at least {tokens // (2 * LENGTHS[0]):,} pairs of one length.")
        self.shares = np.array([len(table) for table, _ in self.groups], float)
        self.shares /= self.shares.sum()
        self.rng, self.draw = torch.Generator(device).manual_seed(seed), np.random.default_rng(seed)

    def batch(self) -> Tensor:
        """Pairs (B, 2, T), in which some pieces are left out, so that no vector hangs on a single word."""
        table, count = self.groups[self.draw.choice(len(self.groups), p=self.shares)]
        chosen = torch.randint(len(table), (count,), generator=self.rng, device=table.device)
        pieces = table[chosen].long()
        kept = torch.rand(pieces.shape, generator=self.rng, device=table.device) >= LEFT_OUT
        kept[..., 0] = True  # never all of them
        return torch.where(kept, pieces, 0)


def vectors(net: MaskedTransformer, pieces: Tensor) -> Tensor:
    """Texts (B, T), 0 where there is nothing -> unit vectors (B, D) in float32: the mean over the pieces."""
    there = (pieces != 0)[:, None, None, :]
    x = F.embedding(pieces, net.table) * math.sqrt(net.width) + net.positions[: pieces.shape[1]]
    bias = torch.where(there, 0.0, layers.MASKED).to(x.dtype)
    for block in net.blocks:
        x = block(x, bias)
    weights = (pieces != 0).to(x.dtype)
    return F.normalize((weights[:, None] @ net.norm(x))[:, 0].float(), dim=1)


def contrast(net: MaskedTransformer, pairs: Tensor) -> Tensor:
    """InfoNCE of pairs (B, 2, T): each text beside its own among all of the batch, both ways."""
    one, other = vectors(net, pairs.transpose(0, 1).flatten(0, 1)).chunk(2)
    scores = one @ other.t() / TEMPERATURE
    wanted = torch.arange(len(one), device=one.device)
    return (F.cross_entropy(scores, wanted) + F.cross_entropy(scores.t(), wanted)) / 2


def loss_of(net: MaskedTransformer, batch: dict[str, Tensor]) -> Tensor:
    """The mean cross-entropy at the masked places."""
    scores, targets = packed(net, batch)
    return F.cross_entropy(scores, targets, ignore_index=0)


@torch.no_grad()
@torch.compiler.set_stance("force_eager")  # compiled once more, for other shapes and no gradients, it would take longer
def look(net: MaskedTransformer, held: Rows, rows: int) -> dict[str, float]:
    """Loss and share of right first answers on the held-out passages, at places that are hidden from the net."""
    net.eval()
    held.rng.manual_seed(1)  # the same masks each time
    total = right = count = 0.0
    starts = torch.arange(0, len(held.stream) - WINDOW, WINDOW, device=held.device)
    for some in starts.split(rows):
        batch = held.batch(some, SHARES[1])
        scores, targets = packed(net, batch)
        hidden = (batch["pieces"].flatten()[batch["places"]] == held.mask) & (targets != 0)
        scores, targets = scores[hidden], targets[hidden]
        total += F.cross_entropy(scores, targets, reduction="sum").item()
        right += (scores.argmax(dim=-1) == targets).sum().item()
        count += len(targets)
    net.train()
    return {"loss": round(total / count, 3), "top_1": round(right / count, 4)}


def compiled(net: MaskedTransformer, batch: dict[str, Tensor], pairs: Pairs | None) -> None:
    """Compile the blocks, all of one form, so that it is done once; where that fails, training goes on without."""
    forms = [block.forward for block in net.blocks]
    try:
        for block in net.blocks:
            block.compile(dynamic=False)
        loss_of(net, batch).backward()
        for table, count in pairs.groups if pairs else ():
            contrast(net, table[:count].long()).backward()
    except Exception as error:  # minutes are few: slower is better than nothing
        print(f"encoder: not compiled ({type(error).__name__}: {str(error)[:300]})", flush=True)
        for block, form in zip(net.blocks, forms, strict=True):
            block.forward, block._compiled_call_impl = form, None
    net.zero_grad()


def train(given: argparse.Namespace) -> None:
    """Train, look, write."""
    began = time.time()
    torch.manual_seed(given.seed)
    torch.set_float32_matmul_precision("high")
    with ThreadPoolExecutor() as pool:
        stream = np.concatenate(list(pool.map(read, sorted(given.data.glob("pieces-*.xz")))))
    facts = np.load(given.data / "kinds.npy").astype(np.int64)
    kinds, mask = torch.from_numpy(facts[:-1]), int(facts[-1])
    rows = Rows(stream, kinds, mask, given.device, given.seed)
    together = given.data / "pairs.xz"
    pairs = Pairs(read(together), given.device, 2 * given.rows * WINDOW, given.seed) if together.is_file() else None
    held = Rows(read(given.data / "held-out.xz"), kinds, mask, given.device, given.seed)
    net = MaskedTransformer(len(kinds), given.width, given.depth, given.heads, 0.0, WINDOW)
    counts = np.bincount(stream, minlength=len(kinds)) + 0.5
    with torch.no_grad():
        net.output_bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))
    net = net.to(given.device, torch.float32 if given.precision == "float32" else torch.bfloat16)
    if given.device == "cuda":
        layers.attend = fused
    optimizer = Muon(net, given.rate)
    size = sum(p.numel() for p in net.parameters())
    print(
        f"encoder: {size / 1e6:.1f} M weights, {len(stream) / 1e6:.1f} M pieces, ready in {time.time() - began:.0f} s; held out {look(net, held, given.rows)}",
        flush=True,
    )
    starts = rows.starts(given.rows)
    if given.compile:
        compiled(net, rows.batch(next(starts), SHARES[0]), pairs)
    print(f"encoder: first step after {time.time() - began:.0f} s", flush=True)
    start = shown = time.time()
    step, losses, apart = 0, [], []
    while True:
        progress = step / given.steps if given.steps else (time.time() - start) / given.seconds
        if progress >= 1:
            break
        share = SHARES[0] + (SHARES[1] - SHARES[0]) * progress
        value = loss_of(net, rows.batch(next(starts), share))
        value.backward()
        if pairs:
            nearness = given.contrast * contrast(net, pairs.batch())
            nearness.backward()
            apart.append(nearness.detach())
        optimizer.step(min(1.0, (step + 1) / given.warmup) * min(1.0, (1 - progress) / given.cooldown))
        losses.append(value.detach())
        step += 1
        if step % 20 == 0:  # nor does the processor run far ahead of the device
            recent = torch.stack(losses[-20:]).mean().item()
            if time.time() - shown > given.every:
                shown = time.time()
                near = f" pairs {torch.stack(apart[-20:]).mean().item():.3f}" if apart else ""
                rate = step * given.rows * WINDOW / (shown - start)
                print(
                    f"encoder: step {step} loss {recent:.3f}{near} pieces/s {rate:,.0f} held out {look(net, held, given.rows)} {100 * progress:.0f}%",
                    flush=True,
                )
    seconds = time.time() - start
    known = {
        "steps": step, "pieces": step * given.rows * WINDOW, "seconds": round(seconds, 1), "weights": size,
        "width": given.width, "depth": given.depth, "heads": given.heads, "rate": given.rate, "device": given.device, "precision": given.precision, "held_out": look(net, held, given.rows),
    }  # fmt: skip
    print(f"encoder: {known}", flush=True)
    write_weights(optimizer, given.out, known, FILE)
    print(f"encoder: done after {time.time() - began:.0f} s", flush=True)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that `pack.py` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", choices=["bfloat16", "float32"], default="bfloat16")
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.add_argument("--seconds", type=float, default=90, help="of training, after it was compiled")
    parser.add_argument("--steps", type=int, help="in place of seconds")
    parser.add_argument("--rows", type=int, default=256, help=f"of {WINDOW} pieces in a batch")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate")
    parser.add_argument("--warmup", type=int, default=100, help="steps in which it rises")
    parser.add_argument("--cooldown", type=float, default=0.7, help="last share of the time, in which it falls to 0")
    parser.add_argument("--contrast", type=float, default=1.0, help="weight of the pairs' loss, where there are pairs")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=float, default=8, help="seconds between two lines of the log")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
