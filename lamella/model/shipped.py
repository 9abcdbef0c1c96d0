"""The models that come with the package: the one-line translator over them, and what language a text is in.

>>> import lamella
>>> isinstance(lamella.translate("Hello, world!", "en", "fr"), str)
True
"""

from functools import cache
from pathlib import Path
from typing import overload

from lamella.errors import UsageError
from lamella.model import Model, load

FOLDER = Path(__file__).parent.parent / "models"
SLIGHT = 0.01  # a language less likely than that is not named


def pairs() -> list[str]:
    """The installed directions: ["en-fr", "fr-en"]."""
    return sorted(p.name for p in FOLDER.glob("*-*") if (p / "model.json").is_file())


@cache
def translator(src_lang: str, dst_lang: str) -> Model:
    """The installed model for a pair of languages, opened once; an unknown pair is a UsageError that lists those."""
    if f"{src_lang}-{dst_lang}" not in pairs():
        task = next((model.manifest.task for model in translators()), "TASK")
        raise UsageError(
            f"no model for {src_lang} to {dst_lang} is installed. Installed: {', '.join(p.replace('-', ' to ') for p in pairs())}. "
            f"Train one from your own pairs: lamella train {task} pairs.tsv -o my-model --from {src_lang} --to {dst_lang}"
        )
    return load(FOLDER / f"{src_lang}-{dst_lang}")


def translators() -> list[Model]:
    """All installed models for pairs of languages, opened."""
    return [translator(*pair.split("-")) for pair in pairs()]


@cache
def identifier() -> Model:
    """The installed model that tells which language a text is in; a UsageError where there is none."""
    if not (FOLDER / "languages" / "model.json").is_file():
        raise UsageError("no model that tells languages is installed. Name the language of the text.")
    return load(FOLDER / "languages")


def detect(text: str) -> list[tuple[str, float]]:
    """The languages that a text may be in, as (code, probability), likeliest first; none where it has no letter.

    Told by the model that comes with lamella, offline; 30 languages. Probabilities under 0.01 are left out.

    >>> detect("Wo ist der Bahnhof?")[0][0], detect("12:30")
    ('de', [])
    """
    if not isinstance(text, str):
        raise UsageError(f"expected a string, received {type(text).__name__}.")
    if not any(map(str.isalpha, text)):
        return []
    likely: dict[str, float] = identifier().predict(text)["probabilities"]
    ranked = sorted(likely.items(), key=lambda pair: -pair[1])
    return [(code, share) for i, (code, share) in enumerate(ranked) if i == 0 or share >= SLIGHT]


@overload
def translate(text: str, src_lang: str, dst_lang: str) -> str: ...
@overload
def translate(text: list[str], src_lang: str, dst_lang: str) -> list[str]: ...
def translate(text: str | list[str], src_lang: str = "en", dst_lang: str = "fr") -> str | list[str]:
    """Translate a text, or each of a list, with the model that comes with lamella. Works offline, without torch.

    Text of any length; placeholders and markup are kept. Raises UsageError for a pair that is not installed.
    """
    for language in (src_lang, dst_lang):
        if not isinstance(language, str):
            raise UsageError(f"expected codes of languages such as en and fr, received {type(language).__name__}.")
    if not isinstance(text, (str, list)):
        raise UsageError(f"expected a string or a list of strings, received {type(text).__name__}.")
    found: str | list[str] = translator(src_lang, dst_lang).predict(text)
    return found
