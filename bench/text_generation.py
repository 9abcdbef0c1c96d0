"""A character language model: nets of text-generation beside nanoGPT, on the same minutes of the same machine.

    python -m bench.text_generation --data tinyshakespeare.txt --nanogpt PATH          3 minutes each
    python -m bench.text_generation --data tinyshakespeare.txt --net rnn --minutes 10
    python -m bench.text_generation --data tinyshakespeare.txt --minutes 45 --size base --dropout 0.2 --window 256
    python -m bench.text_generation --data tinyshakespeare.txt --minutes 0.5 --device cuda --nanogpt PATH
    python -m bench.text_generation --data tinyshakespeare.txt --speed --nanogpt PATH --threads 1    tokens a second

The first 90% of the file are trained on, the last 10% measured with: all of it, in windows of the training length, each
with nothing before it. nanoGPT is a checkout of that project, run by its own train.py in its published setting for a CPU
(4 layers, 4 heads, width 128, 64 characters, 12 a batch, rate 1e-3, no dropout); its number of steps is set so that they
take the given minutes. Its windows begin with a character that is given and not asked for, ours with none, which
is a little harder. Nothing was chosen by looking at the last 10%.

--speed: both train a net of our size on batches of one size (nanoGPT's layers, heads, width, window and batch are set to ours),
each by its own program and at the precision that it chooses, in turn; what a step costs is the difference of a long run and a
short one, in processor seconds. Then each writes texts of 500 characters, one after the other, as its own commands do.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import lamella
from lamella import registry
from lamella.terms import SIZES

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
# The same, then texts in the words of its sample.py: processor seconds of each.
SPEED = """
import runpy, sys, time, torch
torch.set_num_threads(int(sys.argv.pop(1)))
texts, length = int(sys.argv.pop(1)), int(sys.argv.pop(1))
end = runpy.run_path("train.py", run_name="__main__")
trained = time.process_time()
model = end["model"].eval()
x = torch.zeros((1, 1), dtype=torch.long)  # a line break, the first of its characters
each = []
with torch.no_grad():
    for _ in range(texts):
        start = time.process_time()
        model.generate(x, length, temperature=0.8, top_k=200)
        each.append(time.process_time() - start)
print("MEASURED", trained, sum(p.numel() for p in model.parameters()), *each)
"""
OURS = """
import sys, time, lamella
data, out, steps, threads, texts, length, *options = sys.argv[1:]
options = {name: int(value) if value.isdigit() else value for name, value in (option.split("=") for option in options)}
lamella.train("text-generation", data, out=out, steps=int(steps), threads=int(threads), tell=lambda _: None, **options)
trained = time.process_time()
from lamella.options import replace_config
model = lamella.load(out)
model.threads = int(threads)
model = model.with_config(replace_config(model.task.config, {"length": int(length)}, "text-generation"))
if int(texts):
    model.predict(chr(10))  # opens the graphs, as nanoGPT's net is open already
each = []
for _ in range(int(texts)):
    start = time.process_time()
    model.predict(chr(10))
    each.append(time.process_time() - start)
print("MEASURED", trained, model.manifest.parameters, *each)
"""
SHORT, LONG, TEXTS, LENGTH = 5, 65, 3, 500  # steps of the two runs; texts, and characters of each


@contextlib.contextmanager
def prepared(checkout: Path, text: str, runner: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with nanoGPT and its data, and the environment to run it in."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in ("train.py", "model.py", "configurator.py"):
            (folder / name).write_bytes((checkout / name).read_bytes())
        for inner in ("config/train_shakespeare_char.py", "data/shakespeare_char/prepare.py"):
            (folder / inner).parent.mkdir(parents=True)
            (folder / inner).write_bytes((checkout / inner).read_bytes())
        (folder / "data/shakespeare_char/input.txt").write_text(text, encoding="utf-8")  # so prepare.py fetches nothing
        (folder / "requests.py").write_text("")  # and needs no package for it
        (folder / "runner.py").write_text(runner)
        environment = {**os.environ, "PYTHONPATH": place}
        called([sys.executable, "data/shakespeare_char/prepare.py"], folder, environment)
        yield folder, environment


def called(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    """What a command prints. Where it fails, what it said is shown."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def nanogpt(checkout: Path, text: str, minutes: float, threads: int, device: str) -> None:
    """Train nanoGPT in its own words and print its line."""
    with prepared(checkout, text, RUNNER) as (folder, environment):

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
            return [float(word) for word in called(words, folder, environment).split("MEASURED")[1].split()]

        start = run(1)[2]
        each = (run(TRIAL)[2] - start) / TRIAL
        loss, count, seconds, parameters, steps = run(max(TRIAL, int(60 * minutes / each)))
        line("nanoGPT, its CPU setting", loss, int(count), parameters / 1e6, seconds - start, int(steps))


