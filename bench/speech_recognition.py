"""Speech from a random start: spoken digits, one English voice, one German voice, beside pocketsphinx.

    python -m bench.speech_recognition digits FOLDER                    FSDD, recordings 0 to 4 of each speaker held out
    python -m bench.speech_recognition digits FOLDER --speaker theo     all recordings of one speaker held out
    python -m bench.speech_recognition voice FOLDER --minutes 60        a voice, a tenth of its sentences held out
    ... --python ENVIRONMENT/bin/python                                 pocketsphinx 5 of that environment, on the same recordings

FOLDER of digits holds `recordings/` of the Free Spoken Digit Dataset (CC BY-SA 4.0), or zips of it. FOLDER of a voice holds
`wavs/` and `metadata.csv` as LJSpeech has them, or zips of these: rhasspy's Kathleen and Kerstin (CC0). No sentence is both
learned and measured. `--lm text.txt` gives a text for the language model besides.

Seconds are of processor time and count reading, watching and export; the real-time factor is processor seconds for a second of
sound. Set OMP_NUM_THREADS=1, so that threads that wait for each other are not counted.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import lamella
from lamella.data.media.sounds import read_sound, seconds_of
from lamella.data.media.wave import write_wave
from lamella.data.readers.speech import read_speech
from lamella.metrics.speech import recognition
from lamella.tasks.speech_recognition.spelling import normalise
from lamella.verbs.compress import graphs_size

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
HELD_OUT = 10  # one sentence of so many
PEER = Path(__file__).with_name("speech_recognition_peer.py")
Rows = list[dict[str, Any]]


def unpacked(folder: Path, into: Path) -> Path:
    """The folder itself, or one with the content of its zips."""
    if (folder / "recordings").is_dir() or (folder / "metadata.csv").is_file():
        return folder
    for file in [folder] if folder.suffix == ".zip" else sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(into)
    return into


def digits(folder: Path, speaker: str) -> tuple[Rows, Rows]:
    """What to learn and what to measure; by the data set's own rule, or a whole speaker."""
    sides: tuple[Rows, Rows] = [], []
    for path in sorted((folder / "recordings").iterdir()):
        digit, who, take = path.stem.split("_")
        held = who == speaker if speaker else int(take) < 5
        sides[held].append({"audio": str(path), "text": DIGITS[int(digit)]})
    return sides


def voice(folder: Path) -> tuple[Rows, Rows]:
    """A voice's recordings; those of a tenth of its sentences, by their hash, are measured."""
    rows, lines = read_speech([folder])
    print(*lines, sep="\n")
    sides: tuple[Rows, Rows] = [], []
    for row in rows:
        mark = int(hashlib.sha256(normalise(row["text"]).encode()).hexdigest(), 16)
        sides[mark % HELD_OUT == 0].append(row)
    return sides


def manifest(rows: Rows, place: Path) -> str:
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(place)


def told(name: str, answers: list[str], wanted: list[str], seconds: float, heard: float) -> None:
    scores = recognition(answers, wanted).values
    figures = "  ".join(f"{key} {value:.4f}" for key, value in scores.items())
    print(
        f"{name}: {figures}  real-time factor {seconds / max(heard, 1e-9):.4f} ({len(wanted)} recordings)", flush=True
    )


def peer(python: str, rows: Rows, words: str, place: Path) -> tuple[list[str], float]:
    """pocketsphinx's answers to the same recordings at 16 kHz, and its processor seconds."""
    files = []
    for i, row in enumerate(rows):
        path = place / f"{i}.wav"
        path.write_bytes(write_wave(read_sound(row["audio"], 16000).samples, 16000))
        files.append(str(path))
    done = subprocess.run([python, PEER, words, *files], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return [normalise(text) for text in found["texts"]], float(found["seconds"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["digits", "voice"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--speaker", default="", help="of the digits: hold out all of one speaker")
    parser.add_argument("--minutes", type=float, help="default: 5 for digits, 60 for a voice")
    parser.add_argument("--steps", type=int, help="in the place of minutes")
    parser.add_argument("--size", default="", help="default: tiny for digits, small for a voice")
    parser.add_argument("--net", default="cnn")
    parser.add_argument("--lm", default="", help="a text for the language model")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="keep the model here, and measure it again where it is there")
    parser.add_argument("--python", default="", help="of an environment with pocketsphinx")
    parser.add_argument("--most", type=int, default=10**6, help="recordings that are measured")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        data = unpacked(args.folder, home / "data")
        learn, held = digits(data, args.speaker) if args.what == "digits" else voice(data)
        held = held[:: max(1, len(held) // args.most)]
        place = args.out or home / "model"
        if not (place / "model.json").is_file():
            start = time.process_time()
            minutes = args.minutes or (5.0 if args.what == "digits" else 60.0)
            budget = {"steps": args.steps} if args.steps else {"minutes": minutes}
            how = {"seed": args.seed, "threads": 1, "net": args.net, "lm": args.lm, **budget}
            lamella.train(
                "speech-recognition",
                manifest(learn, home / "learn.jsonl"),
                test=[manifest(held, home / "held.jsonl")],
                out=str(place),
                size=args.size or ("tiny" if args.what == "digits" else "small"),
                **how,
            )
            print(f"trained in {time.process_time() - start:.0f} CPU seconds", flush=True)
        wanted = [normalise(row["text"]) for row in held]
        heard = sum(seconds_of(row["audio"]) for row in held)
        words = ",".join(DIGITS) if args.what == "digits" else ""
        model = lamella.load(place)
        measure(model, held, wanted, heard, words)
        small = lamella.compress(str(place), str(home / "small"), tolerance=0.05)
        measure(small, held, wanted, heard, words)
        if args.python:
            texts, seconds = peer(args.python, held, words, home)
            told("pocketsphinx", texts, wanted, seconds, heard)


def measure(model: lamella.Model, held: Rows, wanted: list[str], heard: float, words: str) -> None:
    """Greedy, with the language model, and with the list of words where there is one."""
    size = f"{model.manifest.precision}, {graphs_size(model.files) / 1e6:.2f} MB"
    ways: dict[str, dict[str, Any]] = {"greedy": {"beams": 1}, "with the language model": {}}
    if words:
        ways["with the list of words"] = {"words": words}
    for name, options in ways.items():
        start = time.process_time()
        answers = lamella.predict(model, *(row["audio"] for row in held), **options)
        told(f"lamella, {name}, {size}", [a["text"] for a in answers], wanted, time.process_time() - start, heard)


if __name__ == "__main__":
    sys.exit(main())
