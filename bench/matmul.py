"""The share of this machine's fastest matrix product that a training step reaches.

    python -m bench.matmul [--seconds 4]

The peak is that of one product of the shape which training makes most. The step is a whole one of the base translation
net - forward, loss, backward, optimizer - on a batch without padding. Counted are the multiplications and additions of
the net's own matrix products: 2 m n k forward and twice that backward. Norms, softmax, dropout and copying take time
and count nothing. The optimizer's products (Muon's) count nothing either, but the last column shows the share with them.
"""

import argparse
import statistics
import time

import torch

from lamella import machine
from lamella.nets.losses import tied_cross_entropy
from lamella.nets.transformer.encoder_decoder import EncoderDecoder
from lamella.train.optimizer import ROUNDS, Optimizer

VOCABULARY, LENGTH, SENTENCES = 8000, 24, 4096 // 24


def forward_operations(net: EncoderDecoder, vocabulary: int, sentences: int, length: int) -> int:
    """Of one forward pass with the loss; source and target are `length` long."""
    tokens, width = sentences * length, net.width
    inner = net.encoder[0].feed.up.weight.shape[1]

    def product(m: int, n: int, k: int) -> int:
        return 2 * m * n * k

    attention = product(tokens, length, width) * 2  # queries by keys, weights by values; all heads together
    itself = product(tokens, 3 * width, width) + product(tokens, width, width) + attention
    # Queries, then keys and values of the source, then the way out.
    cross = (
        product(tokens, width, width) + product(tokens, 2 * width, width) + product(tokens, width, width) + attention
    )
    feed = 2 * product(tokens, inner, width)
    scores = product(tokens, vocabulary, width)
    return len(net.encoder) * (itself + feed) + len(net.decoder) * (itself + cross + feed) + scores


def muon_operations(optimizer: Optimizer) -> int:
    """Of one update: each round multiplies x by its transpose, that square by itself, and the square by x."""
    total = 0
    for shape, members in optimizer.shapes.items():
        short, long = sorted(shape)
        total += len(members) * ROUNDS * (2 * short * short * long * 2 + 2 * short**3)
    return total


def measure(precision: str, threads: int, seconds: float) -> None:
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    net = EncoderDecoder(VOCABULARY).to(getattr(torch, precision)).train()
    optimizer = Optimizer(net, rate=1e-3)
    source, prompt, target = torch.randint(4, VOCABULARY, (3, SENTENCES, LENGTH))
    tokens = SENTENCES * LENGTH
    counted = 3 * forward_operations(net, VOCABULARY, SENTENCES, LENGTH)

    def step() -> float:
        start = time.perf_counter()
        out = net(source=source, prompt=prompt)
        tied_cross_entropy(out["hidden"], out["table"], target, smoothing=0.1).backward()
        optimizer.step(1.0)
        return time.perf_counter() - start

    for _ in range(3):
        step()
    # The two in turns, so that both meet the same machine. The peak is the fastest product seen, the step the median one.
    times, peaks, until = [], [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(times) < 5:
        times.append(step())
        peaks += machine.peaks((precision,))
    peak, taken = max(peaks), statistics.median(times)
    whole = counted + muon_operations(optimizer)
    print(
        f"{precision:9} {threads:7} {peak / 1e9:12,.0f} {counted / taken / 1e9:12,.0f} {counted / taken / peak:9.0%} "
        f"{tokens / taken:10,.0f} {1000 * taken:8.0f} {whole / taken / peak:11.0%}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4, help="of each line")
    seconds = parser.parse_args().seconds
    net = EncoderDecoder(VOCABULARY)
    print(
        f"A training step: {SENTENCES} sentences of {LENGTH} tokens, {sum(p.numel() for p in net.parameters()):,} weights"
    )
    print(f"{machine.cores()} cores; GFLOPS are 10^9 operations a second\n")
    print("precision threads  peak GFLOPS  step GFLOPS  share    tokens/s  ms/step  with Muon's")
    for precision in ("float32", "bfloat16"):
        for threads in sorted({1, machine.cores(), min(2, machine.cores())}):
            measure(precision, threads, seconds)


if __name__ == "__main__":
    main()
