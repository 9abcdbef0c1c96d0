"""The LibreTranslate API over the translation models, so that its clients work unchanged.

Written from its public description and from what its clients send: /translate, /languages, /detect, /translate_file,
/download_file, /frontend/settings, /suggest and /spec. Fields come as JSON, as a form or in the address. API keys are
ignored: whoever reaches this server may use it. docs/server.md lists routes, fields and errors.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lamella.data.documents.webpages import WebPage
from lamella.data.text.languages import NAMES, base_code
from lamella.server import files, swagger
from lamella.server.batching import Job
from lamella.server.bodies import fields_of, form_of, kind_of, until_left
from lamella.server.detecting import Guess, guesses, without_tags
from lamella.server.pairs import Pairs, Way
from lamella.server.replies import Refused, reply
from lamella.task import Example

AUTO = "auto"
MOST = 8  # most translations of one text
HTML = "html"
UTF8 = b"\xef\xbb\xbf"  # before a page: it is in UTF-8 whatever it says, and answers need no entities


class Ask(NamedTuple):
    """What /translate is asked for."""

    texts: list[str]
    source: str
    target: str
    format: str
    alternatives: int
    several: bool  # whether the texts came as a list, and so do the answers


def routes() -> list[Route]:
    kinds: list[tuple[str, Any, str]] = [
        ("/translate", _translate, "POST"),
        ("/languages", _languages, "GET"),
        ("/detect", _detect, "POST"),
        ("/translate_file", _translate_file, "POST"),
        ("/download_file/{key}", _download, "GET"),
        ("/frontend/settings", _settings, "GET"),
        ("/suggest", _suggest, "POST"),
        ("/spec", _spec, "GET"),
        ("/docs", _docs, "GET"),
    ]
    # An address that was entered with a slash at its end gives clients that add `/translate` two of them.
    return [Route(slash + path, work, methods=[method]) for path, work, method in kinds for slash in ("", "/")]


# ---- fields ------------------------------------------------------------------------------------------------------


def _ask(fields: Mapping[str, Any]) -> Ask:
    """Refused with 400 for a field that is missing or of another kind, in LibreTranslate's words."""
    texts, several = _texts(fields)
    source, target = _text(fields, "source"), _text(fields, "target")
    alternatives = _count(fields, "alternatives")
    kind = _text(fields, "format", "text")
    if kind not in ("text", HTML):
        raise Refused(400, f"{kind[:60]} format is not supported")
    return Ask(texts, source, target, kind, alternatives, several)


def _texts(fields: Mapping[str, Any]) -> tuple[list[str], bool]:
    """The field `q`, as a list, and whether it came as one."""
    given = fields.get("q")
    if not isinstance(given, list):
        return [_text(fields, "q")], False
    if not given:
        raise Refused(400, "Invalid request: missing q parameter")
    return [_as_text(one, "q") for one in given], True


def _text(fields: Mapping[str, Any], name: str, default: str = "") -> str:
    given = fields.get(name)
    text = _as_text(default if given is None or given == "" else given, name)
    if not text:
        raise Refused(400, f"Invalid request: missing {name} parameter")
    return text


def _as_text(given: Any, name: str) -> str:
    """A text, or a number as it is written."""
    if isinstance(given, str):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return msgspec.json.encode(given).decode()
    also = " or a list of texts" if name == "q" else ""
    raise Refused(400, f"Invalid request: {name} parameter is not a text{also}, but {_kind(given)}")


def _kind(given: Any) -> str:
    kinds = {bool: "a truth value", list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(given), type(given).__name__)


def _count(fields: Mapping[str, Any], name: str) -> int:
    """A number from 0, as a number or as text; a missing one is 0."""
    given = fields.get(name)
    try:
        return max(0, int(given or 0)) if not isinstance(given, bool) else int("")
    except (TypeError, ValueError, OverflowError) as error:
        raise Refused(400, f"Invalid request: {name} parameter is not a number") from error


# ---- languages ---------------------------------------------------------------------------------------------------


def _pairs(request: Request) -> Pairs:
    return Pairs(request.app.state.shared.models)


def _code(pairs: Pairs, given: str) -> str:
    """A language as it is served; Refused with 400 for another one."""
    code = pairs.code(given)
    if not code:
        raise Refused(400, f"{given[:20]} is not supported")
    return code


def _way(pairs: Pairs, source: str, target: str) -> Way:
    way = pairs.way(source, target)
    if way is None:
        raise Refused(400, f"{_named(target)} is not available as a target language from {_named(source)}")
    return way


