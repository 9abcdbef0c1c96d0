"""A character language model: nets of text-generation beside nanoGPT, on the same minutes of the same machine.

    python -m bench.text_generation --data tinyshakespeare.txt --nanogpt PATH          3 minutes each
    python -m bench.text_generation --data tinyshakespeare.txt --net rnn --minutes 10
    python -m bench.text_generation --data tinyshakespeare.txt --minutes 45 --size base --dropout 0.2 --window 256
    python -m bench.text_generation --data tinyshakespeare.txt --minutes 0.5 --device cuda --nanogpt PATH

The first 90% of the file are trained on, the last 10% measured with: all of it, in windows of the training length, each
with nothing before it. nanoGPT is a checkout of that project, run by its own train.py in its published setting for a CPU
(4 layers, 4 heads, width 128, 64 characters, 12 a batch, rate 1e-3, no dropout); its number of steps is set so that they
take the given minutes. Its windows begin with a character that is given and not asked for, ours with none, which
is a little harder. Nothing was chosen by looking at the last 10%.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lamella

PUBLISHED = {  # the command in nanoGPT's README for those without a GPU
    "compile": False,
    "eval_iters": 1,
    "log_interval": 50,
    "block_size": 64,
    "batch_size": 12,
    "n_layer": 4,
    "n_head": 4,
    "n_embd": 128,
    "dropout": 0.0,
}
TRIAL = 150  # steps that show how long one takes

# Runs in nanoGPT's folder, in a process of its own: its train.py, then the whole validation part in windows. The model
# is taken from the run itself, so that no checkpoint has to be opened.
RUNNER = """
import runpy, sys, time, numpy as np, torch
torch.set_num_threads(int(sys.argv.pop(1)))
start = time.perf_counter()
end = runpy.run_path("train.py", run_name="__main__")
seconds = time.perf_counter() - start
model, size = end["model"].eval(), end["block_size"]
data = torch.from_numpy(np.fromfile("data/shakespeare_char/val.bin", dtype=np.uint16).astype(np.int64))
total = count = 0
with torch.no_grad():
    for at in range(0, len(data) - 1, size):
        x, y = data[at : at + size], data[at + 1 : at + 1 + size]
        _, loss = model(x[None, : len(y)], y[None])
        total, count = total + loss.item() * len(y), count + len(y)
print("MEASURED", total / count, count, seconds, sum(p.numel() for p in model.parameters()), end["iter_num"])
"""


def nanogpt(checkout: Path, text: str, minutes: float, threads: int, device: str) -> None:
    """Train nanoGPT in its own words and print its line."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("train.py", "model.py", "configurator.py"):
            (folder / name).write_bytes((checkout / name).read_bytes())
        for inner in ("config/train_shakespeare_char.py", "data/shakespeare_char/prepare.py"):
            (folder / inner).parent.mkdir(parents=True)
            (folder / inner).write_bytes((checkout / inner).read_bytes())
        (folder / "data/shakespeare_char/input.txt").write_text(text, encoding="utf-8")  # so prepare.py fetches nothing
        (folder / "requests.py").write_text("")  # and needs no package for it
        (folder / "runner.py").write_text(RUNNER)
        environment = {**os.environ, "PYTHONPATH": place}
        prepare = [sys.executable, "data/shakespeare_char/prepare.py"]
        subprocess.run(prepare, cwd=folder, check=True, capture_output=True, env=environment)

        def run(steps: int) -> list[float]:
            given = {
                **PUBLISHED,
                "device": device,
                "max_iters": steps,
                "lr_decay_iters": steps,
                "eval_interval": steps + 1,
            }
            flags = [f"--{name}={value}" for name, value in given.items()]
            words = [sys.executable, "runner.py", str(threads), "config/train_shakespeare_char.py", *flags]
            out = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True, env=environment).stdout
            return [float(word) for word in out.split("MEASURED")[1].split()]

        start = run(1)[2]
        each = (run(TRIAL)[2] - start) / TRIAL
        loss, count, seconds, parameters, steps = run(max(TRIAL, int(60 * minutes / each)))
        line("nanoGPT, its CPU setting", loss, int(count), parameters / 1e6, seconds - start, int(steps))


def ours(learn: Path, test: Path, given: argparse.Namespace, options: dict[str, object]) -> None:
    """Train and measure by the verbs that a user calls."""
    with tempfile.TemporaryDirectory() as place:
        model = lamella.train(
            "text-generation", str(learn), out=f"{place}/model", test=[str(test)], minutes=given.minutes, size=given.size,
            threads=given.threads, seed=given.seed, rate=given.rate, device=given.device, tell=print if given.verbose else lambda _: None,
            **options,
        )  # fmt: skip
        start = time.perf_counter()
        scores = lamella.evaluate(model, str(test))["scores"]
        seconds = time.perf_counter() - start
        facts = model.manifest
        name = f"lamella, {model.task.config.net}, {given.size}"
        units = sum(len(e["text"]) for e in model.task.read([str(test)])[0])
        line(
            name,
            scores["loss"]["value"],
            units,
            facts.parameters / 1e6,
            facts.training["seconds"],
            facts.training["steps"],
        )
        low, high = scores["loss"]["low"], scores["loss"]["high"]
        print(f"    95% interval {low:.4f} to {high:.4f}", end=", ")
        print(f"{scores['bits_per_character']['value']:.4f} bits per character", end=", ")
        print(
            f"perplexity {scores['perplexity']['value']:.4f}, {model.bytes / 1e6:.1f} MB, measured in {seconds:.1f} s"
        )
        if given.write:
            print(model.predict("ROMEO:\n")["text"])


def line(name: str, loss: float, count: int, millions: float, seconds: float, steps: int) -> None:
    print(f"{name:32} {loss:8.4f} {count:10,} {millions:8.2f} {seconds:8.0f} {steps:8,}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a text file")
    parser.add_argument("--nanogpt", type=Path, help="a checkout of nanoGPT")
    parser.add_argument("--minutes", type=float, default=3.0, help="of training, each")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu", help="of both: cpu, cuda, mps")
    parser.add_argument("--size", default="small")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--part", type=float, default=1.0, help="of the file that is used, from its beginning")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--write", action="store_true", help="show what it writes")
    for name, kind in (("net", str), ("cell", str), ("window", int), ("dropout", float)):
        parser.add_argument(f"--{name}", type=kind, help="of text-generation")
    given = parser.parse_args()
    options = {n: v for n in ("net", "cell", "window", "dropout") if (v := getattr(given, n)) is not None}
    text = given.data.read_text(encoding="utf-8")
    text = text[: int(len(text) * given.part)]
    cut = int(len(text) * 0.9)
    print(f"{len(text):,} characters, {cut:,} to learn from; {given.minutes:g} minutes on {given.threads} threads")
    print(f"{'':32} {'loss':>8} {'over':>10} {'million':>8} {'seconds':>8} {'steps':>8}")
    with tempfile.TemporaryDirectory() as place:
        learn, test = Path(place, "learn.txt"), Path(place, "test.txt")
        learn.write_text(text[:cut], encoding="utf-8")
        test.write_text(text[cut:], encoding="utf-8")
        ours(learn, test, given, options)
    if given.nanogpt:
        nanogpt(given.nanogpt, text, given.minutes, given.threads, given.device)
    else:
        print("nanoGPT: not run, since no --nanogpt PATH was given")


if __name__ == "__main__":
    main()
