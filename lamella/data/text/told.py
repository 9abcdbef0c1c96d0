"""Which language a text is in: what a model says that detects languages, weighed by what is known besides.

Of a word or two such a model knows little: `Hello` is Italian to it, then Spanish. Known besides are the languages in
question, such as those that a server translates; the text's letters, since ñ is not German and no letter of Привет is
English; and how common the words are in each language. The longer a text, the more the model counts and the less the rest.
"""

import math
import re
from collections.abc import Mapping, Sequence

from lamella.data.text.common_words import log_likelihoods
from lamella.data.text.languages import base_code

SURE = 20  # letters from which on a model is believed
LEAST = 5e-4  # a smaller probability says no more than this one
AHEAD, FAR_AHEAD = 1.0, 10.0  # log-odds of the languages in question: of a long text, and of one of no letters
ASKED = 0.7  # by so much, in log-odds, a text is less likely in the language that it is to be translated to
STRANGE = 2.0  # log-odds against a language for each letter that it does not have, and against another script
SCRIPT = 20.0
WORDS = 6  # of a longer text, how common each word is says no more than the model

# The letters besides a to z of languages in Latin script; of others the script.
LETTERS = {
    "en": "", "fr": "àâæçéèêëîïôœùûüÿ", "de": "äöüß", "es": "áéíñóúü", "it": "àèéìíîòóùú", "pt": "áâãàçéêíóôõúü",
    "nl": "äëïöüéèĳ", "ca": "àçèéíïòóúü·", "gl": "áéíñóúïü", "sv": "åäöé", "da": "æøåé", "nb": "æøåéòô", "fi": "åäöšž",
    "pl": "ąćęłńóśźż", "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "ro": "ăâîșțşţ", "hu": "áéíóöőúüű", "tr": "âçğıîöşüû",
    "id": "é", "vi": "",
}  # fmt: skip
SCRIPTS = {
    "zh": "[\u3400-\u9fff]", "ja": "[\u3040-\u30ff\u3400-\u9fff]", "ko": "[\u1100-\u11ff\uac00-\ud7a3]", "ru": "[\u0400-\u04ff]",
    "bg": "[\u0400-\u04ff]", "uk": "[\u0400-\u04ff]", "el": "[\u0370-\u03ff]", "he": "[\u0590-\u05ff]", "ar": "[\u0600-\u06ff]",
}  # fmt: skip
LATIN = "[A-Za-z\u00aa\u00ba\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]"


def weigh(
    text: str, probabilities: Mapping[str, float], known: Sequence[str], target: str = ""
) -> list[tuple[str, float]]:
    """The languages of a text with their probabilities, most likely first; none for a text without letters.

    probabilities: a model's, by language; known: the languages in question; target: the one that the text is to be
    translated to, which it is less likely in.

    >>> model = {"it": 0.7, "es": 0.26, "en": 0.01}
    >>> weigh("Hello", model, ["en", "es"], "es")[0][0], weigh("Привет", {"ru": 1.0}, ["en", "fr"])[0][0]
    ('en', 'ru')
    """
    letters = [letter for letter in text.casefold() if letter.isalpha()]
    if not letters:
        return []
    trust = min(1.0, len(letters) / SURE)
    common = log_likelihoods(text) if len(text.split()) <= WORDS else {}
    unlisted = max(common.values(), default=0.0) / 2
    scores = {}
    for code in {*probabilities, *known}:
        score = trust * math.log(max(probabilities.get(base_code(code), 0.0), LEAST)) - _strange(letters, code)
        score += common.get(base_code(code), unlisted)
        score += (AHEAD + (FAR_AHEAD - AHEAD) * (1 - trust)) * (code in known)
        scores[code] = score - ASKED * (code == target)
    top = max(scores.values())
    shares = {code: math.exp(score - top) for code, score in scores.items()}
    total = sum(shares.values())
    return sorted(((code, share / total) for code, share in shares.items()), key=lambda pair: (-pair[1], pair[0]))


def _strange(letters: Sequence[str], code: str) -> float:
    """Log-odds against a language for letters that it does not have."""
    base = base_code(code)
    script = re.compile(SCRIPTS.get(base, LATIN))
    other = sum(not script.match(letter) for letter in letters) / len(letters)
    own = LETTERS.get(base)
    strange = {letter for letter in letters if own is not None and letter > "z" and letter not in own}
    return SCRIPT * other + STRANGE * min(2, len(strange))