def _name(code: str) -> str:
    return NAMES.get(base_code(code), (code,))[0]


def _named(code: str) -> str:
    return f"{_name(code)} ({code})"


def _languages(request: Request) -> Response:
    """English first, then by name, as LibreTranslate lists them; each can be translated to itself."""
    pairs = _pairs(request)
    codes = sorted(pairs.codes, key=lambda code: (code != "en", _name(code)))
    return reply([{"code": c, "name": _name(c), "targets": sorted([c, *pairs.targets(c)])} for c in codes])


def _settings(request: Request) -> Response:
    state, pairs = request.app.state.shared, _pairs(request)
    target = next((dst for _, dst in pairs.direct), "")
    suffixes = _suffixes(pairs)
    return reply(
        {
            "apiKeys": False,
            "charLimit": state.limits.characters,
            "filesTranslation": bool(suffixes),
            "frontendTimeout": 500,
            "keyRequired": False,
            "language": {
                "source": {"code": AUTO, "name": "Auto Detect"},
                "target": {"code": target, "name": _name(target)},
            },
            "suggestions": False,
            "supportedFilesFormat": suffixes,
        }
    )


def _suffixes(pairs: Pairs) -> list[str]:
    return sorted({suffix for served in pairs.direct.values() for suffix in served.model.task.suffixes})


def _suggest(request: Request) -> Response:
    raise Refused(403, "Suggestions are disabled on this server.")


def _spec(request: Request) -> Response:
    return reply(swagger.describe())


def _docs(request: Request) -> Response:
    return RedirectResponse("/openapi.json")


# ---- translate ---------------------------------------------------------------------------------------------------


async def _translate(request: Request) -> Response:
    ask = _ask(await fields_of(request))
    return reply(await until_left(request, _translated(request, ask)))


async def _translated(request: Request, ask: Ask) -> dict[str, Any]:
    pairs, limits = _pairs(request), request.app.state.shared.limits
    size, most = sum(map(len, ask.texts)), limits.characters
    if size > most or len(ask.texts) > limits.examples:
        size, most = (size, most) if size > most else (len(ask.texts), limits.examples)
        raise Refused(400, f"Invalid request: request ({size}) exceeds text limit ({most})")
    target = _code(pairs, ask.target)
    sources, detected = await _sources(request, ask, pairs, target)
    answers: list[list[str]] = [[text] for text in ask.texts]
    for source in dict.fromkeys(sources):
        if source in ("", target):
            continue  # such texts come back as they were
        way = _way(pairs, source, target)
        chosen = [i for i, code in enumerate(sources) if code == source]
        for i, answer in zip(chosen, await _answers(way, [ask.texts[i] for i in chosen], ask), strict=True):
            answers[i] = answer
    out: dict[str, Any] = {"translatedText": [best for best, *_ in answers]}
    if ask.alternatives:
        out["alternatives"] = [others for _, *others in answers]
    if detected:
        out["detectedLanguage"] = [guess.json() for guess in detected]
    return out if ask.several else {name: value[0] for name, value in out.items()}


async def _sources(request: Request, ask: Ask, pairs: Pairs, target: str) -> tuple[list[str], list[Guess]]:
    """The language that each text is translated from, "" for one that is left as it is, and what was detected.

    A text in a language that does not lead to the target is left as it is where others can be translated; Refused with
    400 where none can.
    """
    if ask.source != AUTO:
        return [_code(pairs, ask.source)] * len(ask.texts), []
    able = [*pairs.sources(target), target]
    texts = [without_tags(text) for text in ask.texts] if ask.format == HTML else ask.texts
    found = await guesses(request, texts, able, target)
    nothing = Guess("en" if "en" in able else able[0], 0.0)  # of a text without letters
    detected = [some[0] if some else nothing for some in found]
    sources = [
        guess.language if some and guess.language in able else "" for some, guess in zip(found, detected, strict=True)
    ]
    foreign = [guess for some, guess in zip(found, detected, strict=True) if some and guess.language not in able]
    if foreign and not any(sources):
        code, sure = foreign[0]
        if code in pairs.codes:
            _way(pairs, code, target)
        raise Refused(
            400, f"{code} is not supported. The text looks {_name(code)} ({sure:g}%); if it is not, name its language."
        )
    return sources, detected


