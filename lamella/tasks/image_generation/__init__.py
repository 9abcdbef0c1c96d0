"""Draw pictures like those it was trained on, by label; complete a picture of which a region is missing.

A picture is taken for a grid of codes, 7 x 7 words out of a few hundred, and what is learned is which codes go together.
Training has two phases. First an autoencoder (van den Oord et al., 2017) learns the codes: an encoder, a quantiser
(`--quantizer`: FSQ, Mentzer et al., 2023, or VQ) and a decoder that gives each point a logistic distribution. Then a
Transformer learns to fill in missing codes (MaskGIT; Chang et al., 2022), with the label as one more token, so that
`--guidance` can make a picture more typical of it. Both losses are likelihoods, so one figure in bits tells how well both do.

    lamella train image-generation digits/ -o my-model --minutes 20
    lamella predict my-model --ask draw --label 7 -n 16 --seed 1 -o sheet.png
    lamella predict my-model --ask complete --image half.png --region bottom -n 4 -o completions.png
    lamella predict my-model digit.png                                  how likely it is, in nats
    lamella predict my-model digit.png --ask reconstruct -o seen.png    as its codes hold it
"""

import copy
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import metrics
from lamella.data.media.canvas import upright_size
from lamella.data.media.depths import WHITE, White
from lamella.data.media.drawing import FORMATS
from lamella.data.media.frames import note
from lamella.data.media.images import fingerprint, read_image, shape_of, white_of
from lamella.data.media.sheets import sheet
from lamella.decode import code_grid
from lamella.decode.likelihood import discrete_logistic
from lamella.errors import DataError
from lamella.fields import Gallery, Image, Label, Number, Region
from lamella.fields.region import mask_of
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Phase,
    Question,
    Scores,
    Task,
    Training,
)
from lamella.tasks.image_generation import drawing, kinds, memorisation
from lamella.tasks.image_generation import pictures as cells
from lamella.tasks.image_generation.labels import guessed

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LOOKED_AT = 200  # pictures from which size and channels are detected
LARGE = 40  # sides above this are halved three times and not twice
ANY = "any"  # the word for no label
NOW = {"when": "predict"}
DRAWN = NOW | {"asks": ("draw", "complete")}
FILLED = NOW | {"asks": ("likelihood", "draw", "complete")}


class Config(msgspec.Struct, kw_only=True):
    codebook_size: Annotated[int, Meta(description="Number of codes; fsq takes 64, 240 or 1000.", ge=64, le=8192)] = 240
    quantizer: Annotated[Literal["fsq", "vq"], Meta(description="How codes are made: rounded, or a table.")] = "fsq"
    image_size: Annotated[
        int, Meta(description="Side that pictures are scaled to; 0: detected.", ge=0, le=128, multiple_of=4)
    ] = 0
    translate: Annotated[
        float, Meta(description="Translate by up to this share of the side in training.", ge=0, lt=1)
    ] = 0.03
    flip: Annotated[bool, Meta(description="Flip half of the pictures left to right in training.")] = False
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1
    number: Annotated[
        int, Meta(description="Pictures to draw for each answer.", ge=1, le=1024, extra=DRAWN | {"short": "n"})
    ] = 1
    seed: Annotated[int, Meta(description="Random seed: the same seed, the same pictures.", ge=0, extra=DRAWN)] = 0
    passes: Annotated[
        int,
        Meta(description="Passes in which codes are filled in; more: better and slower.", ge=1, le=256, extra=FILLED),
    ] = 12
    temperature: Annotated[
        float, Meta(description="Sampling temperature; lower: more alike and safer.", ge=0, le=10, extra=DRAWN)
    ] = 1.0
    guidance: Annotated[
        float,
        Meta(
            description="Weight of the label; 1: as learned, more: more typical of it.",
            ge=0,
            le=20,
            extra=NOW | {"asks": ("draw",)},
        ),
    ] = 1.5


PICTURE = {"image": Image("A picture.")}
LIKELY = Number("Log-likelihood of the picture in nats, in bits for each value, and the picture as its codes hold it.")
LABEL = Label(f"What to draw: one of the labels, or {ANY}.")
REGION = Region(
    "Where to draw anew: top, bottom, left, right, a box left,top,right,bottom, or a mask that is white there."
)


