"""Translate text and documents from one language to another.

The net is the encoder-decoder Transformer of "Attention Is All You Need" (Vaswani et al., 2017): the encoder reads the
source all at once, the decoder writes the translation piece by piece, and at each piece looks back at the source.
Training shows it the right beginning of each translation and asks for the next piece; answering searches for the
likeliest whole with a beam. Around the net stands what makes it dependable: `lamella.tasks.translation.guard` splits long texts,
carries placeholders and markup over, and notices when the net loops or drops something.
"""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lamella import decode, metrics
from lamella.data.text import placeholders
from lamella.data.text.languages import base_code
from lamella.data.text.pieces import END, START, Pieces, learn, normalise
from lamella.data.text.sentences import split
from lamella.errors import UsageError
from lamella.fields import Text
from lamella.task import Answer, Array, Arrays, Choice, Example, Focus, GraphLike, Output, Run, Scores, Task, Training
from lamella.tasks.translation import beginning, case, guard, neighbours
from lamella.tasks.translation.alternatives import likely
from lamella.tasks.translation.confidence import Candidate, changed, curve_of
from lamella.tasks.translation.config import Config as Config
from lamella.tasks.translation.memory import memory_first
from lamella.tasks.translation.neighbours import findings
from lamella.tasks.translation.net import Net
from lamella.tasks.translation.outcomes import Outcome, kept_below
from lamella.tasks.translation.wording import worded

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lamella.data.readers.windows import Part
    from lamella.tasks.translation.dictionary import Dictionary
    from lamella.tasks.translation.shortlist import Shortlist

# Placeholders so frequent that they should be one piece: a `%s` in two halves is a `%s` that can break.
FORMATS = ("%s", "%d", "%1", "%2", "%3", "%i", "%u", "%lu", "%ld")
SUFFIXES = (  # those of data.documents
    ".arb", ".ass", ".docx", ".epub", ".htm", ".html", ".json", ".markdown", ".md", ".mdx", ".odp", ".odt", ".po", ".pot", ".pptx", ".properties",
    ".srt", ".ssa", ".strings", ".stringsdict", ".tmx", ".txt", ".vtt", ".xcstrings", ".xlf", ".xliff", ".xml", ".yaml", ".yml",
)  # fmt: skip
TOKENS = ("%{}", "X{}")  # what stands for what a net is not to see, where it is one piece to it


def _parts(paths: Sequence[str], columns: Choice = None) -> "list[Part]":
    from lamella.data.readers import parallel

    return parallel.parts_of(paths, columns)


def _document(task: "Translation", path: Path, run: Run, columns: Choice = None) -> tuple[bytes, dict[str, int]] | None:
    from lamella.tasks.translation.documents import translate_document

    c = task.config
    if c.lines and c.paragraphs:
        raise UsageError("expected --lines or --paragraphs, received both. Leave one out.")
    options = {
        "keys": [key.strip() for key in c.front_matter.split(",") if key.strip()],
        "by_line": c.lines if c.lines or c.paragraphs else None,
        "line_length": c.line_length,
    }
    src = task._first.config.src
    return translate_document(path, src, c.dst, c.memory, lambda texts: task.outcomes(texts, run), options)


