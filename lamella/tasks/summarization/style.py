"""Whether a summary is in words of its own or in sentences of the text: what is nearer to summaries that were kept aside.

A net writes well where it has read tens of thousands of summaries. Of a thousand it learns less than the scorer of sentences
does, and then the sentence that says most is the better answer.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from lamella.task import Example, Run
from lamella.tasks.summarization import sentences as extractive

if TYPE_CHECKING:
    from lamella.tasks.summarization import Summarization

TRIED = 100  # summaries that both are compared by
MARGIN = 1.05  # how many times as much sentences must share with them, since people ask for a summary in few words


def picks(task: "Summarization") -> bool:
    """Whether the task answers with sentences of the text. So many `--words` are asked of the net."""
    if task.config.style == "auto":
        return bool(task.shares_) and not task.config.words and task.shares_[1] > MARGIN * task.shares_[0]
    return bool(task.config.style == "sentences")


def compared(task: "Summarization", examples: Sequence[Example], run: Run) -> list[float]:
    """How much summaries share with what the net writes, and with the sentences that the scorer picks: means from 0 to 1."""
    some = examples[:TRIED]
    config = task.config
    shares = []
    styles: tuple[Literal["words", "sentences"], ...] = ("words", "sentences")
    for style in styles:
        task.config = msgspec.structs.replace(config, style=style, words=0)
        try:
            answers = task.answers(some, run)
        finally:
            task.config = config
        shares.append(sum(_share(answer, e) for answer, e in zip(answers, some, strict=True)) / max(1, len(some)))
    return [round(share, 4) for share in shares]


def _share(answer: str, example: Example) -> float:
    wanted = example.get("references") or [example["summary"]]
    return max(extractive.overlap(extractive.words_of(answer), extractive.words_of(text)) for text in wanted)


def findings(task: "Summarization", *known: object) -> list[str]:
    """What people are told where the sentences are better."""
    if not picks(task):
        return []
    return [
        f"answers with sentences of the text: they share {task.shares_[1]:.0%} with summaries that were kept aside, what the net "
        f"writes {task.shares_[0]:.0%}; --style words asks the net all the same"
    ]


def found(answer: str, text: str) -> list[Mapping[str, Any]]:
    """The sentences of an answer with their numbers in the text, as `--ask sentences` gives them.

    >>> found("It is cheap.", "It is new. It is cheap.")
    [{'sentence': 2, 'text': 'It is cheap.'}]
    """
    parts = extractive.cut(text)
    numbers: list[Mapping[str, Any]] = []
    for one in extractive.cut(answer):
        words = extractive.words_of(one.text)
        best = max(parts, key=lambda part: extractive.overlap(words, extractive.words_of(part.text)), default=one)
        numbers.append({"sentence": best.number, "text": one.text})
    return numbers