def _findings(
    task: "ImageGeneration", graphs: Mapping[str, GraphLike], learn: Sequence[Example], held: Sequence[Example]
) -> list[str]:
    """How near drawn pictures are to training pictures, beside held-out ones."""
    labels = np.arange(1, len(task.labels_) + 1) if task.labels_ else np.zeros(1, np.int64)
    job = copy.copy(task)
    job.config = msgspec.structs.replace(task.config, number=-(-memorisation.DRAWN // len(labels)))
    codes = np.concatenate(job._drawn(graphs, labels))
    known = task.collate([{"pictures": task._read(e)} for e in learn[: memorisation.COMPARED]])["pictures"]
    unseen = task.collate([{"pictures": task._read(e)} for e in held[: memorisation.DRAWN]])["pictures"]
    kept = graphs["encode"](pictures=unseen)["codes"]
    drawn, seen = (memorisation.nearest(drawing.points(graphs, c).clip(0, 1), known) for c in (codes, kept))
    return [memorisation.line(drawn, seen, len(known))]


def _write(
    task: "ImageGeneration", suffix: str, examples: Sequence[Example], answers: Sequence[Answer]
) -> bytes | None:
    """All pictures of the answers on one sheet."""
    made = [one for answer in answers for one in (answer if isinstance(answer, list) else [answer])]
    if suffix not in FORMATS or not all(isinstance(one, str) for one in made):
        return None
    return sheet(made, suffix)


class ImageGeneration(Task):
    fields = PICTURE
    answer = LIKELY
    questions = {
        "likelihood": Question(PICTURE, LIKELY, "How likely a picture is."),
        "draw": Question({"label": LABEL}, Gallery("New pictures."), "New pictures, of a label or of any."),
        "complete": Question(
            {**PICTURE, "region": REGION}, Gallery("The picture, completed."), "A region of a picture drawn anew."
        ),
        "reconstruct": Question(PICTURE, Image("The picture made from its codes."), "A picture as its codes hold it."),
    }
    target = "image"
    metric = "bits_per_dim"
    output = Output(write=_write, note=note)
    training = Training(
        nets=("vae", "transformer"),
        generative=True,
        noun="pictures",
        batch=64,
        keep_best=True,
        phases=(Phase("codes", 0.3, ("codes.", "reader.")), Phase("prior", 0.7, ("prior.",))),
        quick={"passes": 4},
        findings=_findings,
        less_is_better=True,
    )

    labels_: list[str]  # none where pictures have no labels, or all the same one
    side_: int
    channels_: int
    white_: White = WHITE  # the value of white in pictures of 16 bits
    # `kinds.Kinds`; none in a model of before there were kinds, whose prior knows labels.
    kind_labels_: list[int] = []
    kind_counts_: list[int] = []
    kind_means_: bytes = b""

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.pictures import read_pictures

        return read_pictures(paths, columns)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.image_generation import shapes

        return [{"image": picture, "label": label} for picture, label in shapes(split)]

    def given(self, example: Example) -> Example:
        given = {"label": ANY, "region": "bottom", **example}
        return {name: given[name] for name in self.fields}

    def keys(self, example: Example) -> list[str]:
        return [fingerprint(example["image"])]

    def fit(self, examples: Sequence[Example]) -> None:
        labels = sorted({e["label"] for e in examples if e.get("label")})
        self.labels_ = labels if len(labels) > 1 else []
        pictures = [e["image"] for e in examples[:: max(1, len(examples) // LOOKED_AT)]]
        self.white_ = white_of(pictures)
        side, self.channels_ = shape_of(pictures, white=self.white_)
        # Whole cells of 4 or 8 points: what is read is stretched by a few points at most.
        side = self.config.image_size or side
        self.side_ = side if side <= LARGE else -(-side // 8) * 8
        first = fingerprint(pictures[0])
        if all(fingerprint(picture) == first for picture in pictures):
            raise DataError("expected pictures that differ, received the same one again and again. Add others.")
        known = [kinds.small(e["image"], self.channels_, self.white_) for e in examples]
        ids = np.array([self._known(e) for e in examples])
        self.kind_labels_, self.kind_counts_, self.kind_means_ = kinds.find(np.stack(known), ids, len(self.labels_))

    @property
    def kinds(self) -> kinds.Kinds:
        return kinds.Kinds(self.kind_labels_, self.kind_counts_, self.kind_means_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    @property
    def halvings(self) -> int:
        return 3 if self.side_ > LARGE else 2

    @property
    def grid(self) -> int:
        """Cells of the grid of codes along a side."""
        return int(self.side_ // 2**self.halvings)

    def inputs(self, example: Example) -> Arrays:
        if self.state.asked == "draw":
            return {"label": np.array(self._label(example["label"]))}
        points = read_image(example["image"], self.side_, self.channels_, self.white_)
        if self.state.asked != "complete":
            return {"pictures": points}
        mask = mask_of(example["region"], *upright_size(example["image"]))
        # A point is hidden where anything that is scaled into it is.
        hidden = read_image(np.where(mask, 255, 0).astype(np.uint8), self.side_, 1) > 0
        return {"pictures": points, "hidden": hidden[0].astype(np.uint8)}

    def _label(self, name: Any) -> int:
        """The id of a label; 0 for any."""
        name = str(name)
        if name == ANY and ANY not in self.labels_:
            return 0
        if name not in self.labels_:
            known = ", ".join([*self.labels_[:50], ANY])
            raise DataError(f"label: expected one of {known}, received {name[:60]!r}.")
        return self.labels_.index(name) + 1

    def _known(self, example: Example) -> int:
        """The id of a label of the training; 0 where there is none, or one that it does not know."""
        label = example.get("label")
        return self.labels_.index(label) + 1 if label in self.labels_ else 0

    def prompt(self, example: Example) -> Arrays:
        """The kind, which the prior is given in training as a label; 0 where there is none."""
        label = self._known(example)
        if not self.kind_labels_ or (self.labels_ and not label):
            return {"label": np.array(label)}
        row = kinds.small(example["image"], self.channels_, self.white_)
        return {"label": np.array(kinds.nearest(row, label, self.kinds))}

    def targets(self, example: Example) -> Arrays:
        return {}  # the pictures themselves

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        batch = super().collate(rows)
        if "pictures" in batch:  # kept in one byte a point
            batch["pictures"] = batch["pictures"].astype(np.float32) / np.float32(255)
        return batch

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        from lamella.nets.augment import move_pictures, random_affine

        c, pictures = self.config, batch["pictures"]
        if not c.translate and not c.flip:
            return batch
        matrices = random_affine(len(pictures), rng, c.translate, flip_across=c.flip)
        # By whole points: a picture between two grids of points is soft, and so would be what is drawn.
        matrices[:, :, 2] = (matrices[:, :, 2] * self.side_ / 2).round() * 2 / self.side_
        return {**batch, "pictures": move_pictures(pictures, matrices, "border")}

    def build(self) -> "nn.Module":
        from lamella.nets.vae.generator import Generator

        c, size = self.config, self.size
        shape = self.channels_, self.side_, self.halvings, len(self.kind_labels_ or self.labels_)
        return Generator(*shape, size.width, size.depth, size.heads, c.dropout, c.quantizer, c.codebook_size)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        if "likely" in outputs:  # the prior's phase: nats a missing code
            missing = outputs["missing"].float()
            return -(outputs["likely"] * missing).sum() / missing.sum()
        from lamella.nets.vae.losses import discrete_logistic as likelihood

        likely = likelihood(outputs["values"], outputs["log_scale"], targets["pictures"].float())
        read = outputs["read"].mean() if "read" in outputs else 0.0  # the weights of what reads labels are its own
        return outputs["commitment"] - likely.mean() - read

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        if self.state.asked == "draw":
            return [cells.as_pngs(drawing.points(graphs, codes)) for codes in self._drawn(graphs, inputs["label"])]
        if self.state.asked == "complete":
            return self._completed(graphs, inputs["pictures"], inputs["hidden"])
        codes = graphs["encode"](pictures=inputs["pictures"])["codes"]
        made = graphs["decode"](codes=codes)
        shown = cells.as_pngs(made["values"])
        if self.state.asked == "reconstruct":
            return list(shown)
        points = discrete_logistic(made["values"], made["log_scale"], inputs["pictures"])
        anywhere = partial(drawing.predict, graphs, np.zeros(len(codes), np.int64), guidance=1.0)
        likely = code_grid.log_likelihood(anywhere, codes, self.config.passes)
        totals = points.reshape(len(codes), -1).sum(axis=1) + likely.sum(axis=1)
        return [self._answer(total, uri) for total, uri in zip(totals, shown, strict=True)]

    def _answer(self, total: float, shown: str) -> Answer:
        """A log-likelihood in nats, the same in bits a value, and the picture as its codes hold it."""
        bits = -float(total) / math.log(2) / (self.channels_ * self.side_**2)
        return {"log_likelihood": round(float(total), 3), "bits_per_dim": round(bits, 5), "reconstruction": shown}

    def _drawn(self, graphs: Mapping[str, GraphLike], labels: Array) -> list[Array]:
        """Labels (B,), 0 for any -> `number` rows of codes for each."""
        c = self.config
        begun = [
            [kinds.chosen(int(label), [c.seed, i], self.kinds, c.temperature) for i in range(c.number)]
            for label in labels
        ]
        empty = np.full((len(labels), self.grid**2), code_grid.MISSING)
        return drawing.drawn(graphs, empty, np.array(begun), c, self.kind_labels_, c.guidance)

    def _completed(self, graphs: Mapping[str, GraphLike], pictures: Array, hidden: Array) -> list[Answer]:
        """Pictures (B, C, S, S) with hidden points drawn anew; what was seen stays as it was, point for point."""
        seen = cells.painted(pictures, hidden)
        codes = graphs["encode"](pictures=seen)["codes"]
        codes = np.where(cells.cells_of(hidden, self.grid), code_grid.MISSING, codes)
        label = guessed(graphs, seen, hidden, codes, self.kinds, len(self.labels_), self.config)
        answers = []
        made = drawing.drawn(graphs, codes, label, self.config)  # unguided: what is seen is the guide of a completion
        for picture, gone, drawn in zip(pictures, hidden, made, strict=True):
            answers.append(cells.as_pngs(np.where(gone[None, None] != 0, drawing.points(graphs, drawn), picture[None])))
        return answers

    # ---- explanations ------------------------------------------------------------------------------------------

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """By regions: how well the picture is known by the codes of what is left of it, or why codes were drawn there."""
        if self.state.asked in ("draw", "complete"):
            return self._focus_drawn(graphs, inputs, answer[0])
        names, region = cells.regions(self.grid)
        picture = answer if isinstance(answer, str) else answer["reconstruction"]
        shown = read_image(picture, self.side_, self.channels_)[None] / np.float32(255)
        made = graphs["decode"](**graphs["encode"](pictures=inputs["pictures"]))
        points = discrete_logistic(made["values"], made["log_scale"], np.repeat(shown, len(made["values"]), axis=0))
        values = cells.by_region(cells.by_cell(points, self.grid), region, names)
        return Focus("log-likelihood in nats of the picture by the codes of what is left", values, names)

    def _focus_drawn(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: str) -> Focus:
        """The log-probability of the codes of a drawn picture, given the label or the rest of the picture as it is now."""
        names, region = cells.regions(self.grid)
        shown = read_image(answer, self.side_, self.channels_)[None].astype(np.float32) / 255
        codes = graphs["encode"](pictures=shown)["codes"]
        if self.state.asked == "draw":
            codes = np.repeat(codes, len(inputs["label"]), axis=0)
            begun = drawing.begun(graphs, shown, inputs["label"], self.kind_labels_)
            likely = code_grid.log_likelihood(
                partial(drawing.predict, graphs, begun, guidance=self.config.guidance),
                codes,
                self.config.passes,
            )
        else:
            gone = cells.cells_of(inputs["hidden"], self.grid)
            seen = graphs["encode"](pictures=cells.painted(inputs["pictures"], inputs["hidden"]))["codes"]
            anywhere = np.zeros(len(seen), np.int64)
            every = drawing.predict(graphs, anywhere, np.where(gone, code_grid.MISSING, seen), 1.0)
            wanted = np.repeat(codes, len(seen), axis=0)
            likely = np.take_along_axis(every, wanted[:, :, None], axis=2)[:, :, 0] * gone
        return Focus("log-probability of what was drawn", cells.by_region(likely, region, names), names)

    # ---- scores ------------------------------------------------------------------------------------------------

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """How likely pictures are around the mean picture, with the scale that fits best."""
        known = self.collate([{"pictures": self._read(e)} for e in learn[:: max(1, len(learn) // 1000)]])["pictures"]
        mean = known.mean(axis=0, keepdims=True)
        spread = np.log(max(1e-3, float(np.abs(known - mean).mean())))
        wanted = self.collate([{"pictures": self._read(e)} for e in examples])["pictures"]
        scale = np.full(len(wanted), spread)
        likely = discrete_logistic(np.repeat(mean, len(wanted), axis=0), scale, wanted)
        [shown] = cells.as_pngs(mean)
        return [self._answer(row.sum(), shown) for row in likely]

    def _read(self, example: Example) -> Array:
        return read_image(example["image"], self.side_, self.channels_, self.white_)

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        return metrics.bits_per_dim([a["log_likelihood"] for a in answers], self.channels_ * self.side_**2)

    def render(self, answer: Answer) -> str:
        if isinstance(answer, list | str):
            count = len(answer) if isinstance(answer, list) else 1
            return f"{count} picture{'s' * (count > 1)} of {self.side_} x {self.side_} points; -o FILE.png keeps them"
        return f"{answer['log_likelihood']:.1f} nats, {answer['bits_per_dim']:.3f} bits a value"
