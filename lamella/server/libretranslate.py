"""The LibreTranslate API over the translation models, so that its clients work unchanged.

Written from its public description: /translate, /languages, /detect, /translate_file, /download_file, /frontend/settings
and /suggest, with bodies as JSON or as a form. API keys are ignored: whoever reaches this server may use it.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lamella.data.documents.webpages import WebPage
from lamella.data.text.languages import NAMES, base_code
from lamella.server import files, schema
from lamella.server.batching import Job
from lamella.server.bodies import FORMS, check_suffix, expect, form_of, kind_of, until_left
from lamella.server.models import Served
from lamella.server.replies import JSON, Refused, reply
from lamella.task import Example

AUTO = "auto"
T = TypeVar("T")
MOST = 8  # most translations of one text
SLIGHT = 0.01  # languages with a lower probability are left out


class Translate(msgspec.Struct):
    q: str | list[str]
    source: str
    target: str
    format: Literal["text", "html"] = "text"
    alternatives: Annotated[int, msgspec.Meta(ge=0)] = 0


class Detect(msgspec.Struct):
    q: str | list[str]


def routes() -> list[Route]:
    return [
        Route("/translate", _translate, methods=["POST"]),
        Route("/languages", _languages),
        Route("/detect", _detect, methods=["POST"]),
        Route("/translate_file", _translate_file, methods=["POST"]),
        Route("/download_file/{key}", _download),
        Route("/frontend/settings", _settings),
        Route("/suggest", _suggest, methods=["POST"]),
    ]


async def _asked(request: Request, kind: type[T]) -> T:
    """The fields of a JSON body or of a form; unknown fields are ignored."""
    expect(request, JSON, *FORMS)
    if kind_of(request) == JSON:
        return schema.decode(await request.body(), kind)
    async with request.form(max_files=0, max_fields=1000) as form:
        fields: dict[str, Any] = {key: form[key] for key in form}
        if len(form.getlist("q")) > 1:
            fields["q"] = form.getlist("q")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, f"{error}.") from error


# ---- who translates what -----------------------------------------------------------------------------------------


def translators(request: Request) -> dict[tuple[str, str], tuple[Served, dict[str, Any]]]:
    """(from, to) -> the model, and the fields of its examples besides the text."""
    models: dict[tuple[str, str], tuple[Served, dict[str, Any]]] = {}
    turned: dict[
        tuple[str, str], tuple[Served, dict[str, Any]]
    ] = {}  # the reverse direction of models that translate both ways
    for served in request.app.state.shared.models.values():
        if served.languages:
            src, dst = served.languages
            both = bool(served.model.manifest.config.get("both"))
            models.setdefault((src, dst), (served, {"to": dst} if both else {}))
            if both:
                turned.setdefault((dst, src), (served, {"to": src}))
    return {**models, **{pair: model for pair, model in turned.items() if pair not in models}}


def _translator(request: Request, source: str, target: str) -> tuple[Served, dict[str, Any]]:
    known = translators(request)
    for pair in ((source, target), (base_code(source), base_code(target))):
        if pair in known:
            return known[pair]
    served = ", ".join(f"{a} to {b}" for a, b in known) or "none"
    raise Refused(400, f"{source[:20]} to {target[:20]} is not served here. Served: {served}.")


def _languages(request: Request) -> Response:
    pairs = list(translators(request))
    codes = dict.fromkeys(code for pair in pairs for code in pair)
    return reply(
        [{"code": c, "name": _name(c), "targets": [c, *(b for a, b in pairs if a == c)]} for c in sorted(codes)]
    )


def _name(code: str) -> str:
    return NAMES.get(base_code(code), (code,))[0]


def _settings(request: Request) -> Response:
    state, known = request.app.state.shared, list(translators(request))
    first = known[0] if known else ("", "")
    return reply(
        {
            "apiKeys": False,
            "charLimit": state.limits.characters,
            "filesTranslation": True,
            "frontendTimeout": 500,
            "keyRequired": False,
            "language": {
                "source": {"code": AUTO, "name": "Auto Detect"},
                "target": {"code": first[1], "name": _name(first[1])},
            },
            "suggestions": False,
            "supportedFilesFormat": _suffixes(request),
        }
    )


def _suffixes(request: Request) -> list[str]:
    return sorted({s for served, _ in translators(request).values() for s in served.model.task.suffixes})


def _suggest(request: Request) -> Response:
    raise Refused(403, "suggestions are not taken here.")


# ---- translate ---------------------------------------------------------------------------------------------------


async def _translate(request: Request) -> Response:
    ask = await _asked(request, Translate)
    return reply(await until_left(request, _translated(request, ask)))


async def _translated(request: Request, ask: Translate) -> dict[str, Any]:
    texts = [ask.q] if isinstance(ask.q, str) else ask.q
    source, detected = ask.source, []
    if source == AUTO:
        detected = [_served(request, guesses, ask.target) for guesses in await _detected(request, texts)]
        source = _commonest(detected) or ask.target
    if source == ask.target:
        answers: list[list[str]] = [[text] for text in texts]
    else:
        served, extra = _translator(request, source, ask.target)
        await served.ready()
        most = min(ask.alternatives + 1, MOST)
        answers = await _answers(served, extra, texts, ask, most)
    out: dict[str, Any] = {"translatedText": [f[0] for f in answers]}
    if ask.alternatives:
        out["alternatives"] = [f[1:] for f in answers]
    if detected:
        out["detectedLanguage"] = detected
    return {name: value[0] for name, value in out.items()} if isinstance(ask.q, str) else out


async def _answers(
    served: Served, extra: dict[str, Any], texts: Sequence[str], ask: Translate, most: int
) -> list[list[str]]:
    """The translations of each text, best first."""
    limits, model = served.limits, served.with_options({"alternatives": most} if most > 1 else {})
    field = next(iter(model.task.fields))
    schema.limit_characters(model.task, [{field: text} for text in texts], limits)
    pages: list[WebPage] = []
    if ask.format == "html":
        state = Job(model, [], limits.seconds)

        def read() -> list[WebPage]:
            return [WebPage(t.encode(errors="replace"), "q", ask.target) for t in texts if t.strip()]

        pages = await served.reading(read, state)  # in a thread, since a page may be long and odd
    pieces = [s for page in pages for s in page.segments] if ask.format == "html" else list(texts)
    if len(pieces) > limits.examples * (10 if pages else 1):
        raise Refused(413, f"expected at most {limits.examples:,} texts, received {len(pieces):,}.")
    examples: list[Example] = [{field: piece, **extra} for piece in pieces]
    answers = await served.answers(model, examples, apart=extra.get("to", ""))
    lists = [a if isinstance(a, list) else [a] for a in answers]
    if ask.format == "text":
        return lists
    # The nth translation of a page takes the nth one of every sentence, or its last.
    translations, at = [], 0
    rest = iter(pages)
    for text in texts:
        if not text.strip():
            translations.append([text])
            continue
        page = next(rest)
        own = lists[at : at + len(page.segments)]
        at += len(page.segments)
        many = max(map(len, own), default=1)
        every = [page.render([m[min(n, len(m) - 1)] for m in own]).decode() for n in range(many)]
        translations.append(list(dict.fromkeys(every)))
    return translations


# ---- detect ------------------------------------------------------------------------------------------------------


async def _detect(request: Request) -> Response:
    ask = await _asked(request, Detect)
    texts = [ask.q] if isinstance(ask.q, str) else ask.q
    guesses = await until_left(request, _detected(request, texts))
    return reply(guesses[0] if isinstance(ask.q, str) else guesses)


async def _detected(request: Request, texts: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The possible languages of each text, most likely first, in percent; none for a text without letters."""
    identifier: Served | None = request.app.state.shared.identifier
    if identifier is None:
        raise Refused(501, "no model that tells languages is installed. Name the language of the text.")
    await identifier.ready()
    examples = identifier.check([{"text": text} for text in texts])
    guesses = []
    for answer in await identifier.answers(identifier.model, examples):
        ranked = sorted(answer["probabilities"].items(), key=lambda pair: -pair[1])
        likely = [(code, p) for code, p in ranked if p >= SLIGHT] or ranked[:1]
        guesses.append([{"confidence": round(100 * p, 1), "language": code} for code, p in likely[:5]])
    return [f if any(map(str.isalpha, text)) else [] for f, text in zip(guesses, texts, strict=True)]


