"""Describe pictures in words, and find pictures by words and words by pictures.

One picture encoder has two text heads (as CoCa; Yu et al., 2022). The captioner is the decoder of a Transformer (Vaswani
et al., 2017): it writes a caption token by token, looks at the patches of the picture at each, and a beam search looks
for the likeliest whole. For search the encoder gives a picture as one vector, a text encoder gives a text as another, and
the sigmoid loss of SigLIP (Zhai et al., 2023) moves those together that belong together.

A picture may have several captions: in training one of them is drawn each time, in scoring all are references, and no
picture stands on both sides of a split. Pictures and captions come as a table, as Flickr8k's token file, as COCO's
captions, or as a folder with a `.txt` beside each picture.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from lamella import decode, metrics
from lamella.data.media import frames
from lamella.data.media.depths import WHITE, White
from lamella.data.media.images import even, fingerprint, read_image, shape_of, white_of
from lamella.data.text.pieces import END, START, UNKNOWN, Pieces, learn, normalise
from lamella.errors import DataError, UsageError
from lamella.fields import Image, Matches, Text, Vector
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Question,
    Run,
    Scores,
    Task,
    Training,
    Transfer,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LARGEST, MULTIPLE = 112, 16  # side of the net's picture where nothing else is asked for, and what it is a multiple of
LOOKED_AT, LEARNED_FROM = 200, 200_000  # pictures that tell size and colour of all; captions for the vocabulary
POWER = 1.0  # a caption is as good as its pieces are on average (Wu et al., 2016)
CAPTION = ("", "caption")  # the question that is scored
PREDICT = {"when": "predict"}
SEARCH = PREDICT | {"asks": ("pictures", "texts")}


class Config(msgspec.Struct, kw_only=True):
    elsewhere: ClassVar[Mapping[str, str]] = {
        "labels": "Pictures without captions are learned from by lamella train image-classification FOLDER --labels none --net captions "
        "-o vectors, and this training begins from them with --init vectors."
    }
    image_size: Annotated[
        int,
        Meta(description="Side that pictures are scaled to; 0: theirs, at most 112.", ge=0, le=256, multiple_of=16),
    ] = 0
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size, at most.", ge=50)] = 4000
    max_length: Annotated[int, Meta(description="Pieces of a caption that are read and written.", ge=4, le=256)] = 40
    decoder_depth: Annotated[int, Meta(description="Layers of the captioner; others are set by --size.", ge=1)] = 2
    contrastive_weight: Annotated[
        float, Meta(description="Weight of the loss of retrieval, that of captions being 1; 0: no retrieval.", ge=0)
    ] = 0.5
    label_smoothing: Annotated[float, Meta(description="Label smoothing of captions.", ge=0, lt=1)] = 0.1
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1
    translate: Annotated[
        float, Meta(description="Translate pictures by up to this share of the side in training.", ge=0, lt=1)
    ] = 0.05
    scale: Annotated[float, Meta(description="Scale pictures by up to this share in training.", ge=0, lt=1)] = 0.1
    brightness: Annotated[
        float, Meta(description="Share that brightness and contrast change by in training.", ge=0, lt=1)
    ] = 0.1
    flip: Annotated[
        bool, Meta(description="Mirror half of the pictures in training; not where captions say left or right.")
    ] = False
    beams: Annotated[
        int,
        Meta(description="Beam size of the search; 1 is fastest.", ge=1, le=8, extra=PREDICT | {"asks": ("caption",)}),
    ] = 3
    top: Annotated[int, Meta(description="Pictures or texts to find.", ge=1, le=1000, extra=SEARCH)] = 5
    vectors: Annotated[
        bool, Meta(description="Give the picture's vector beside its caption.", extra=PREDICT | {"asks": ("caption",)})
    ] = False


PICTURE = {"image": Image("The picture to describe.")}
WORDS = {"text": Text("What a picture shows.", written=True)}
WRITTEN = Text("What the picture shows, in words.")


class FromPictures(Transfer["ImageToText"]):
    """From a net that learned pictures without labels too."""

    begun = msgspec.to_builtins(Config())  # of a net that learned pictures alone no option is taken over

    def adopt(self, task: "ImageToText", other: Task, weights: Arrays) -> Arrays:
        """All of a captioner; of a net that learned pictures without labels its encoder, with side and scale of its pictures."""
        if not other.transfer.headless(other):
            return super().adopt(task, other, weights)
        encoder = {n.removeprefix("net."): array for n, array in weights.items() if n.startswith("net.encoder.")}
        channels, side = getattr(other, "channels_", 0), getattr(other, "side_", 0)
        if not encoder or channels != task.channels_:
            was = f"one of {channels} channels" if encoder else "another one"
            raise UsageError(
                f"--init: expected a net of {task.channels_} channels, learned by image-classification with --labels none --net "
                f"captions, received {was}."
            )
        if task.config.image_size not in (0, side):
            raise UsageError(
                f"--image-size {task.config.image_size}: the model to begin from reads pictures of {side}. Leave it out."
            )
        for name in ("side_", "mean_", "deviation_", "white_"):
            setattr(task, name, getattr(other, name))
        return encoder


def _note(task: "ImageToText", example: Example) -> str:
    """Of a text that is longer than what the net reads, or a picture that is several."""
    text, most = normalise(example.get("text", "")).lower(), task.config.max_length
    long = len(task.pieces.encode([text])[0]) > most
    return f"longer than {most} pieces: its end is not read." if long else frames.note(task, example)


class ImageToText(Task):
    Config = Config
    fields = PICTURE
    answer = WRITTEN
    questions = {
        "caption": Question(PICTURE, WRITTEN, "What a picture shows, in words."),
        "pictures": Question(
            WORDS, Matches("The pictures that fit the text best."), "Which pictures of a folder fit a text.", "vector"
        ),
        "texts": Question(
            PICTURE,
            Matches("The texts that fit the picture best."),
            "Which lines of a file fit a picture.",
            "text-vector",
        ),
        "vector": Question(PICTURE, Vector("The picture as a vector of length 1."), "A picture as numbers."),
        "text-vector": Question(WORDS, Vector("The text as a vector of length 1."), "A text as numbers."),
    }
    target = "caption"
    metric = "chrF"
    output = Output(note=_note)
    transfer = FromPictures()
    training = Training(
        nets=("transformer",), batch=32, noun="pictures", measured={"vectors": True}, quick={"beams": 1}
    )

    vocabulary_: bytes
    side_: int
    channels_: int
    white_: White = WHITE  # the value of white in pictures of 16 bits
    longest_: int  # pieces of the longest caption that it learned from; it writes no longer ones
    mean_: float  # of all points, on a scale of 0 to 1
    deviation_: float

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.captions import read_captions

        return read_captions(paths, columns)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.image_to_text import scenes

        return [{"image": picture, "caption": list(captions)} for picture, captions in scenes(split)]

    def keys(self, example: Example) -> list[str]:
        return [fingerprint(example["image"])]

    def given(self, example: Example) -> Example:
        if "text" in self.fields and "text" not in example:
            captions = captions_of(example)
            return {"text": captions[0]} if captions else {}
        return super().given(example)

    def fit(self, examples: Sequence[Example]) -> None:
        captions = [normalise(caption) for e in examples for caption in captions_of(e)]
        if len(set(captions)) < 2:
            raise DataError(
                f"expected captions that differ, received {len(examples):,} pictures that all have {captions[0][:60]!r}. "
                "Choose the column with --columns caption=NAME"
            )
        some = captions[:: -(-len(captions) // LEARNED_FROM)]
        self.vocabulary_ = learn(dict.fromkeys([*some, *(c.lower() for c in some)]), self.config.vocabulary_size)
        vars(self).pop("pieces", None)  # what an earlier fit knew
        self.longest_ = max(len(self._ids(caption)) for caption in captions)
        pictures = [e["image"] for e in examples[:: max(1, len(examples) // LOOKED_AT)]]
        self.white_ = white_of(pictures)
        side, self.channels_ = shape_of(pictures, largest=LARGEST, white=self.white_)
        self.side_ = self.config.image_size or -(-side // MULTIPLE) * MULTIPLE
        points = np.stack([read_image(picture, self.side_, self.channels_, self.white_) for picture in pictures]) / 255
        self.mean_, self.deviation_ = float(points.mean()), float(max(points.std(), 0.01))

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.vocabulary_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        """The picture; of an example without one the text, which only has a vector."""
        if "image" in example:
            return {"pictures": read_image(example["image"], self.side_, self.channels_, self.white_)}
        return {"texts": np.array(self._ids(normalise(example["text"]).lower()) or [UNKNOWN], np.int32)}

    def _ids(self, text: str) -> list[int]:
        return self.pieces.encode([text])[0][: self.config.max_length]

    def prompt(self, example: Example) -> Arrays:
        """All captions one after another, each with an end; `augment` picks one. Search is the same in small letters."""
        captions = [normalise(caption) for caption in captions_of(example)]
        forms = {"captions": captions, "texts": [caption.lower() for caption in captions]}
        return {
            name: np.array([i for text in texts for i in (*self._ids(text), END)], np.int32)
            for name, texts in forms.items()
        }

    def targets(self, example: Example) -> Arrays:
        return {}  # each token of a caption is the target of those before it

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        """Points are stored as bytes and standardised here to mean 0 and standard deviation 1."""
        batch = super().collate(rows)
        if "pictures" not in batch:
            return batch
        points = batch["pictures"].astype(np.float32) / 255
        return {**batch, "pictures": (points - np.float32(self.mean_)) / np.float32(self.deviation_)}

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        """Each picture moved, scaled and lit anew, with one of its captions."""
        import torch

        from lamella.nets.augment import move_pictures, random_affine, random_light
        from lamella.nets.sequences import pick_segments

        c, captions = self.config, batch["captions"]
        counts = (captions == END).sum(dim=1)
        which = (torch.rand(len(captions), generator=rng).to(counts.device) * counts).long()
        matrices = random_affine(len(captions), rng, c.translate, c.scale, c.flip)
        pictures = random_light(move_pictures(batch["pictures"], matrices, "border"), rng, c.brightness)
        texts = {name: pick_segments(batch[name], END, which) for name in ("captions", "texts")}
        return {**batch, **texts, "pictures": pictures}

    def build(self) -> "nn.Module":
        from lamella.nets.transformer.captions import PictureCaptioner

        c, size = self.config, self.size
        shape = self.channels_, self.side_, len(self.pieces), c.max_length
        return PictureCaptioner(*shape, size.width, size.depth, size.heads, c.decoder_depth, c.dropout)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.contrast import sigmoid_pairs
        from lamella.nets.losses import tied_cross_entropy

        c, texts = self.config, targets["texts"]
        written = tied_cross_entropy(outputs["hidden"], outputs["table"], outputs["wanted"], c.label_smoothing)
        weight = float(c.contrastive_weight)
        if not weight:
            return written
        alike = (texts[:, None] == texts[None]).all(dim=2)  # (B, B): a caption fits all pictures that have it
        pairs = outputs["picture"], outputs["text"], alike, outputs["scale"], outputs["bias"]
        return written + weight * sigmoid_pairs(*pairs)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        if "texts" in inputs:
            return _rounded(graphs["read"](texts=inputs["texts"])["vector"])
        seen = graphs["see"](pictures=inputs["pictures"])
        if self.state.asked not in CAPTION:
            return _rounded(seen["vector"])
        captions = self._captions(graphs, seen)
        if not self.config.vectors:
            return list(captions)
        return [{"caption": c, "vector": v} for c, v in zip(captions, _rounded(seen["vector"]), strict=True)]

    def _captions(self, graphs: Mapping[str, GraphLike], seen: Arrays) -> list[str]:
        """The likeliest caption of each picture that was seen."""
        c, batch = self.config, len(seen["vector"])

        def step(token: Array, state: Arrays, fixed: Arrays) -> Arrays:
            return graphs["step"](token=token, **state, **fixed)

        state, limits = graphs["step"].empty(batch=batch, beam=1), np.full(batch, self.longest_)
        asked = step, state, _memory(seen), START, END, limits
        best = [b[0] for b in decode.beam(*asked, c.beams, POWER)] if c.beams > 1 else decode.greedy(*asked)
        return self.pieces.decode([hypothesis.tokens for hypothesis in best])

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        if self.state.asked not in CAPTION and not self.config.contrastive_weight:
            raise UsageError(
                f"--ask {self.state.asked}: this model only writes captions: it was trained with --contrastive-weight 0."
            )
        own = run(examples)
        if self.state.asked in CAPTION:
            return self._with_texts(examples, own, run)
        if not self.questions[self.state.asked].corpus:
            return own
        if self.state.index is None:
            raise UsageError(
                f"--ask {self.state.asked}: expected something to search in. Give it with --corpus or --index."
            )
        kind = "image" if self.state.asked == "pictures" else "text"  # an index may hold both
        near = self.state.index.search(np.array(own, np.float32), self.config.top, kind)
        if near and not near[0]:
            raise UsageError(
                f"--ask {self.state.asked}: expected an index that holds {self.state.asked}, received one without. Add them with --corpus."
            )
        return [[{**entry, "grade": cosine} for entry, cosine in entries] for entries in near]

    def _with_texts(self, examples: Sequence[Example], own: Sequence[Answer], run: Run) -> list[Answer]:
        """Beside the vectors of pictures those of their own captions, where these are known: for the score of search."""
        if not all(isinstance(answer, dict) for answer in own):  # no vectors were asked for
            return list(own)
        captions = [captions_of(e) for e in examples]
        vectors = iter(run([{"text": caption} for known in captions for caption in known]))
        return [
            {**answer, **({"text_vectors": [next(vectors) for _ in known]} if known else {})}
            for answer, known in zip(own, captions, strict=True)
        ]

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """Explanations change a picture, and do not know what is white in those of more than 8 bits."""
        if "image" not in example:
            return example, ""
        return {**example, "image": even(example["image"], self.white_)}, ""

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """Of a caption the log-probability word by word, else the cosine with what was found first or with itself."""
        if "pictures" in inputs:
            seen = graphs["see"](pictures=inputs["pictures"])
            if self.state.asked in CAPTION:
                return self._of_words(graphs, seen, answer["caption"] if isinstance(answer, dict) else answer)
            own = seen["vector"]
        else:
            own = graphs["read"](texts=inputs["texts"])["vector"]
        if isinstance(answer[0], float):
            return Focus("cosine with the whole", own @ np.array(answer, np.float32))
        first = {name: value for name, value in answer[0].items() if name != "grade"}
        beside = self.collate([self.inputs(first)])
        graph = graphs["see" if "pictures" in beside else "read"]
        return Focus(f"cosine with {str(next(iter(first.values())))[:60]!r}", own @ graph(**beside)["vector"][0])

    def _of_words(self, graphs: Mapping[str, GraphLike], seen: Arrays, caption: str) -> Focus:
        ids = [*self._ids(normalise(caption)), END]
        each = decode.forced(graphs["step"], _memory(seen), START, ids, len(seen["vector"]))
        words, starts = self.pieces.words(ids)
        return Focus("log-probability of the caption", np.add.reduceat(each, starts, axis=1), words)

    # ---- scores ------------------------------------------------------------------------------------------------

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The most frequent caption, whatever the picture."""
        usual = Counter(caption for e in learn for caption in captions_of(e)).most_common(1)[0][0]
        return [usual] * len(examples)

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        written = [a["caption"] if isinstance(a, dict) else a for a in answers]
        vectors = [(a["vector"], a["text_vectors"]) for a in answers if isinstance(a, dict) and "text_vectors" in a]
        known = vectors if self.config.contrastive_weight and len(vectors) == len(answers) else []
        return metrics.captions(written, [captions_of(e) for e in examples], known)

    def render(self, answer: Answer) -> str:
        if isinstance(answer, str | dict):
            return answer if isinstance(answer, str) else str(answer["caption"])
        if answer and isinstance(answer[0], dict):
            return "; ".join(f"{near['grade']:.2f} {near.get('text', near.get('image'))}" for near in answer)
        return " ".join(f"{x:.5g}" for x in answer)


def captions_of(example: Example) -> list[str]:
    """The captions of an example, whether it has one or several.

    >>> captions_of({"caption": "a cat"}), captions_of({"image": "cat.png"})
    (['a cat'], [])
    """
    caption = example.get("caption", [])
    return [caption] if isinstance(caption, str) else list(caption)


def _memory(seen: Arrays) -> Arrays:
    """What each step of the captioner looks at, of what was seen."""
    return {name: seen[name] for name in ("memory_keys", "memory_values")}


def _rounded(vectors: Array) -> list[Answer]:
    return [[round(float(x), 5) for x in row] for row in vectors]
