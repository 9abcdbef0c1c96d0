"""Find what must come through a translation unchanged: `%s`, `{name}`, `<b>`, `&amp;`, addresses, paths, options.

    >>> find("Copy %d files to <b>{folder}</b>? See https://example.org/a,b.")
    ['%d', '<b>', '{folder}', '</b>', 'https://example.org/a,b']

What counts depends on the kind of text. Prose is read as a person reads it: `100% sure` holds no placeholder. In a
message that its catalogue marks `c-format` the same `% s` is one, since `printf` and `msgfmt` see it so. The kind is
given as `format`: the flags of a catalogue's entry with blanks between, or `markdown`, or nothing.

Also here: the white space around a text, and the accelerator of a menu entry, `_File` or `&File`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

from lamella.data.text.lazy import lazy
from lamella.data.text.sentences import Span, is_wide

# Every part begins only where the text before it allows it, and repeats a bounded number of times, so that no text, of
# whatever length, takes more than a fixed effort for each character.
_ADDRESS = r"""
    (?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{1,20}+://(?:[^\s<>"'`|\\^{}\[\]]|\{[^{}\s]{0,80}\}){0,2000}(?<![.,;:!?)*_])
  | (?<![\w+.-])[\w.+-]{1,64}+@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+){1,8}
  | (?<![\w.@/])(?:mailto:|www\.)[^\s<>"'`\[\]]{1,2000}(?<![.,;:!?)}*_])
"""
_TAG = r"""
    <!--.{0,300}?--> | <\?.{0,300}?\?>
  | <(?P<literal>kbd|code|samp|var)(?:\s[^<>]{0,300})?>[^<>]{0,300}</(?P=literal)>
  | </?[A-Za-z][\w:.-]{0,60}+(?:\s[^<>]{0,2000})?/?> | </?\d{1,3}/?>
  | &(?:[A-Za-z][A-Za-z0-9]{1,31}|\#\d{1,7}|\#[xX][0-9A-Fa-f]{1,6});
"""
_PATH = r"""
    (?<![^\s"'“‘«(\[{}=:,;|>])(?:~|\.{1,2})?/(?:[\w.@%+-]{1,255}/){0,40}[\w.@%+-]{0,254}[\w/]
  | (?<![\w/.-])(?:[\w-]{1,60}/){1,20}[\w-]{1,60}(?:\.[A-Za-z0-9]{1,8}){1,3}(?!\w)
  | (?<!\w)[A-Za-z]:\\[^\s"<>|*?]{0,250}(?<![.,;:!)])
  | (?<![\w.-])[\w-]{1,60}+(?:\.[\w-]{1,30}){0,4}\.(?:
      bz2|cfg|conf|cpp|css|csv|deb|dll|docx?|exe|gif|gz|html?|ini|jpe?g|js|json|lock|log|md|mo|mp3|mp4|odt|ogg|onnx|pdf
      |php|png|pot?|pyc?|rpm|rst|sh|so|sql|srt|svg|tar|tgz|toml|tsv|txt|wav|xlsx?|xml|xz|ya?ml|zip)(?!\w)
"""
_VARIABLE = r"""
    <%.{0,300}?%> | \[\[[^\[\]\n]{1,80}\]\] | \$t\([^()\n]{1,80}\) | %\{[^{}\s]{1,60}\} | %\d{1,2}![\w.+\#-]{1,12}!
  | (?<![\w%])%[A-Za-z_]\w{1,60}%(?![\w%]) | %(?:\d{1,2}\$)?(?:@(?!\w)|\#@\w{1,60}@)
  | \{\ {0,2}(?:[-$][A-Za-z][^{}\n]{0,60}|[A-Z]{2,20}\([^{}()\n]{0,80}\)\ {0,2})\}
  | (?<![\w./@-])[A-Za-z_][\w-]{1,60}(?:\.[A-Za-z_][\w-]{1,60}){2,8}(?![\w.-]|\.\w)
  | (?<![\w./@-])[a-z]+(?:_[a-z]+)+\.[A-Za-z_]\w{1,60}(?![\w.-]) | (?<![\w:]):[a-z][a-z0-9_+-]{1,40}:(?![\w:])
  | (?<![\w@.-])(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|net|io|edu|gov|info|dev)(?:/[^\s<>"'`]{0,300}(?<![.,;:!?)]))?(?![\w-]|\.\w)
  | \$\{[^{}\s]{1,80}\} | \$\([^()\s]{1,80}\) | \$[A-Za-z_]\w{0,60}+
  | (?<!\w)@[A-Za-z_][\w.-]{0,60}@(?!\w) | (?<![\w@])@@[A-Za-z_][\w.-]{0,60}@@(?![\w@])
  | \{\{[^{}\n]{1,80}\}\} | \{%[^%\n]{0,200}%\} | \{\#[^\#\n]{0,200}\#\} | \{\{ | \}\}
  | \{(?:\w{1,60}+(?:\.\w{1,60}+|\[[^\[\]{}\n]{1,60}\]){0,8})?(?:,\s?[a-z]{2,12}(?:,\s?[^{}\n]{1,60})?)?(?:![rsa])?
      (?::(?:%[^{}\n]{1,60}|\s?(?:\{\w*\}|[^{}\s]){0,30}))?\}
"""
_OPTION = r"""
    (?<![\w-])--[A-Za-z0-9][\w-]{0,60}+=? | (?<![\w-])-[A-Za-z]\d{0,4}(?![\w'’-])
  | \\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[A-Za-z0-9\\"'])
"""
# A role of reStructuredText with its text, and the two ends of a link: the words of the link are translated.
_ROLE = r"""
    (?<![\w:]):[A-Za-z][\w+.:-]{0,40}:`[^`\n]{1,200}`
  | `(?=[^`<>\n]{1,200}<[^<>`\s]{1,300}>`__?(?!\w)) | \ ?<[^<>`\s]{1,300}>`__?(?!\w) | (?<!\w)__[A-Za-z]\w{0,60}?__(?!\w)
"""
_OVERRIDE = r"\{\\[^{}\n]{1,80}\}"  # {\an8} in subtitles
# Old messages quote `like this': such a quotation is no code, so an apostrophe has to be inside a word or in a pair.
_CODE = r"(?<!`)(?P<ticks>`{1,3}+)(?=[^\s`])(?:[^`'\n]|(?<=\w)'(?=\w)|'[^`'\n]{0,80}+'){1,300}+(?<=\S)(?P=ticks)(?!`)"

_CONVERSION = r"(?:hh|ll|I64|I32|[hlLqjzt])?(?:[diouxXeEfFgGaAcCsSpnm]|<PRI[A-Za-z0-9]+>)"
_WIDTH = r"(?:\*(?:\d+\$)?|\d{1,9})?(?:\.(?:\*(?:\d+\$)?|\d{1,9})?)?"
# `printf` as msgfmt reads it.
_STRICT = rf"""
    %\d+\$[-+\ \#0'I]*{_WIDTH}{_CONVERSION} | %(?:\([^()\n]{{1,60}}\))?[-+\ \#0'I]*{_WIDTH}(?:{_CONVERSION}|[rb%])
"""
# The same as a person reads it, with the formats of dates and of Qt. After a digit a word is a word: "50%discount".
_NATURAL = rf"""
    %\([^()\n]{{1,60}}\)[-+\ \#0]*{_WIDTH}(?:{_CONVERSION}|r)
  | %\d+\$[-+\#0'I]*{_WIDTH}{_CONVERSION}
  | (?<!\d)%[-+\#0']*{_WIDTH}{_CONVERSION} | (?<=\d)%[-+\#0']*{_WIDTH}{_CONVERSION}(?!\w)
  | %% | %\d{{1,2}}%(?![\dLn]) | %L?\d{{1,2}} | (?<!\d)%[-_^\#EO]?[A-Za-z] | %L?n(?!\w)
"""
# The delimiters of emphasis and links are placeholders too: the words between them are translated where they stand.
_MARKDOWN = r"""
    (?<!\\)!?\[\[[^\[\]\n]{1,80}\]\](?![(\[]) | \[\^[^\[\]\s]{1,60}\] | (?<!\\)!?\[
  | (?<!\\)\](?:\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)|\[[^\[\]\n]{0,200}\])?
  | (?<![\\*\w])\*{1,3}+(?=[^\s*]) | (?<=[^\s*\\])\*{1,3}+(?!\w)
  | (?<![\\_\w])_{1,3}+(?=[^\s_]) | (?<=[^\s_\\])_{1,3}+(?!\w)
  | ~~ | (?<![=\w])==(?=[^\s=]) | (?<=[^\s=])==(?![=\w]) | (?<![\\\w$])\$(?=\S)[^$\n]{1,200}(?<=\S)\$(?!\d) | \\[!-/:-@\[-`{-~]
"""


def _compile(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.VERBOSE)


_PARTS = {
    "": (_OVERRIDE, _ROLE, _CODE, _ADDRESS, _TAG, _VARIABLE, _NATURAL, _PATH, _OPTION),
    "percent": (_ROLE, _ADDRESS, _TAG, _VARIABLE, _STRICT, _PATH, _OPTION),
    "srt": (_OVERRIDE, _ADDRESS, _TAG, _VARIABLE, _NATURAL),
    "markdown": (_CODE, _ADDRESS, _TAG, _MARKDOWN, _VARIABLE, _NATURAL, _PATH, _OPTION),
}


# Each placeholder has one of these: where a text has none the patterns, which take longer to compile than a sentence to
# translate, are not asked.
_SIGN = lazy(r"[@<&/\\%\[\]{}$_`*~=]|[.:](?=\S)|(?<!\w)-")


@cache
def _directive() -> re.Pattern[str]:
    return _compile(_STRICT)


@cache
def _brace() -> re.Pattern[str]:
    return _compile(_VARIABLE)


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    """Compiled when it is first asked for: each takes some milliseconds, and a text has one format."""
    return _compile(*_PARTS[kind])


_PERCENT = frozenset(("c", "objc", "gcc-internal", "python", "php", "perl", "lua", "javascript", "tcl", "awk"))
_BRACES = frozenset(("python-brace", "perl-brace", "csharp", "java"))
_UNNUMBERED = lazy(rf"(?<!\d)%[-+#0']*{_WIDTH}{_CONVERSION}")
_ELEMENT = lazy(r"<(?P<close>/)?(?P<name>[A-Za-z0-9][\w:.-]*)[^<>]*?(?P<empty>/)?>")
# An element that lost its content, as in `<b></b> Start`, is well nested and still wrong.
_EMPTIED = lazy(r"<\w[^<>]*>\s*</\w[^<>]*>|\*\*\s*\*\*|\[\]\(")
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))


def _names(format: str) -> frozenset[str]:
    return frozenset(flag.removesuffix("-format") for flag in format.replace(",", " ").split())


def _kind(format: str) -> str:
    if not format:
        return ""
    names = _names(format)
    return "percent" if names & _PERCENT else next((kind for kind in ("markdown", "srt") if kind in names), "")


def spans(text: str, format: str = "") -> list[Span]:
    """The positions (start, end) of a text's placeholders, in order, not overlapping.

    >>> spans("Hello {name}!")
    [(6, 12)]
    """
    text = _apart(text)
    if not _SIGN.search(text):
        return []
    return [match.span() for match in _pattern(_kind(format)).finditer(text)]


_WIDE = "\u2e80-\u2fff\u3040-\u9fff\uf900-\ufaff"
_HELD = lazy(
    rf"\{{[^{{}}\n]{{0,80}}\}}|<[^<>\n]{{0,300}}>|%\([^()\n]{{1,60}}\)|\[\[[^\[\]\n]{{1,80}}\]\]|`[^`\n]{{1,300}}`|[{_WIDE}]|[\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]"
)


def _apart(text: str) -> str:
    """A text in which Chinese characters are no letters, since they stand beside an address or a name without a blank.

    >>> _apart("写信给me@a.org，见{名字}")
    '。。。me@a.org 。{名字}'
    """
    if text.isascii() or max(text) < "\u2e80":
        return text
    return _HELD.sub(
        lambda match: match[0] if len(match[0]) > 1 else "。" if re.match(f"[{_WIDE}]", match[0]) else " ", text
    )


def find(text: str, format: str = "") -> list[str]:
    """The placeholders of a text, in order.

    In: the text, and what kind it is of (see the top of this file). Out: each placeholder as it is written.

        >>> find("100% sure about %1$s and $HOME/bin, run `ls -l` or mail me@example.org")
        ['%1$s', '$HOME', '`ls -l`', 'me@example.org']
        >>> find("100% sure", "c-format")
        ['% s']
        >>> find("[The **manual**](a.html)", "markdown")
        ['[', '**', '**', '](a.html)']
    """
    return [text[start:end] for start, end in spans(text, format)]


def same(a: str, b: str, format: str = "") -> bool:
    """Whether two texts hold the same placeholders equally often, in any order.

    >>> same("{a} of {b}", "{b} : {a}"), same("%d files", "files")
    (True, False)
    """
    return Counter(find(a, format)) == Counter(find(b, format))


def agree(source: str, answer: str, format: str = "") -> bool:
    """Whether an answer can stand for its source: the same placeholders, where their order matters in the same order.

    In: both texts and the kind of text. Out: False as well where the answer has a `%` or a brace that would be an error
    in its format, and where an element closes before it opens, is not nested, or has lost what was in it.

        >>> agree("%s of %d", "%d : %s"), agree("%1$s of %2$d", "%2$d : %1$s")
        (False, True)
        >>> agree("Press <b>Start</b>", "Appuyez sur </b>Démarrer<b>"), agree("50%% of %s", "50 % de %s", "c-format")
        (False, False)
    """
    if not same(source, answer, format):
        return False
    names = _names(format)
    if _ordered(source, names) != _ordered(answer, names):
        return False
    if _strays(answer, names) not in ([], _strays(source, names)):
        return False
    if "java" in names and "{" in source and "'" in answer.replace("''", ""):
        return False  # MessageFormat takes a single apostrophe for the beginning of a quotation
    return _nested(source, answer, "markdown" in names)


def covers(plural: str, singular: str, format: str = "") -> bool:
    """Whether a singular can leave out what its plural has: `One file` for `%d files`, but not `%s` for `%d of %s`.

    >>> covers("%d files", "One file"), covers("%d of %s", "one of %s"), covers("{n} of {all}", "one of {all}")
    (True, False, True)
    """
    names = _names(format)
    ours, theirs = (_ordered(text, names) for text in (singular, plural))
    if ours != theirs[: len(ours)] or _strays(singular, names) != _strays(plural, names):
        return False
    return Counter(find(singular, format)) <= Counter(find(plural, format))


def _strays(text: str, names: frozenset[str]) -> list[str]:
    """Characters that begin like a directive of the format but are none; msgfmt refuses such a text."""
    percents = re.findall("%.?", _directive().sub("\0", text)) if names & _PERCENT else []
    return percents + (re.findall("[{}]", _brace().sub("\0", text)) if names & _BRACES else [])


def _ordered(text: str, names: frozenset[str]) -> list[str]:
    """The directives that take their arguments in order, and so must not be reordered."""
    if names & _PERCENT:
        directives = [match[0] for match in _directive().finditer(text)]
        return [one for one in directives if one[-1] != "%" and "$" not in one and "(" not in one]
    return _UNNUMBERED.findall(text.replace("%%", ""))


def _nested(source: str, answer: str, links: bool) -> bool:
    """Whether the elements of the answer are nested as well as those of the source."""
    if _EMPTIED.search(answer) and not _EMPTIED.search(source):
        return False
    closed = {match["name"] for match in _ELEMENT.finditer(source) if match["close"]} - _VOID
    ours, theirs = (list(_events(text, closed, links)) for text in (source, answer))
    # A part of something larger, as `</b> and`, is not balanced: all that is sure is the order it has.
    return ours == theirs or (_balanced(ours) and _balanced(theirs))


def _events(text: str, closed: set[str], links: bool) -> Iterator[str]:
    for match in _ELEMENT.finditer(text):
        if match["name"] in closed and not match["empty"]:
            yield ("/" if match["close"] else "") + match["name"]
    if links:
        for one in find(text, "markdown"):
            if one[0] == "]" or one in ("[", "!["):
                yield "/[" if one[0] == "]" else "["


def _balanced(events: list[str]) -> bool:
    stack: list[str] = []
    for event in events:
        if not event.startswith("/"):
            stack.append(event)
        elif not stack or stack.pop() != event[1:]:
            return False
    return not stack


def edges(text: str) -> tuple[str, str, str]:
    r"""A text as the white space before it, itself, and the white space after it.

    >>> edges(" Name:\n")
    (' ', 'Name:', '\n')
    """
    core = text.strip()
    start = len(text) - len(text.lstrip())
    return text[:start], core, text[start + len(core) :]


# --- accelerators ----------------------------------------------------------------------------------------------------

_LABEL = 80  # longer texts are no labels of a button or menu
_WORD = lazy(r"(?P<before>[^\W_]*)(?P<mark>[_&])(?P<after>[^\W_]+)")


_SENTENCE = 5  # words


def accelerator(text: str, format: str = "") -> str:
    """The marker of a keyboard accelerator with its letter, or an empty text.

    >>> [accelerator(text) for text in ("Save _As", "E&xit", "max_width", "R&D", "&amp;")]
    ['_A', '&x', '', '', '']
    """
    return split_accelerator(text, format)[1]


def split_accelerator(text: str, format: str = "") -> tuple[str, str]:
    """A label without the marker of its accelerator, and the marker with its letter (or an empty text).

    >>> split_accelerator("_Open…"), split_accelerator("Nothing")
    (('Open…', '_O'), ('Nothing', ''))
    """
    if len(text) > _LABEL or "\n" in text or not ("_" in text or "&" in text) or _kind(format) == "markdown":
        return text, ""
    taken = spans(text, format)
    for match in _WORD.finditer(text):
        place, before, after = match.start("mark"), match["before"], match["after"]
        free = [i for i, char in enumerate(text) if char == match["mark"] and not _inside(i, taken)]
        if free != [place] or text[: match.start()].endswith(("@", "#", "/", ".", '"', "“", "«")):
            continue
        # Inside a word the marker has to be in one that is written as a word: not `max_width`, `AT&T` or `MAX_SIZE`.
        # And a sentence is no label: `no pg_constraint entry for it`.
        short = min(len(before), len(after)) <= 2 and before.islower() and len(text.split()) < _SENTENCE
        titled = before.istitle() or (len(before) == 1 and before.isupper())
        if not before or (after.islower() and (titled or short)):
            return text[:place] + text[place + 1 :], match["mark"] + after[0]
    return text, ""


def without_accelerators(source: str, target: str) -> tuple[str, str]:
    """`_File` and `_Fichier` without their marks, where both have one: the guard asks nets without them.

    >>> without_accelerators("_File", "_Fichier"), without_accelerators("_File", "Fichier")
    (('File', 'Fichier'), ('_File', 'Fichier'))
    """
    (plain, mark), (translated, other) = map(split_accelerator, (source, target))
    return (plain, translated) if mark and other else (source, target)


def restore_accelerator(text: str, mark: str, format: str = "") -> str:
    """Put an accelerator into a label: before the same letter if there is one, otherwise before the first.

    In: the label, and what `split_accelerator` gave. Out: the label with the marker, in a script without letters of
    its own for keys in parentheses after it; as it was if it has no letter at all.

        >>> restore_accelerator("Enregistrer sous", "_s"), restore_accelerator("Fichier", "&Q")
        ('Enregistrer _sous', '&Fichier')
        >>> restore_accelerator("打开...", "&O")
        '打开(&O)...'
    """
    if not mark:
        return text
    taken = spans(text, format)
    letters = [i for i, char in enumerate(text) if char.isalnum() and not _inside(i, taken)]
    if not letters:
        return text
    if is_wide(text[letters[0]]):
        body = text.rstrip(".…:： ")
        return f"{body}({mark.upper()}){text[len(body) :]}"

    def worth(i: int) -> tuple[bool, bool, bool]:
        begins = i == 0 or not text[i - 1].isalnum()
        return text[i].lower() == mark[1].lower(), begins, text[i] == mark[1]

    best = max(letters, key=worth)  # of equals the first
    if not worth(best)[0]:
        best = letters[0]
    return text[:best] + mark[0] + text[best:]


def _inside(position: int, taken: list[Span]) -> bool:
    return any(start <= position < end for start, end in taken)
