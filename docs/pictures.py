"""Make the pictures of the pages about tasks: by the product's own commands, from models trained for seconds on samples.

    python -m docs.pictures                          all, into docs/pictures/; minutes on one core
    python -m docs.pictures image-classification     one

Each page shows its picture and the command that drew it. Reports are HTML pages; Chromium turns them into pictures.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "pictures"
CHROMIUM = next((name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), "chromium")

# task: what is drawn, after `lamella`, with the model's place as MODEL; steps of its training (0: a shipped model); height
PICTURES: dict[str, tuple[list[str], int, int]] = {
    "translation": (["explain", "en-fr", "The cat sleeps on the old chair."], 0, 940),
    "text-classification": (["explain", "MODEL", "The kettle is not lovely, but the lid works well."], 200, 740),
    "text-generation": (["explain", "MODEL", "The old king", "--seed", "1"], 150, 640),
    "image-classification": (["explain", "MODEL", "sample"], 120, 810),
    "image-generation": (["explain", "MODEL", "sample"], 150, 900),
    "time-series-forecasting": (["explain", "MODEL", "sample"], 120, 910),
    "fill-mask": (["explain", "MODEL", "At night the old ___ hunts moths in the forest."], 150, 740),
    "recommendation": (
        ["explain", "MODEL", "Orbit, Part One; Comet, Part One; Meadow, Part One; Bread, Part One"],
        90,
        1180,
    ),
    "summarization": (
        [
            "explain",
            "MODEL",
            "Dear neighbours and guests of our town. The zoo in River Walk will stay closed on Sunday because of illness. "
            "Mr Brown thanks everybody for their help.",
        ],
        150,
        1130,
    ),
    "speech-recognition": (["explain", "MODEL", "sample"], 120, 860),
    "link-prediction": (["explain", "MODEL", "Jon Hazel", "grandparent of"], 120, 915),
    "sentence-similarity": (["explain", "MODEL", "A doctor mends the bicycle.", "A medic repairs the bike."], 150, 900),
    "dimensionality-reduction": (["predict", "MODEL", "7", "--make", "samples"], 200, 0),
}


def lamella(*args: str) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    subprocess.run([sys.executable, "-m", "lamella", *args], cwd=ROOT, env={**os.environ, **threads}, check=True)


def draw(task: str, folder: Path) -> None:
    """The picture of one task, as docs/pictures/TASK.png, or .svg where that is what the command writes."""
    command, steps, height = PICTURES[task]
    model = str(folder / task)
    if steps:
        lamella("train", task, "sample", "-o", model, "--size", "tiny", "--steps", str(steps), "--threads", "1")
    words = [model if word == "MODEL" else word for word in command]
    if not height:
        lamella(*words, "-o", str(OUT / f"{task}.svg"), "--force")
        return
    report = folder / f"{task}.html"
    lamella(*words, "-o", str(report))
    shot = [f"--screenshot={OUT / task}.png", f"--window-size=900,{height}", "--hide-scrollbars"]
    subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *shot, report.as_uri()], check=True)


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for name in sys.argv[1:] or PICTURES:
            draw(name, Path(place))