class Translation(Task):
    fields = {"text": Text("What to translate.")}
    answer = Text("The translation.")
    target = "translation"
    metric = "chrF"
    output = Output(suffixes=SUFFIXES, document=_document)
    training = Training(nets=("transformer",), quick={"beams": 1}, terms="target", parts=_parts, findings=findings)
    transfer = beginning.Beginning()

    vocabulary_: bytes
    directions_: list[str] = []  # "en-fr": of a net for several pairs, which is told by a mark what to write
    words_: bytes = b""  # lists of single words that are looked up, of those that ship: see `words`
    dictionary_: bytes = b""  # what rarer words may be translated to, of those that ship: see `dictionary`
    curves_: dict[str, list[float]] = {}  # of confidence, a direction each: see `confidence`
    # Of translators that other programs have trained (`foreign`):
    target_vocabulary_: bytes = b""  # where the sides have vocabularies of their own
    normaliser_: str = "identity"  # how letters are replaced before a text is cut
    mark_: str = ""  # what stands before each source, of a net with several target languages
    net_: Net | None = None  # where its net is none of `--size`
    shortlist_: bytes = b""  # which pieces are scored, given the source
    neighbours_: bytes = b""  # the pairs that it was adapted to, looked up while it answers: see `neighbours`

    def __init__(self, config: Any = None, size: str = "small") -> None:
        super().__init__(config, size)
        self._trained = self.config.src, self.config.dst  # which stay as they are where others are chosen to answer

    @property
    def directions(self) -> list[tuple[str, str]]:
        """What this model translates, as (from, to)."""
        if self.directions_:
            return [(src, dst) for src, _, dst in (name.partition("-") for name in self.directions_)]
        return [self._trained, *([self._trained[::-1]] if self.config.both else [])]

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers import parallel
        from lamella.data.readers.used_columns import note, recording

        c = self.config
        sides = {"text": "src", "translation": "dst"}
        if columns is not None:
            columns = {sides.get(name, name): column for name, column in columns.items()}
        with recording() as used:
            table = parallel.read_parallel(list(paths), src=c.src, dst=c.dst, columns=columns)
        for field, side in sides.items():
            if side in used:
                note(field, **used[side])
        pairs = [placeholders.without_accelerators(row["src"], row["dst"]) for row in table.rows]
        return [{"text": a, "translation": b} for a, b in pairs], table.report.lines()

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import translation as samples

        return [{"text": en, "translation": fr} for en, fr in samples.sentences(split)]

    def keys(self, example: Example) -> list[str]:
        sides = (example["text"], example["translation"])
        return [f"{i}{''.join(filter(str.isalnum, s.lower())) or s}" for i, s in enumerate(sides)]

    def fit(self, examples: Sequence[Example]) -> None:
        texts = [normalise(e[side]) for e in examples for side in ("text", "translation")]
        marks = [f"<2{code}>" for code in (self.config.src, self.config.dst)] if self.config.both else []
        self.vocabulary_ = learn(texts, self.config.vocabulary_size, [*marks, *FORMATS])

    @cached_property
    def pieces(self) -> Pieces:
        """Of the source, and of both sides where they share one."""
        return Pieces(self.vocabulary_, normaliser=self.normaliser_)

    @cached_property
    def target_pieces(self) -> Pieces:
        """Of the translation."""
        if not self.target_vocabulary_:
            return self.pieces
        return Pieces(self.target_vocabulary_, "target_vocabulary.model", self.normaliser_)

    @cached_property
    def shortlist(self) -> "Shortlist":
        from lamella.tasks.translation.shortlist import Shortlist

        pieces = len(self.pieces), len(self.target_pieces)
        return Shortlist(self.shortlist_, pieces, shared=not (self.net_ and self.net_.source_vocabulary))

    @cached_property
    def near(self) -> neighbours.Neighbours | None:
        """What is looked up beside the net; None where nothing is, or nothing yet."""
        return neighbours.opened(self) if self.neighbours_ else None

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        many = self.config.both or self.directions_
        name = f"<2{example.get('to', self.config.dst)}>" if many else self.mark_
        mark = [self.pieces.mark(name)] if name else []
        text = example["text"]
        # The answer of a model before this one is as sure as it was there: what is made of it is no surer.
        before = {"before": np.array(text.mean)} if isinstance(text, Candidate) else {}
        if "written" in example:  # of a pair that is learned: see `neighbours`
            before = {"written": self.prompt({"translation": example["written"]})["prompt"]}
        return {"source": np.array([*mark, *_ids(self.pieces, text)[: LONGEST - 2], END]), **before}

    def prompt(self, example: Example) -> Arrays:
        return {"prompt": np.array([START, *_ids(self.target_pieces, example["translation"])[: LONGEST - 2]])}

    def targets(self, example: Example) -> Arrays:
        return {"target": np.array([*_ids(self.target_pieces, example["translation"])[: LONGEST - 2], END])}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        from lamella.nets.transformer.encoder_decoder import EncoderDecoder, Options

        size, c = self.size, self.config
        if self.net_ is not None:
            return self.net_.build(c.dropout, LONGEST, bool(self.shortlist_), bool(self.neighbours_))
        return EncoderDecoder(
            len(self.pieces), size.width, size.depth, c.decoder_depth, size.heads, dropout=c.dropout, longest=LONGEST,
            block=c.block, decoders=c.decoders, options=Options(decoder=c.decoder, hidden=bool(self.neighbours_)),
        )  # fmt: skip

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.losses import tied_cross_entropy

        hidden, target = outputs["hidden"], targets["target"]  # (B, T, D), of several decoders (N, B, T, D)
        target = target.expand(hidden.shape[:-1])
        return tied_cross_entropy(hidden, outputs["table"], target, SMOOTHING, outputs.get("bias"))

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        if self.neighbours_:
            self.neighbours_ = neighbours.learn(self, run)
            vars(self).pop("near", None)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        """A batch of sources -> for each its candidates, best first."""
        source = inputs["source"]
        limits = np.minimum(2 * (source != 0).sum(axis=1) + 10, LONGEST - 2)
        memory, graph = self._read(graphs, source)
        if "written" in inputs:
            return list(neighbours.states(graph, memory, inputs["written"]))

        def step(token: Array, state: Arrays, fixed: Arrays) -> Arrays:
            return graph(token=token, **state, **fixed)

        state = graph.empty(batch=len(source), beam=1)
        beams = max(self.config.beams, self.config.alternatives)
        asked = step, state, memory, START, END, limits
        found = decode.beam(*asked, beams, POWER) if beams > 1 else [[h] for h in decode.greedy(*asked)]
        written = iter(self.target_pieces.decode([h.tokens for best in found for h in best]))
        candidates = [
            [Candidate(next(written), h.mean(1.0) + float(mean)) for h in best]
            for best, mean in zip(found, inputs.get("before", np.zeros(len(source))), strict=True)
        ]
        if self.config.alternatives > 1:
            return [likely(some, best) for some, best in zip(candidates, found, strict=True)]
        return candidates

    def _read(
        self, graphs: Mapping[str, GraphLike], source: Array, also: Sequence[int] = ()
    ) -> tuple[Arrays, GraphLike]:
        """What the encoder makes of the source, (B, ...) each, and the graph of a step, whose tokens are ids.

        also: with a shortlist, further ids that are scored.
        """
        if self.shortlist_:
            from lamella.tasks.translation.shortlist import read_with

            memory, step = read_with(self.shortlist, graphs, source, also)
        else:
            memory, step = graphs["encode"](source=source), graphs["step"]
        return neighbours.beside(self.near if self.config.neighbours else None, source, memory, step)

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """The first sentence: each is translated by itself."""
        found = [p.text for p in split(example["text"]) if p.text]
        note = f"The first of {len(found)} sentences is explained; each is translated by itself."
        return ({**example, "text": found[0]}, note) if len(found) > 1 else (example, "")

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """The log-probability of the translation, word by word: the net is shown the right beginning at each piece."""
        text = normalise(answer if isinstance(answer, str) else answer[0])
        ids = [*self.target_pieces.encode([text])[0][: LONGEST - 2], END]
        memory, step = self._read(graphs, inputs["source"], also=ids)
        found = decode.forced(step, memory, START, ids, len(inputs["source"]))
        words, starts = self.target_pieces.words(ids)
        values, why = np.add.reduceat(found, starts, axis=1), neighbours.reasons(step, memory, ids, self)
        return Focus("log-probability of the translation", values, words, details=why)

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        found = self.outcomes(examples, run)
        several = self.config.alternatives > 1
        if not self.config.details:
            return [[o.text, *o.others] if several else o.text for o in found]
        return [{**o.details(), **({"alternatives": o.others} if several else {})} for o in found]

    def render(self, answer: Answer) -> str:
        if isinstance(answer, dict):
            sure = "" if answer["confidence"] is None else f", {answer['confidence']:.0%} sure"
            return f"{answer['translation']}\n    {', '.join([answer['status'], *answer['doubts']])}{sure}"
        return answer if isinstance(answer, str) else "\n".join(f"{i}. {a}" for i, a in enumerate(answer, start=1))

    def outcomes(self, examples: Sequence[Example], run: Run) -> list[Outcome]:
        """Translations with what became of each: remembered, looked up, translated, repaired, kept as the source, copied."""
        to = examples[0].get("to", self.config.dst) if examples else self.config.dst
        foreign = [e for e in examples if e.get("from") != to]
        if len(foreign) < len(examples):  # what is in the target language already stays as it is
            rest = iter(self.outcomes(foreign, run) if foreign else [])
            return [Outcome(e["text"], "copied") if e.get("from") == to else next(rest) for e in examples]
        src = self._source_of(to)
        by_lists, by_net = (partial(way, run=run, src=src, to=to) for way in (self._looked_up, self._translated))
        looked_up = partial(neighbours.own_first, self, to, own=by_net, others=by_lists)
        answers = memory_first(self.config.memory, src, to, examples, looked_up)
        return kept_below(self.config.keep_below, answers, [e["text"] for e in examples])

    def _looked_up(self, examples: Sequence[Example], run: Run, src: str, to: str) -> list[Outcome]:
        """What the lists of single words have of the texts, and what the net makes of the others."""
        if not self.words_:
            return self._translated(examples, run, src, to)
        from lamella.tasks.translation.words import through, words_first

        first, middle = self._first, self.config.src
        own = self.words_, src if first is self else middle, to
        steps = [own] if first is self else [(first.words_, src, middle), own]
        glossary = guard.glossary_of(self.config.glossary, to)
        listed = partial(through, steps) if all(packed for packed, _, _ in steps) else None
        dictionary = self._dictionary(src, to)
        translated = partial(self._translated, run=run, src=src, to=to, lists=guard.Lists(listed, dictionary))
        found = words_first(steps, examples, translated, self.config.alternatives, glossary)
        if dictionary is None:
            return found
        from lamella.tasks.translation.dictionary import instead

        looked_up = partial(instead, dictionary=dictionary, src=src, dst=to, alternatives=self.config.alternatives)
        return [
            one if glossary and glossary.find(e["text"]) else looked_up(e["text"], one)
            for e, one in zip(examples, found, strict=True)
        ]

    def _dictionary(self, src: str, to: str) -> "Dictionary | None":
        """The dictionary of a direction, of a model that has one and asks no other before it."""
        if not self.dictionary_ or self._first is not self:
            return None
        from lamella.tasks.translation.dictionary import opened

        return opened(self.dictionary_).of(src, to)

    def _translated(
        self, examples: Sequence[Example], run: Run, src: str, to: str, lists: guard.Lists | None = None
    ) -> list[Outcome]:
        pieces, cost = self._first.pieces, self._first._cost  # of the net that reads the source
        readable = partial(case.readable, knows=pieces.knows, chinese=is_chinese(src))

        def translate(sentences: Sequence[str]) -> list[list[str]]:
            asked = [case.ask(s, placeholders.spans(s, ""), cost, src) for s in sentences]
            forms = dict.fromkeys(form for one in asked for form in (one.text, one.also) if form)
            answers = dict(
                zip(forms, run([{"text": readable(worded(form, src)), "to": to} for form in forms]), strict=True)
            )
            found = [one.chosen(answers[one.text], answers.get(one.also, [])) for one in asked]
            if is_chinese(to):
                from lamella.tasks.translation import chinese

                return [[changed(a, chinese.punctuate) for a in best] for best in found]
            return [
                [changed(a, partial(one.restore, target=to)) for a in best]
                for best, one in zip(found, asked, strict=True)
            ]

        outcomes = guard.translate_texts(
            [e["text"] for e in examples],
            translate,
            formats=[e.get("format", "") for e in examples],
            source=src,
            target=to,
            known=cache(lambda text: pieces.knows(readable(text))),  # most words come again and again
            cost=cost,
            tokens=[t for t in TOKENS if cost(t.format(1)) == self._cost(t.format(1)) == 1] or guard.TOKENS,
            glossary=guard.glossary_of(self.config.glossary, to),
            alternatives=self.config.alternatives,
            lists=lists,
        )
        curve = curve_of(self.curves_, src if self._first is self else self.config.src, to)
        return [
            one.left(e["text"]) if self.words_ and one.evidence and case.made_up(e["text"], src, one.score) else one
            for one, e in zip((one.by(curve) for one in outcomes), examples, strict=True)
        ]

    @property
    def _first(self) -> "Translation":
        """The task whose net reads the source: this one, or that of the model before it."""
        return self.state.reader if isinstance(self.state.reader, Translation) else self

    def _cost(self, word: str) -> int:
        """How many pieces a word is to the net."""
        return len(self.pieces.encode([word])[0])

    def _source_of(self, to: str) -> str:
        """The language that is translated to another; UsageError where the model does not know the pair."""
        src: str = self.config.src
        if self.config.both and to != self.config.dst:  # asked for the other direction, example by example
            src = next((a for a, b in self.directions if b == to), src)
        if (src, to) not in self.directions:
            able = ", ".join(f"{a} to {b}" for a, b in self.directions)
            raise UsageError(f"this model does not translate {src} to {to}. It translates {able}.")
        return src if self._first is self else self._first.config.src

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        best = [a if isinstance(a, str) else a["translation"] if isinstance(a, dict) else a[0] for a in answers]
        return metrics.translation(best, [e["translation"] for e in examples])


SMOOTHING = 0.1  # of the labels, as in the paper
POWER = 1.0  # a hypothesis is as good as its pieces are on average (Wu et al., 2016)
LONGEST = 512  # pieces of one sentence, the end among them; the guard splits what is longer


def _ids(pieces: Pieces, text: str) -> list[int]:
    return pieces.encode([normalise(text)])[0]


def is_chinese(code: str) -> bool:
    """Whether a language code is one of Chinese: zh, zh-TW, zh_Hans."""
    return base_code(code) in ("zh", "cmn")
