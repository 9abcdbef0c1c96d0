"""The models that come with the package: which there are, who translates what, and language detection.

>>> from lamella.model.shipped import between, detect
>>> between("en", "fr"), detect("Wo ist der Bahnhof?")[0][0]
('', 'de')
"""

from functools import cache
from pathlib import Path
from typing import Any

from lamella.data.text.languages import NAMES, base_code
from lamella.data.text.told import AHEAD, weigh
from lamella.errors import LamellaError, UsageError
from lamella.model import Model, as_example, load
from lamella.options import replace_config

FOLDER = Path(__file__).parent.parent / "models"
SLIGHT = 0.01  # languages with a lower probability are left out
SEEN = 4000  # characters that are read to detect a language


def directions() -> dict[tuple[str, str], Path]:
    """(from, to) -> the folder of the model: `en-fr` holds one, `de+fr-en` German and French to English."""
    places: dict[tuple[str, str], Path] = {}
    for place in sorted(FOLDER.glob("*-*")):
        if (place / "model.json").is_file():
            sources, _, targets = place.name.partition("-")
            places |= {(a, b): place for a in sources.split("+") for b in targets.split("+")}
    return places


def pairs() -> list[str]:
    """The installed directions: ["de-en", "en-de", ...]."""
    return sorted(f"{a}-{b}" for a, b in directions())


@cache
def _opened(place: Path) -> Model:
    return load(place)


def between(src_lang: str, dst_lang: str) -> str:
    """The pivot language of a pair, "" if one model translates it directly. UsageError for an impossible pair."""
    known = directions()
    src_lang, dst_lang = known_code(src_lang), known_code(dst_lang)
    if src_lang == dst_lang:
        raise UsageError(f"from {src_lang} to {dst_lang}: the same language. Expected two.")
    if (src_lang, dst_lang) in known:
        return ""
    for middle in dict.fromkeys(b for a, b in known if a == src_lang):
        if (middle, dst_lang) in known:
            return middle
    task = next((_opened(place).manifest.task for place in known.values()), "TASK")
    able = ", ".join(f"{a} to {b}" for a, b in sorted(known))
    raise UsageError(
        f"no model for {src_lang} to {dst_lang} is installed. Installed: {able}. "
        f"Train one from your own pairs: lamella train {task} pairs.tsv -o my-model --from {src_lang} --to {dst_lang}"
    )


@cache
def translator(src_lang: str, dst_lang: str) -> Model:
    """The installed model for a pair of languages, cached; a pair without a model goes through English.

    An unknown pair is a UsageError that lists the known ones.
    """
    src_lang, dst_lang = known_code(src_lang), known_code(dst_lang)
    middle = between(src_lang, dst_lang)
    if middle:
        return translator(middle, dst_lang).after(translator(src_lang, middle))
    model = _opened(directions()[src_lang, dst_lang])
    return model.with_config(replace_config(model.task.config, {"from": src_lang, "to": dst_lang}, model.manifest.task))


def known_code(code: str) -> str:
    """A language code as models are named: fr_CA becomes fr if there is no model for Canada."""
    codes = {c for pair in directions() for c in pair}
    return code if code in codes else next((c for c in codes if c == base_code(code)), code)


def translators() -> dict[str, Model]:
    """All supported pairs by name: direct ones such as "en-fr", then those through another language."""
    known = sorted(directions())
    codes = sorted({code for pair in known for code in pair})
    relayed = [(a, b) for a in codes for b in codes if a != b and (a, b) not in known and _reaches(a, b)]
    return {f"{src}-{dst}": translator(src, dst) for src, dst in [*known, *relayed]}


def _reaches(src: str, dst: str) -> bool:
    known = directions()
    return any((a, b) in known and (b, dst) in known for a, b in known if a == src)


def sources_for(dst_lang: str) -> list[str]:
    """The languages that can be translated to another: English first, then direct ones, then those through English.

    UsageError where there is none.
    """
    target, known = known_code(dst_lang), sorted(directions())
    codes = sorted({a for a, _ in known} - {target}, key=lambda a: (a != "en", (a, target) not in known, a))
    found = [a for a in codes if (a, target) in known or _reaches(a, target)]
    if not found:
        between("en" if target != "en" else "fr", target)  # says what is installed
    return found


@cache
def identifier() -> Model:
    """The installed language detection model; UsageError if there is none."""
    if not (FOLDER / "languages" / "model.json").is_file():
        raise UsageError("no language detection model is installed. Name the language of the text.")
    return load(FOLDER / "languages")


class Detector(Model):
    """The language detection model, its answers weighed by what is known besides: see `lamella.data.text.told`."""

    def predict(self, examples: Any) -> Any:
        if not isinstance(examples, list):
            return self.predict([examples])[0]
        rows = [as_example(self.task, example) for example in examples]
        name, known = next(iter(self.task.fields)), sorted({code for pair in directions() for code in pair})
        answers = []
        for row, answer in zip(rows, super().predict(rows), strict=True):
            ranked = weigh(row[name][:SEEN], answer["probabilities"], known, far=AHEAD)
            answers.append({**answer, "label": ranked[0][0], "probabilities": dict(ranked)} if ranked else answer)
        return answers


def detector() -> Detector:
    """What `detect` asks; UsageError if no language detection model is installed."""
    model = Detector.__new__(Detector)
    vars(model).update(vars(identifier()))
    return model


def detect(text: str) -> list[tuple[str, float]]:
    """Detect the language of a text: (code, probability), most likely first; empty for a text without letters.

    Told by the model that comes with lamella, offline; 30 languages. Of a word or two also by how common the words are, and the
    languages that are translated are more likely. Probabilities under 0.01 are left out.

    >>> detect("Wo ist der Bahnhof?")[0][0], detect("12:30")
    ('de', [])
    """
    if not isinstance(text, str):
        raise UsageError(f"expected a string, received {type(text).__name__}.")
    if not any(map(str.isalpha, text)):
        return []
    ranked = weigh(
        text, identifier().predict(text)["probabilities"], sorted({c for pair in directions() for c in pair})
    )
    return [(code, share) for i, (code, share) in enumerate(ranked) if i == 0 or share >= SLIGHT]


def language_name(code: str) -> str:
    """A language in English: "French"; an unknown code as it is."""
    return NAMES.get(base_code(code), (code,))[0]


def words_of(path: Path) -> str:
    """The first words of a document, of a page without tags, of a catalogue its sources; "" if it cannot be read."""
    from lamella.data.documents import formats

    try:
        return "\n".join(formats.open_document(path).segments)[:SEEN]
    except LamellaError:  # the translation reports it with a better message
        return ""
