"""The LibreTranslate API over the translation models, so that its clients work unchanged.

Written from its public description and from what its clients send: /translate, /languages, /detect, /translate_file,
/download_file, /frontend/settings, /suggest and /spec. Fields come as JSON, as a form or in the address. API keys are
ignored: whoever reaches this server may use it. docs/server.md lists routes, fields and errors.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from lamella.data.documents.webpages import WebPage
from lamella.data.text.languages import NAMES, base_code
from lamella.errors import LamellaError
from lamella.model.answering import answer_all
from lamella.server import files, swagger
from lamella.server.asked import HTML, Ask, ask_of, text_of, texts_of
from lamella.server.batching import Job
from lamella.server.bodies import fields_of, form_of, kind_of, until_left
from lamella.server.detecting import Guess, guesses, without_tags
from lamella.server.facts import suffixes as suffixes_of
from lamella.server.pairs import Pairs, Way
from lamella.server.replies import Refused, reply
from lamella.task import Answer, Example

AUTO = "auto"
MOST = 8  # most translations of one text
UTF8 = b"\xef\xbb\xbf"  # before a page: it is in UTF-8 whatever it says, and answers need no entities


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
    return sorted({suffix for served in pairs.direct.values() for suffix in suffixes_of(served.model.task)})


def _suggest(request: Request) -> Response:
    raise Refused(403, "Suggestions are disabled on this server.")


def _spec(request: Request) -> Response:
    return reply(swagger.describe())


def _docs(request: Request) -> Response:
    return RedirectResponse("/openapi.json")


# ---- translate ---------------------------------------------------------------------------------------------------


async def _translate(request: Request) -> Response:
    ask = ask_of(await fields_of(request))
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
    texts, _ = texts_of(await fields_of(request))
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


class Sent(NamedTuple):
    """What /translate_file is sent."""

    name: str
    raw: bytes
    source: str  # may be auto
    target: str
    columns: str  # of a table: which one holds the texts


async def _translate_file(request: Request) -> Response:
    state, pairs = request.app.state.shared, _pairs(request)
    sent = await _sent(request)
    suffixes = _suffixes(pairs)
    if Path(sent.name).suffix.lower() not in suffixes:
        raise Refused(400, f"Invalid request: file format not supported. Expected one of {' '.join(suffixes)}")
    sent = sent._replace(target=_code(pairs, sent.target))
    if sent.source != AUTO:
        sent = sent._replace(source=_code(pairs, sent.source))
    content, suffix, source = await until_left(request, _file(request, pairs, sent))
    key = state.store.put(files.name_of(sent.name, suffix, source, sent.target), content)
    return reply({"translatedFileUrl": f"{request.url.scheme}://{request.headers['host']}/download_file/{key}"})


async def _sent(request: Request) -> Sent:
    if not kind_of(request).startswith("multipart/"):
        raise Refused(400, "Invalid request: missing file parameter. Expected a form as multipart/form-data")
    async with form_of(request) as form:
        fields = {**request.query_params, **{name: value for name, value in form.items() if isinstance(value, str)}}
        if not form.get("file") or isinstance(form.get("file"), str):
            raise Refused(400, "Invalid request: missing file parameter")
        name, raw = await files.upload(form, request.app.state.shared.limits)
    return Sent(name, raw, text_of(fields, "source"), text_of(fields, "target"), str(fields.get("columns") or ""))


async def _file(request: Request, pairs: Pairs, sent: Sent) -> tuple[bytes, str, str]:
    """A file's bytes translated, their suffix, and the language they are from, "" where each row of a table has its own.

    A table gets the translations as a new column.
    """
    state, name, raw = request.app.state.shared, sent.name, sent.raw
    suffix = Path(name).suffix
    if sent.source == sent.target:
        return raw, suffix, sent.source
    any_served = next(iter(pairs.direct.values()))
    columns = files.columns_of(sent.columns, any_served.model.task)
    job = Job(any_served.model, [], state.limits.patience)

    def read() -> list[Example] | None:
        return files.rows_of(state.scratch, any_served.model, name, raw, columns)

    rows = await any_served.reading(read, job)
    if rows is not None:
        known = files.Known(any_served.model, rows, await _rows(request, pairs, sent, rows))
        out = await any_served.reading(lambda: files.answer_document(state.scratch, known, name, raw, columns), job)
        return out[0], out[1], sent.source.replace(AUTO, "")
    source = sent.source
    if source == AUTO and (source := await _source_of_file(request, pairs, sent.target, name, raw)) == sent.target:
        return raw, suffix, source
    way = _way(pairs, source, sent.target)
    content, suffix, _ = await way.last.at_length(
        await way.model(), lambda model: files.answer_document(state.scratch, model, name, raw, columns)
    )
    return content, suffix, source


async def _rows(request: Request, pairs: Pairs, sent: Sent, rows: Sequence[Example]) -> list[Answer | LamellaError]:
    """The translations of a table's rows, each from its own language where that is `auto`."""
    texts = [next(iter(row.values())) for row in rows]
    sources = [sent.source] * len(rows)
    if sent.source == AUTO:
        sources, _ = await _sources(request, Ask(texts, AUTO, sent.target, "text", 0, True), pairs, sent.target)
    answers: list[Answer | LamellaError] = list(texts)
    for source in dict.fromkeys(sources):
        if source in ("", sent.target):
            continue  # such rows come back as they were
        way = _way(pairs, source, sent.target)
        places = [i for i, code in enumerate(sources) if code == source]
        examples = [rows[i] for i in places]
        found = await way.last.at_length(await way.model(), lambda model, some=examples: answer_all(model, some))  # type: ignore[misc]
        for i, answer in zip(places, found, strict=True):
            answers[i] = answer
    return answers


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