async def _answers(way: Way, texts: Sequence[str], ask: Ask) -> list[list[str]]:
    """The translations of each text, best first."""
    served, most = way.last, min(ask.alternatives + 1, MOST)
    model = await way.model({"alternatives": most} if most > 1 else {})
    field = next(iter(model.task.fields))
    if ask.format != HTML:
        examples: list[Example] = [{field: text} for text in texts]
        return [a if isinstance(a, list) else [a] for a in await served.answers(model, examples)]
    state = Job(model, [], served.limits.seconds)

    def read() -> list[WebPage | None]:
        return [WebPage(UTF8 + t.encode(errors="replace"), "q", way.dst) if t.strip() else None for t in texts]

    pages = await served.reading(read, state)  # in a thread, since a page may be long and odd
    pieces = [segment for page in pages if page for segment in page.segments]
    most = 10 * served.limits.examples
    if len(pieces) > most:
        raise Refused(400, f"Invalid request: request ({len(pieces)}) exceeds text limit ({most})")
    found = await served.answers(model, [{field: piece} for piece in pieces])
    rest = iter([a if isinstance(a, list) else [a] for a in found])
    # The nth translation of a page takes the nth one of every sentence, or its last.
    return [
        _rendered(page, [next(rest) for _ in page.segments]) if page else [text]
        for page, text in zip(pages, texts, strict=True)
    ]


def _rendered(page: WebPage, answers: Sequence[Sequence[str]]) -> list[str]:
    many = max(map(len, answers), default=1)
    pages = [page.render([some[min(n, len(some) - 1)] for some in answers]) for n in range(many)]
    return list(dict.fromkeys(raw.removeprefix(UTF8).decode() for raw in pages))


# ---- detect ------------------------------------------------------------------------------------------------------


async def _detect(request: Request) -> Response:
    """The possible languages; of a list of texts in one list, each with its mean over the letters of all texts."""
    texts, _ = _texts(await fields_of(request))
    limits = request.app.state.shared.limits
    if len(texts) > limits.examples:
        raise Refused(400, f"Invalid request: request ({len(texts)}) exceeds text limit ({limits.examples})")
    pairs = _pairs(request)
    found = await until_left(request, guesses(request, texts, pairs.codes))
    shares: dict[str, float] = {}
    total = sum(len(text) for text, some in zip(texts, found, strict=True) if some)
    for text, some in zip(texts, found, strict=True):
        for guess in some:
            shares[guess.language] = shares.get(guess.language, 0.0) + guess.confidence * len(text) / total
    ranked = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0])) or [("en", 0.0)]
    return reply([Guess(code, round(sure, 1)).json() for code, sure in ranked])


# ---- files -------------------------------------------------------------------------------------------------------


async def _translate_file(request: Request) -> Response:
    state, pairs = request.app.state.shared, _pairs(request)
    if not kind_of(request).startswith("multipart/"):
        raise Refused(400, "Invalid request: missing file parameter. Expected a form as multipart/form-data")
    async with form_of(request) as form:
        fields = {**request.query_params, **{name: value for name, value in form.items() if isinstance(value, str)}}
        if not form.get("file") or isinstance(form.get("file"), str):
            raise Refused(400, "Invalid request: missing file parameter")
        name, raw = await files.upload(form, state.limits)
    given, target = _text(fields, "source"), _text(fields, "target")
    suffixes = _suffixes(pairs)
    if Path(name).suffix.lower() not in suffixes:
        raise Refused(400, f"Invalid request: file format not supported. Expected one of {' '.join(suffixes)}")
    target = _code(pairs, target)
    source = await _source_of_file(request, pairs, target, name, raw) if given == AUTO else _code(pairs, given)
    content, suffix = raw, Path(name).suffix
    if source != target:
        way = _way(pairs, source, target)
        model = await way.model()
        work = way.last.at_length(model, lambda model: files.answer_document(state.scratch, model, name, raw))
        content, suffix, _ = await until_left(request, work)
    key = state.store.put(files.name_of(name, suffix, source, target), content)
    return reply({"translatedFileUrl": f"{request.url.scheme}://{request.headers['host']}/download_file/{key}"})


async def _source_of_file(request: Request, pairs: Pairs, target: str, name: str, raw: bytes) -> str:
    """The language of a file's words; Refused with 400 where it does not lead to the target."""
    state = request.app.state.shared
    words = ""
    if state.identifier:
        job = Job(state.identifier.model, [], state.limits.seconds)
        words = await state.identifier.reading(lambda: files.words_of(state.scratch, name, raw), job)
        if not words:  # there are none, or the file cannot be read, of which its translation says more
            return next(iter(pairs.sources(target)), target)
    [source], _ = await _sources(request, Ask([words], AUTO, target, "text", 0, False), pairs, target)
    return source or target


def _download(request: Request) -> Response:
    return files.download(*request.app.state.shared.store.get(request.path_params["key"]))
