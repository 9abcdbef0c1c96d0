"""Translate with the models that come with the package, from whatever language each text is in.

>>> import lamella
>>> isinstance(lamella.translate("Hello, world!", "en", "fr"), str)
True
>>> sources_of(["Hello", "Merci beaucoup"], "fr")
['en', 'fr']
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

import msgspec

from lamella.data.readers.suffixes import is_table
from lamella.data.text.encoding import decode_bytes, encoded_as, show_path
from lamella.data.text.languages import base_code, scores
from lamella.data.text.told import by_words, weigh
from lamella.errors import DataError, UsageError
from lamella.model import Model, as_example
from lamella.model.shipped import SEEN, identifier, known_code, language_name, sources_for, translator, words_of
from lamella.options import all_options, replace_config

__all__ = ["AUTO", "AnySource", "beginning", "encoded_as", "looks_like", "source_of_file", "sources_of", "translate"]

AUTO = "auto"
BYTES = 4000  # of a file, which tell the language
UNSURE = 4  # words below which a text follows its company, and is not doubted
LIKE, TIMES = 0.3, 3.0  # a text is in another language than was said where it scores so much, and so many times as much


def sources_of(texts: Sequence[str], dst_lang: str) -> list[str]:
    """The language of each text, among those that can be translated to `dst_lang` and `dst_lang` itself.

    A text of fewer than four words is decided with a look at the longer ones beside it. One without letters is in the language
    of the others, or, alone, in `dst_lang`: there is nothing to translate. UsageError for a text that is most likely in a
    language that no model reads.
    """
    target = known_code(dst_lang)
    codes = [*sources_for(dst_lang), target]
    lettered = [i for i, text in enumerate(texts) if any(map(str.isalpha, text))]
    plain = {i: code for i in lettered if (code := by_words(texts[i][:SEEN], codes, target))}
    guesses = {i: {code: 1.0} for i, code in plain.items()}
    if rest := [i for i in lettered if i not in plain]:  # a model takes longer to open than a short text to translate
        for i, answer in zip(rest, identifier().predict([texts[i][:SEEN] for i in rest]), strict=True):
            guesses[i] = dict(weigh(texts[i][:SEEN], answer["probabilities"], codes, target))
    longer = Counter(_best(shares) for i, shares in guesses.items() if len(texts[i].split()) >= UNSURE)
    found = []
    for i, text in enumerate(texts):
        shares = guesses.get(i) or dict.fromkeys(codes, 1.0)
        if longer and len(text.split()) < UNSURE and i not in plain:
            shares = {code: shares.get(code, 0.0) * (longer[code] + 1) for code in codes}
        found.append(_best(shares) if i in guesses or longer else target)
        if found[-1] not in codes:
            able = ", ".join(sorted(codes))
            raise UsageError(
                f"the text is in {language_name(found[-1])} ({shares[found[-1]]:.0%}), which no installed model reads. "
                f"Expected one of {able}; where this is wrong, name the language: --from en."
            )
    return found


def source_of_file(path: Path, dst_lang: str) -> str:
    """The language of a file, by its beginning. UsageError, which names the file, where no model reads it.

    Of a file without a letter it is any: its reader says whether it is one, rather than that it is translated already.
    """
    text = beginning(path)
    if not any(map(str.isalpha, text)):
        return sources_for(dst_lang)[0]
    try:
        return sources_of([text], dst_lang)[0]
    except UsageError as error:
        raise UsageError(f"{show_path(path)}: {error}") from None


def beginning(path: Path) -> str:
    """The first characters of a file: its words, without markup where it is a document."""
    if words := words_of(path):
        return words
    with path.open("rb") as file:
        raw = file.read(BYTES)
    try:
        return decode_bytes(raw, show_path(path))[0]
    except DataError:  # cut within a character, or no text: its own reader says so
        return raw.decode(errors="ignore")


def looks_like(text: str, claimed: str) -> str:
    """The language that a text looks like by the common words of each, where it is not the one that was claimed; else "".

    >>> looks_like("Le chat dort sur la table de la cuisine.", "en"), looks_like("The cat is on the table.", "en-GB")
    ('fr', '')
    """
    if len(text.split()) < UNSURE and text.isascii():
        return ""
    found, said = scores(text), base_code(claimed)
    best = max(found, key=found.__getitem__)
    return best if best != said and found[best] > max(LIKE, TIMES * found.get(said, 0.0)) else ""


def _best(shares: Mapping[str, float]) -> str:
    return max(shares, key=shares.__getitem__)


class AnySource(Model):
    """A translator into one language that looks at each text to see which language it is in."""

    tell: Callable[[str], None] | None = None  # gets the language of each text, in order

    @classmethod
    def into(cls, dst_lang: str, tell: Callable[[str], None] | None = None) -> "AnySource":
        """The translator into a language; UsageError where none is installed."""
        any_source = cls.__new__(cls)
        vars(any_source).update(vars(translator(sources_for(dst_lang)[0], dst_lang)))
        any_source.tell = tell
        return any_source

    def of(self, src_lang: str) -> Model:
        """The translator from a language, with the options of this one."""
        mine = msgspec.to_builtins(self.task.config)
        dst = mine["to"]
        if src_lang == known_code(dst):
            src_lang = sources_for(dst)[0]  # any does to copy a text
        chosen = translator(src_lang, dst)
        names = {o.name for o in all_options(type(self.task.config)) if o.answering} - {"from", "to"}
        given = {name: mine[name] for name in names}
        return chosen.with_config(replace_config(chosen.task.config, given, chosen.manifest.task))

    def by_rows(self, path: Path) -> bool:
        """Whether a file is a table whose rows are looked at one by one, and no document in one language."""
        return is_table(path) and path.suffix.lower() not in self.task.output.suffixes

    def predict(self, examples: Any) -> Any:
        if not isinstance(examples, list):
            return self.predict([examples])[0]
        name = next(iter(self.task.fields))
        rows = [as_example(self.task, example) for example in examples]
        sources = sources_of([row[name] for row in rows], self.task.config.dst)
        answers: dict[int, Any] = {}
        for code in dict.fromkeys(sources):
            own = [i for i, source in enumerate(sources) if source == code]
            found = self.of(code).predict([{**rows[i], "from": code} for i in own])
            answers |= zip(own, found, strict=True)
        for row, code in zip(rows, sources, strict=True):
            if self.tell and any(map(str.isalpha, row[name])):
                self.tell(code)
        return [answers[i] for i in range(len(rows))]


@overload
def translate(text: str, src_lang: str, dst_lang: str) -> str: ...
@overload
def translate(text: list[str] | tuple[str, ...], src_lang: str, dst_lang: str) -> list[str]: ...
def translate(text: str | list[str] | tuple[str, ...], src_lang: str = "en", dst_lang: str = "fr") -> str | list[str]:
    """Translate a text, or each of a list, with the models that come with lamella. Works offline, without torch.

    A list may be a tuple, an array, or a Series of pandas or polars too. Text of any length; placeholders and markup are kept. A source language of "auto" is detected for each text, and what is
    in the target language already stays as it is; a pair without a model of its own, such as French to German, goes through
    English. Raises UsageError for a pair that is not installed.
    """
    for language in (src_lang, dst_lang):
        if not isinstance(language, str):
            raise UsageError(f"expected codes of languages such as en and fr, received {type(language).__name__}.")
    if hasattr(text, "columns"):
        raise UsageError(
            f'expected a string or a list of strings, received {type(text).__name__}. Give one of its columns: frame["text"].'
        )
    row = getattr(text, "ndim", 1) == 1 and hasattr(text, "__array__") and hasattr(text, "__iter__")
    if isinstance(text, tuple) or row:  # an array, or a Series of pandas or polars
        text = list(text)
        if any(value is None or value != value for value in text):
            raise UsageError("expected strings, received a missing value among them. Fill it, or leave it out.")
    if not isinstance(text, (str, list)):
        raise UsageError(f"expected a string or a list of strings, received {type(text).__name__}.")
    model = AnySource.into(dst_lang) if src_lang == AUTO else translator(src_lang, dst_lang)
    answers: str | list[str] = model.predict(text)
    return answers