def _served(request: Request, guesses: Sequence[dict[str, Any]], target: str) -> dict[str, Any]:
    """The most likely language that can be translated: a short text may fit several, and few are served."""
    sources = [a for a, b in translators(request) if b == base_code(target)]
    known = [f for f in guesses if f["language"] in (*sources, base_code(target))]
    return next(iter([*known, *guesses]), {"confidence": 0.0, "language": next(iter(sources), target)})


def _commonest(detected: Sequence[dict[str, Any]]) -> str:
    """The language that most of the texts are in."""
    codes = [d["language"] for d in detected]
    return max(sorted(set(codes)), key=codes.count, default="")


# ---- files -------------------------------------------------------------------------------------------------------


async def _translate_file(request: Request) -> Response:
    state = request.app.state.shared
    async with form_of(request) as form:
        name, raw = await files.upload(form, state.limits)
        source, target = str(form.get("source", "")), str(form.get("target", ""))
    check_suffix(name, _suffixes(request))
    if source == AUTO:
        text = raw[:4000].decode(errors="replace")
        source = _served(request, (await _detected(request, [text]))[0], target)["language"]
    served, extra = _translator(request, source, target)
    if extra.get("to", served.languages and served.languages[1]) != (served.languages or ["", ""])[1]:
        raise Refused(400, f"files are translated from {' to '.join(served.languages or [])} only by this model.")
    await served.ready()
    work = served.at_length(served.model, lambda model: files.answer_document(state.scratch, model, name, raw))
    content, suffix, _ = await until_left(request, work)
    key = state.store.put(files.name_of(name, suffix, source, target[:20]), content)
    return reply({"translatedFileUrl": f"{request.url.scheme}://{request.headers['host']}/download_file/{key}"})


def _download(request: Request) -> Response:
    return files.download(*request.app.state.shared.store.get(request.path_params["key"]))
