"""Map each example to a few numbers: a map of pictures or of rows of a table, and new ones decoded from it.

The net is a variational autoencoder (Kingma and Welling, 2014; Rezende et al., 2014). The encoder maps an example to a
normal distribution over a few latent variables; the decoder reconstructs the example from a sample of it. Principal
components do the same linearly; a nonlinear encoder and decoder need fewer numbers for the same error. `--kl-weight`
pulls the distributions towards one standard normal, so that points between two examples decode to something plausible.
The variance of the decoder is not set but takes the value that fits best (Rybkin et al., 2021). With `--likelihood
bernoulli` pixels are black or white, and the answer holds a bound on the log-likelihood in nats, by importance sampling
(Burda et al., 2016).

Pictures get a convolutional net, rows of numbers and categories a dense one: numbers are standardised, categories one-hot
encoded, missing values replaced by the mean and left out of the score. In prediction, `--make` chooses the answer:

    lamella predict my-model digit.png                                  its point, and the reconstruction error
    lamella predict my-model 7 --make samples -o samples.svg            new examples, by a seed
    lamella predict my-model a.png --make line --other b.png -o line.svg
    lamella predict my-model rows.csv --make map -o map.svg             or a folder of pictures
    lamella predict my-model rows.csv --make map --colour-by species -o map.svg
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import metrics
from lamella.data.media import gallery
from lamella.data.media.depths import WHITE, White
from lamella.data.media.images import white_of
from lamella.data.readers import measures
from lamella.data.readers.suffixes import TABLES
from lamella.decode.likelihood import importance_bounds
from lamella.errors import UsageError
from lamella.fields import Field, Id, Image, Row, Vector
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Run,
    Scores,
    Task,
    Training,
    as_learned,
)
from lamella.tasks.dimensionality_reduction import examples as kinds

if TYPE_CHECKING:
    from torch import Tensor, nn

MAKES = "Samples take a seed, a line takes --other too, a map takes a table."
NOW = {"when": "predict"}


class Config(msgspec.Struct, kw_only=True):
    latent_size: Annotated[
        int, Meta(description="Number of latent variables.", ge=1, le=1024, extra={"was": "dims"})
    ] = 2
    kl_weight: Annotated[float, Meta(description="Weight of the KL term (beta).", ge=0, extra={"was": "beta"})] = 1.0
    likelihood: Annotated[
        Literal["gaussian", "bernoulli"], Meta(description="Of pixels: shades, or black and white.")
    ] = "gaussian"
    net: Annotated[Literal["found", "conv", "dense"], Meta(description="found: dense for rows, conv for pictures.")] = (
        "found"
    )
    image_size: Annotated[
        int, Meta(description="Side that pictures are scaled to; 0: detected.", ge=0, le=256, extra={"was": "side"})
    ] = 0
    decimal: Annotated[Literal["", ".", ","], Meta(description="Decimal mark (default: detected).", extra=NOW)] = ""
    leave_out: Annotated[str, Meta(description="Columns to ignore, separated by commas; none: keep all.")] = ""
    make: Annotated[Literal["answer", "samples", "line", "map"], Meta(description=MAKES, extra=NOW)] = "answer"
    colour_by: Annotated[
        str, Meta(description="Column that colours a map; of pictures folder, the folder that each is in.", extra=NOW)
    ] = ""
    other: Annotated[str, Meta(description="The other end of a line.", extra=NOW | {"holds": "value"})] = ""
    importance_samples: Annotated[
        int,
        Meta(description="Samples for the bound on the likelihood.", ge=1, le=10_000, extra=NOW | {"was": "draws"}),
    ] = 100


def _document(
    task: "DimensionalityReduction", path: Path, run: Run, columns: Choice = None
) -> tuple[bytes, dict[str, int]] | None:
    """With `--make map`: a table or a folder -> the map of its examples, as SVG."""
    if task.config.make != "map":
        return None
    rows = [{"example": row} for row in measures.read_rows([str(path)])[0]] if task.columns_ else []
    examples = rows or task.read([str(path)], columns)[0]
    by = kinds.column(task.config.colour_by, [e["example"] for e in examples])
    points = [answer["point"] for answer in run(examples)]
    pictures = [] if by else kinds.seen(task.kind, (e["example"] for e in examples))
    return gallery.scatter(points, pictures, *(gallery.colours_of(by) if by else ())).encode(), {"rows": len(points)}


class DimensionalityReduction(Task):
    answer = Vector("The example's point, its reconstruction, and the reconstruction error.")
    target = "example"
    metric = "error"
    output = Output(suffixes=TABLES, document=_document)
    training = Training(nets=("vae",), batch=128, muon=False, quick={"importance_samples": 1}, less_is_better=True)

    shape_: list[int]  # of the arrays: channels, side, side for pictures, else values
    columns_: list[dict[str, Any]]  # of a table; empty for pictures
    white_: White = WHITE  # of pictures of 16 bits
    middle: Array | None = None  # mean of the arrays; stored in the net, so not among what is learned

    @as_learned({"example": Image("A picture; or a row, of a model that was trained on a table.")})
    def fields(self) -> Mapping[str, Field]:
        if self.config.make == "samples":
            return {"example": Id("A seed, such as 7: the same seed, the same new ones.")}
        if getattr(self, "columns_", None):
            return {"example": Row("A row: a value for each column.", tuple(self.columns_))}
        return {"example": Image("A picture.")}

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        c = self.config
        leave_out = [name.strip() for name in c.leave_out.split(",") if name.strip()]
        values, lines = kinds.read(paths, columns, getattr(self, "columns_", None), c.decimal, leave_out)
        return [{"example": value} for value in values], lines

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.dimensionality_reduction import rings

        return [{"example": uri} for uri in rings(split)]

    def keys(self, example: Example) -> list[str]:
        return [kinds.key(example["example"])]

    def fit(self, examples: Sequence[Example]) -> None:
        self.shape_, self.columns_ = kinds.learn([e["example"] for e in examples], self.config.image_size)
        for option, wrong in (("net", "conv"), ("likelihood", "bernoulli")):
            if self.columns_ and getattr(self.config, option) == wrong:
                raise UsageError(f"--{option} {wrong}: is for pictures, and these are rows of a table. Leave it out.")
        if not self.columns_:
            self.white_ = white_of([e["example"] for e in examples[:: max(1, len(examples) // kinds.LOOKED_AT)]])
        self.middle = kinds.mean(self.kind, (e["example"] for e in examples))

    @property
    def kind(self) -> kinds.Pictures | kinds.Rows:
        binary = self.config.likelihood == "bernoulli"
        return (
            kinds.Rows(self.columns_, self.config.decimal)
            if self.columns_
            else kinds.Pictures(self.shape_, binary, self.white_)
        )

    def inputs(self, example: Example) -> Arrays:
        if self.config.colour_by and self.config.make != "map":
            raise UsageError(f"--colour-by {self.config.colour_by}: expected --make map beside it.")
        if self.config.make == "samples":
            return {"seed": np.array(kinds.seed(example["example"]))}
        other = {"other": self.kind.array(self.config.other)[0]} if self.config.make == "line" else {}
        return {"x": self.kind.array(example["example"])[0], **other}

    def targets(self, example: Example) -> Arrays:
        wanted, known = self.kind.array(example["example"])
        return {"wanted": wanted, "known": known} if self.columns_ else {"wanted": wanted}

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        return {name: kinds.shades(array) for name, array in super().collate(rows).items()}  # kept in one byte

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        from lamella.nets.vae.autoencoder import VAE

        dense, size = self.config.net == "dense" or bool(self.columns_), self.size
        shape, channels = tuple(self.shape_), size.width // 12
        net = VAE(
            shape, self.config.latent_size, size.width, size.depth, channels, dense=dense, bounded=not self.columns_
        )
        return net if self.middle is None else net.begin_at(self.middle)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.vae.autoencoder import FAR
        from lamella.nets.vae.losses import negative_bound

        wanted, cloud = targets["wanted"], (outputs["mean"], outputs["log_variance"])
        wanted = wanted.clamp(-FAR, FAR) if self.columns_ else wanted  # as the encoder sees them
        known = targets.get("known")
        return negative_bound(outputs["values"], *cloud, wanted, known, self.kind.binary, self.config.kl_weight)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        if "seed" in inputs:
            places = kinds.normal(inputs["seed"], self.config.latent_size)
            return [{"points": z.round(4).tolist(), "samples": self._made(graphs, z)} for z in places]
        cloud = graphs["encode"](x=inputs["x"])
        if "other" in inputs:
            places = kinds.between(cloud["mean"], graphs["encode"](x=inputs["other"])["mean"])
            return [{"points": z.round(4).tolist(), "line": self._made(graphs, z)} for z in places]
        values = graphs["decode"](z=cloud["mean"])["values"]
        errors = np.square(values - inputs["x"]).reshape(len(values), -1).mean(axis=1)
        points = cloud["mean"].astype(float).round(4).tolist()
        rounded = errors.astype(np.float64).round(6).tolist()
        made: Sequence[Any] = self.kind.examples(values)
        parts = zip(points, made, rounded, strict=True)
        answers: list[Answer] = [{"point": p, "reconstruction": v, "error": e} for p, v, e in parts]
        if self.kind.binary:
            bounds = importance_bounds(graphs["decode"], inputs["x"], **cloud, draws=self.config.importance_samples)
            answers = [{**answer, "bound": round(bound, 2)} for answer, bound in zip(answers, bounds, strict=True)]
        return answers

    def _made(self, graphs: Mapping[str, GraphLike], z: Array) -> list[Any]:
        made: list[Any] = self.kind.examples(graphs["decode"](z=z.astype(np.float32))["values"])
        return made

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        if "point" not in answer:
            raise UsageError(f"--make {self.config.make}: only a point can be explained. Leave it out.")
        away = graphs["encode"](x=inputs["x"])["mean"] - np.array(answer["point"])  # (B, Z)
        details = partial(self._details, graphs, inputs, answer)
        return Focus("closeness to the point, minus the distance", -np.linalg.norm(away, axis=1), details=details)

    def _details(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> dict[str, Any]:
        """Reconstructions on a grid over the first two latent variables, the others unchanged."""
        places, z = kinds.lattice(answer["point"])
        made = [self._made(graphs, row) for row in z]
        return {"kind": "plane", "point": answer["point"], "places": places, "made": made}

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        made = self.kind.example(kinds.mean(self.kind, (e["example"] for e in learn)))
        return [{"point": [0.0] * self.config.latent_size, "reconstruction": made, "error": 0.0} for _ in examples]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        errors = [self.kind.errors(e["example"], a["reconstruction"]) for a, e in zip(answers, examples, strict=True)]
        return metrics.reconstructions(errors, [a["bound"] for a in answers if "bound" in a])

    def render(self, answer: Answer) -> str:
        if "point" in answer:
            return f"{' '.join(f'{x:g}' for x in answer['point'])} (error {answer['error']:.4g})"
        if self.columns_:
            return msgspec.json.encode(answer.get("samples") or answer["line"]).decode()
        return gallery.sheet(gallery.square(answer["samples"]) if "samples" in answer else [answer["line"]])