def speed(given: argparse.Namespace, text: str, options: dict[str, object]) -> None:
    """Tokens a second of both, in turn, and how many times as fast lamella is."""
    size = SIZES[given.size]
    window = given.window or registry.find("text-generation").Config().window
    batch = max(1, size.tokens // window)
    tokens = batch * window
    shape = {
        "n_layer": size.depth, "n_head": size.heads, "n_embd": size.width, "block_size": window, "batch_size": batch, "dropout": given.dropout or 0.0,
        "compile": False, "eval_iters": 1, "log_interval": 1000, "device": "cpu", "eval_interval": 10**6,
    }  # fmt: skip
    found: dict[str, list[list[float]]] = {"lamella": [], "nanoGPT": []}
    with prepared(given.nanogpt, text, SPEED) as (folder, environment):
        (folder / "ours.py").write_text(OURS)
        (folder / "data.txt").write_text(text, encoding="utf-8")

        def nano(steps: int, texts: int) -> list[float]:
            flags = [
                f"--{name}={value}" for name, value in {**shape, "max_iters": steps, "lr_decay_iters": steps}.items()
            ]
            words = [
                sys.executable,
                "runner.py",
                str(given.threads),
                str(texts),
                str(LENGTH),
                "config/train_shakespeare_char.py",
                *flags,
            ]
            return [float(word) for word in called(words, folder, environment).split("MEASURED")[1].split()]

        def own(steps: int, texts: int) -> list[float]:
            with tempfile.TemporaryDirectory() as out:
                words = [
                    sys.executable,
                    "ours.py",
                    "data.txt",
                    f"{out}/model",
                    str(steps),
                    str(given.threads),
                    str(texts),
                    str(LENGTH),
                ]
                words += [f"size={given.size}", *(f"{name}={value}" for name, value in options.items())]
                with_ours = {**environment, "PYTHONPATH": str(Path(__file__).parent.parent)}
                return [float(word) for word in called(words, folder, with_ours).split("MEASURED")[1].split()]

        for _ in range(given.rounds):
            for name, run in (("lamella", own), ("nanoGPT", nano)):
                short, (trained, parameters, *each) = run(SHORT, 0)[0], run(LONG, TEXTS)
                found[name].append(
                    [(LONG - SHORT) * tokens / (trained - short), LENGTH / statistics.median(each), parameters]
                )
    print(
        f"batches of {batch} windows of {window} characters, {given.threads} threads, processor seconds, medians of {given.rounds} rounds"
    )
    for name, rows in found.items():
        training, writing, parameters = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{name:10} {parameters / 1e6:.2f} million weights, training {training:8,.0f} tokens/s, writing {writing:6,.0f} tokens/s"
        )
    for place, what in enumerate(("training", "writing")):
        ratios = [a[place] / b[place] for a, b in zip(found["lamella"], found["nanoGPT"], strict=True)]
        print(f"{what}: {statistics.median(ratios):.2f} times nanoGPT's, {min(ratios):.2f} to {max(ratios):.2f}")


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
    parser.add_argument("--speed", action="store_true", help="measure tokens a second beside nanoGPT")
    parser.add_argument("--rounds", type=int, default=3, help="of --speed")
    given = parser.parse_args()
    options = {n: v for n in ("net", "cell", "window", "dropout") if (v := getattr(given, n)) is not None}
    text = given.data.read_text(encoding="utf-8")
    text = text[: int(len(text) * given.part)]
    if given.speed:
        speed(given, text, options)
        return
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
