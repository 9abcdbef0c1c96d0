"""Which language a text is in: what a model says that detects languages, weighed by what is known besides.

Of a word or two such a model knows little: `Hello` is Italian to it, then Spanish. Known besides are the languages in
question, such as those that a server translates; the text's letters, since ñ is not German and no letter of Привет is
English; and how common the words are in each language. The longer a text, the more the model counts and the less the rest.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from lamella.data.text.common_words import STEP, log_likelihoods, steps, words_of
from lamella.data.text.languages import LETTERS as BEYOND
from lamella.data.text.languages import base_code

SURE = 20  # letters from which on a model is believed
LEAST = 5e-4  # a smaller probability says no more than this one
AHEAD, FAR_AHEAD = 1.0, 10.0  # log-odds of the languages in question: of a long text, and of one of no letters
ASKED = 0.7  # by so much, in log-odds, a text is less likely in the language that it is to be translated to
STRANGE = 2.0  # log-odds against a language for each letter that it does not have, and against another script
SCRIPT = 20.0
FIRST = 16  # words of a text that may decide by themselves
LEAD, KNOWN = 4.0, 0.8  # by how much, in log-odds, and what share of them must be words of the language
COMMON = 4  # steps from which a word is one of a language
WORDS = 6  # of a longer text, how common each word is says no more than the model

# The script of languages that are not written in Latin.
SCRIPTS = {
    "zh": "[\u3400-\u9fff]", "ja": "[\u3040-\u30ff\u3400-\u9fff]", "ko": "[\u1100-\u11ff\uac00-\ud7a3]", "ru": "[\u0400-\u04ff]",
    "bg": "[\u0400-\u04ff]", "uk": "[\u0400-\u04ff]", "el": "[\u0370-\u03ff]", "he": "[\u0590-\u05ff]", "ar": "[\u0600-\u06ff]",
}  # fmt: skip
# The letters besides a to z of the others. Vietnamese has too many to tell by one.
LETTERS = {code: own for code, own in BEYOND.items() if code not in SCRIPTS} | {"hu": "áéíóöőúüű", "id": "é", "vi": ""}
LATIN = "[A-Za-z\u00aa\u00ba\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]"


def weigh(
    text: str, probabilities: Mapping[str, float], known: Sequence[str], target: str = "", far: float = FAR_AHEAD
) -> list[tuple[str, float]]:
    """The languages of a text with their probabilities, most likely first; none for a text without letters.

    probabilities: a model's, by language; known: the languages in question; target: the one that the text is to be
    translated to, which it is less likely in; far: how far ahead, in log-odds, the languages in question are for the shortest
    text.

    >>> model = {"it": 0.7, "es": 0.26, "en": 0.01}
    >>> weigh("Hello", model, ["en", "es"], "es")[0][0], weigh("Привет", {"ru": 1.0}, ["en", "fr"])[0][0]
    ('en', 'ru')
    """
    letters = Counter(filter(str.isalpha, text.lower()))
    if not letters:
        return []
    trust = min(1.0, letters.total() / SURE)
    scripts = {script: _outside(letters, script) for script in {LATIN, *SCRIPTS.values()}}
    special = {letter for letter in letters if letter > "z"}
    common = log_likelihoods(text) if len(text.split()) <= WORDS else {}
    unlisted = max(common.values(), default=0.0) / 2
    scores = {}
    for code in {*probabilities, *known}:
        score = trust * math.log(max(probabilities.get(base_code(code), 0.0), LEAST)) - _strange(scripts, special, code)
        score += (1 - trust) * common.get(base_code(code), unlisted)
        score += (AHEAD + (far - AHEAD) * (1 - trust)) * (code in known)
        scores[code] = score - ASKED * (code == target)
    top = max(scores.values())
    shares = {code: math.exp(score - top) for code, score in scores.items()}
    total = sum(shares.values())
    return sorted(((code, share / total) for code, share in shares.items()), key=lambda pair: (-pair[1], pair[0]))


def by_words(text: str, known: Sequence[str], target: str = "") -> str:
    """The language of a text where its first words leave no doubt, so that no model need be asked; else "".

    known, target: as of `weigh`. Decided among languages that have a list of words and others of another script.

    >>> by_words("Hello, world!", ["en", "fr"], "fr"), by_words("Menu", ["en", "fr"], "fr"), by_words("Il museo", ["en", "fr"], "fr")
    ('en', '', '')
    """
    words = words_of(text)[:FIRST]
    found = [steps(word) for word in words]
    listed = [code for code in known if any(base_code(code) in counts for counts in found)]
    others = [code for code in known if code not in listed]
    if len(listed) < 2 or any(base_code(code) not in SCRIPTS for code in others):
        return ""
    scores = {code: STEP * sum(counts.get(base_code(code), 0) for counts in found) for code in listed}
    if target in scores:
        scores[target] -= ASKED
    best, second = sorted(scores, key=lambda code: -scores[code])[:2]
    own = sum(counts.get(base_code(best), 0) >= COMMON for counts in found)
    return best if scores[best] - scores[second] >= LEAD and own >= KNOWN * len(words) else ""


def _outside(letters: Counter[str], script: str) -> float:
    """The share of letters that are not of a script."""
    own = sum(letters[letter] for letter in re.findall(script, "".join(letters)))
    return 1 - own / letters.total()


def _strange(scripts: Mapping[str, float], special: set[str], code: str) -> float:
    """Log-odds against a language for letters that it does not have. special: letters besides a to z."""
    base = base_code(code)
    own = LETTERS.get(base)
    strange = 0 if own is None else len(special.difference(own))
    return SCRIPT * scripts[SCRIPTS.get(base, LATIN)] + STRANGE * min(2, strange)
