"""Write down what is said, word by word with times, from recordings with their texts.

An hour of recordings teaches one speaker, or a closed domain such as commands, digits and announcements; it does not teach to
write down anybody on anything. There are two nets, chosen with `--net`: a convolutional one (QuartzNet, Kriman et al., 2020)
and a Conformer (Gulati et al., 2020), both trained by CTC (Graves et al., 2006), which needs no times.

Letters are weighed with a language model of words and letters, learned from the transcripts and from any text you give
(`--lm text.txt`); what it counts is learned after training. With `--words yes,no,stop` nothing else is written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella.data.media.mel import BANDS, log_mel
from lamella.data.media.sounds import Sound, fingerprint, read_sound, seconds_of
from lamella.decode import ctc
from lamella.errors import DataError
from lamella.fields import Audio, Transcript
from lamella.metrics.speech import recognition
from lamella.task import Answer, Arrays, Choice, Example, Focus, GraphLike, Output, Run, Scores, Task, Training
from lamella.tasks.speech_recognition import hearing, language
from lamella.tasks.speech_recognition.language import Language
from lamella.tasks.speech_recognition.pieces import cut, is_silent
from lamella.tasks.speech_recognition.spelling import normalise, read_texts

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

GROUP = 4  # frames of a step of the net
ROWS = 2  # of scores for each step of the net, 20 ms each
RATE, LOW_RATE = 16000, 8000  # samples a second of what the net hears; the lower where all recordings are of telephones
MOST_LETTERS = 6000
STRETCHES = 3  # of time that are hidden in training
SENTENCE = 4  # words from which on a text must not stand on both sides of a split
EXPLAINED = 12.0  # seconds that are explained
SILENCE = "silence: nothing in it is loud enough for speech"
NOTHING = "no words were heard in it"


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[Literal["cnn", "transformer"], Meta(description="Family of the net; the second is a Conformer.")] = (
        "cnn"
    )
    speed: Annotated[
        float, Meta(description="Play sounds faster or slower by up to this share in training.", ge=0, le=0.5)
    ] = 0.12
    mask_time: Annotated[
        float, Meta(description="SpecAugment: hide three stretches of up to this share of a sound.", ge=0, le=0.5)
    ] = 0.07
    mask_bands: Annotated[
        int, Meta(description="SpecAugment: hide two groups of up to this many of the 80 bands.", ge=0, le=40)
    ] = 16
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.15
    lm: Annotated[
        str,
        Meta(
            description="A text file with sentences as they are said here, for the language model.",
            extra={"when": "predict", "holds": "file"},
        ),
    ] = ""
    lm_weight: Annotated[
        float,
        Meta(description="Weight of the language model; -1: the one learned.", ge=-1, le=10, extra={"when": "predict"}),
    ] = -1.0
    words: Annotated[
        str,
        Meta(description="The only words that may be written, with commas between.", extra={"when": "predict"}),
    ] = ""
    beams: Annotated[
        int, Meta(description="Beam size of the search; 1: greedy.", ge=1, le=256, extra={"when": "predict"})
    ] = 96


def _write(
    task: "SpeechRecognition", suffix: str, examples: Sequence[Example], answers: Sequence[Answer]
) -> bytes | None:
    from lamella.tasks.speech_recognition import files

    return files.write(suffix, [seconds_of(e["audio"]) for e in examples], answers) if len(answers) == 1 else None


class SpeechRecognition(Task):
    Config = Config
    fields = {"audio": Audio("A recording of someone who speaks.")}
    answer = Transcript("What is said, with the time of each word and how sure it is.")
    target = "text"
    metric = "WER"
    output = Output(write=_write)
    training = Training(
        nets=("cnn", "transformer"), noun="recordings", quick={"beams": 1}, short_first=2, less_is_better=True
    )

    letters_: list[str]  # in the order of their ids, the first having 1
    rate_: int  # samples a second
    rows_: int = 1  # of scores for each step: an earlier version had no more
    language_: bytes
    shares_: list[float] = [1.0]  # of the transcripts and of the text of --lm in the language model
    weight_: float = 0.5  # of the language model
    bonus_: float = 0.0  # of a word, in nats
    sure_: list[float] = [1.0, 0.0]  # log-odds of a word: slope and offset of what the net says

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.speech import read_speech

        return read_speech(paths, columns)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.speech_recognition import recordings

        return [{"audio": sound, "text": text} for sound, text in recordings(split)]

    def keys(self, example: Example) -> list[str]:
        """A recording, and a sentence: read twice, it must not be learned from and measured with. Short commands may."""
        words = normalise(str(example.get("text", ""))).split()
        return [fingerprint(example["audio"]), *([" ".join(words)] if len(words) >= SENTENCE else [])]

    def fit(self, examples: Sequence[Example]) -> None:
        texts = [normalise(e["text"]) for e in examples]
        counts = Counter(letter for text in texts for letter in text)
        if len(counts) < 2:
            raise DataError(
                f"expected texts of what is said, received {texts[0]!r} and the like. Check the transcripts."
            )
        if len(counts) > MOST_LETTERS:
            raise DataError(f"expected at most {MOST_LETTERS:,} different letters, received {len(counts):,}.")
        self.letters_ = sorted({*counts, " "})
        rates = [read_sound(e["audio"]).rate for e in examples[:: max(1, len(examples) // 50)]]
        self.rate_ = RATE if np.median(rates) > 1.4 * LOW_RATE else LOW_RATE
        spoken = [texts, read_texts(self.config.lm)] if self.config.lm else [texts]
        self.rows_ = ROWS if self.config.net == "cnn" else 1
        learned = [Language.learn(part, self.letters_) for part in spoken]
        self.language_, self.shares_ = language.to_bytes(learned), [1 / len(learned)] * len(learned)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        features = log_mel(read_sound(example["audio"], self.rate_).samples, self.rate_)  # (F, M)
        steps = -(-len(features) // GROUP)
        # In 16 bits: an hour is 58 MB, and the third decimal of a logarithm says nothing.
        frames = np.zeros((steps * GROUP, BANDS), np.float16)
        frames[: len(features)] = features
        return {"frames": frames.reshape(steps, GROUP, BANDS), "lengths": np.array(steps)}

    def targets(self, example: Example) -> Arrays:
        place = {letter: i for i, letter in enumerate(self.letters_, start=1)}
        text = normalise(example["text"])
        if unknown := sorted({letter for letter in text if letter not in place}):
            raise DataError(f"expected letters that training has seen, received {unknown[0]!r} in {text[:60]!r}.")
        return {"letters": np.array([place[letter] for letter in text], np.int32)}

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        batch = super().collate(rows)
        return {**batch, "frames": batch["frames"].astype(np.float32)}

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        from lamella.nets.ctc import hide, stretch

        c, frames, lengths = self.config, batch["frames"], batch["lengths"]
        if c.speed:
            frames, lengths = stretch(frames, lengths, rng, c.speed, c.speed / 2)
        if c.mask_time or c.mask_bands:
            frames = hide(frames, lengths, rng, c.mask_time, c.mask_bands, STRETCHES)
        return {**batch, "frames": frames, "lengths": lengths}

    def build(self) -> "nn.Module":
        c, size, letters = self.config, self.size, len(self.letters_) + 1
        if c.net == "cnn":
            from lamella.nets.cnn.speech import SpeechCNN

            return SpeechCNN(BANDS, letters, size.width, size.depth, c.dropout, self.rows_)
        from lamella.nets.transformer.speech import Conformer

        return Conformer(BANDS, letters, size.width, size.depth, size.heads, c.dropout)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.ctc import ctc_loss

        loss = ctc_loss(outputs["scores"], outputs["lengths"], targets["letters"])
        if "early" not in outputs:
            return loss
        return 0.7 * loss + 0.3 * ctc_loss(outputs["early"], outputs["lengths"], targets["letters"])

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        search = hearing.Search(self)
        return [search.answer(likely) for likely in self._likely(graphs, inputs)]

    def _likely(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Any]:
        """The log-probabilities of each sound's letters, (rows T, V)."""
        scores = graphs["listen"](frames=inputs["frames"], lengths=inputs["lengths"])["scores"]
        lengths = (inputs["lengths"] * self.rows_).tolist()
        return [ctc.log_softmax(s[:n].astype(np.float64)) for s, n in zip(scores, lengths, strict=True)]

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        """Each recording cut where it is quiet, its pieces written down and put together again; silence is not asked of the net."""
        parts: list[tuple[int, float, Example]] = []
        answers = [{"text": "", "words": [], "confidence": 0.0, "reason": SILENCE} for _ in examples]
        for i, example in enumerate(examples):
            sound = read_sound(example["audio"], self.rate_)
            for first, last in cut(sound.samples, sound.rate):
                piece = sound.samples[first:last]
                if not is_silent(piece, sound.rate):
                    answers[i]["reason"] = NOTHING
                    parts.append((i, first / sound.rate, {"audio": Sound(piece, sound.rate)}))
        for (i, start, _), heard in zip(parts, run([part for *_, part in parts]), strict=True):
            hearing.append(answers[i], heard, start)
        return answers

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """The weight of the language model, the bonus of a word, and how sure a word is: by what is right of sounds kept aside."""
        # The text has been learned from; when the model answers, it may be given another one.
        self.config = msgspec.structs.replace(self.config, lm="")
        hearing.calibrate(self, examples, run)

    def excerpt(self, example: Example) -> tuple[Example, str]:
        sound = read_sound(example["audio"])
        if sound.seconds <= EXPLAINED:
            return {**example, "audio": sound}, ""
        short = Sound(sound.samples[: round(EXPLAINED * sound.rate)], sound.rate)
        return {**example, "audio": short}, f"the first {EXPLAINED:g} of {sound.seconds:.0f} seconds are explained"

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        return hearing.focus(self._likely(graphs, inputs), answer, self.letters_, self.rows_)

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """In every recording what is said most often."""
        most = Counter(normalise(e["text"]) for e in learn).most_common(1)[0][0]
        return [{"text": most, "words": [], "confidence": 0.0, "reason": ""}] * len(examples)

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        return recognition([a["text"] for a in answers], [normalise(e["text"]) for e in examples])

    def render(self, answer: Answer) -> str:
        return str(answer["text"])
