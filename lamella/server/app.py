"""The routes: one for each verb and model, the page, and the LibreTranslate API.

app = make_app({"my-model": lamella.load("my-model")})     an ASGI application, with all its limits
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lamella.errors import LamellaError
from lamella.model import Model, shipped
from lamella.model.values import are_rows
from lamella.server import about, files, growing, kept, libretranslate, openapi, schema
from lamella.server.access import Guard
from lamella.server.batching import Job
from lamella.server.bodies import Tell, check_suffix, form_of, in_lines, json_of, streamed, until_left, wants_progress
from lamella.server.common import Common, text_of
from lamella.server.facts import Opened, grows, suffixes
from lamella.server.limits import Limits
from lamella.server.metrics import TYPE
from lamella.server.models import Served, Tried
from lamella.server.pairs import Pairs, through
from lamella.server.replies import JSON, Refused, encode, hide, note, refusal, reply, report
from lamella.server.scratch import Scratch
from lamella.server.threads import in_thread
from lamella.server.watch import LOOK
from lamella.server.work import Check
from lamella.version import __version__

LARGE = 1 << 16  # bytes; larger bodies are parsed in a thread
PICTURE = 1 << 12  # bytes; larger ones may be pictures, which take time to decode
IDENTIFIER = "/languages"  # its name; with a slash, which the name of no served model has
T = TypeVar("T")


class State:
    """State that all requests share."""

    def __init__(self, models: Mapping[str, Served], limits: Limits, common: Common) -> None:
        self.limits, self.common = limits, common
        self.everywhere = False  # whether other machines can reach the server
        self.models = {name: served for name, served in models.items() if name != IDENTIFIER}
        self.identifier = models.get(IDENTIFIER)
        self.store = kept.store(limits, common.folder)
        self.scratch = Scratch(int(limits.scratch * 1e6), common.own_folder)
        self.whole: dict[tuple[str, int], asyncio.Task[bytes]] = {}  # cached explanations of whole models
        self._described: tuple[object, bytes] = (None, b"")
        for served in models.values():
            hide(Path(served.model.where))

    @property
    def every(self) -> list[Served]:
        return [*self.models.values(), *([self.identifier] if self.identifier else [])]

    def note(self, name: str, line: str) -> None:
        """Set what is wrong with a model, for /health."""
        next(served for served in self.every if served.name == name).note = line

    def named(self, request: Request) -> Served:
        """The model named in the request's path; Refused with 404 if there is none."""
        name = request.path_params["name"]
        if name not in self.models:
            raise Refused(404, f"no such model. Served are: {', '.join(self.models)}.")
        return self.models[name]

    async def served(self, request: Request) -> Served:
        """The same, once the model is ready."""
        served = self.named(request)
        await served.ready()
        return served

    async def facts(self) -> list[dict[str, Any]]:
        """The facts of each model, after a short wait for those that are not ready."""
        await asyncio.gather(*(served.ready(patient=False) for served in self.models.values()), return_exceptions=True)
        rows = []
        for served in self.models.values():
            with suppress(Exception):  # a model may be too broken to be described
                rows.append(served.facts)
        return rows

    async def described(self) -> bytes:
        """The OpenAPI description, rebuilt when a model becomes ready or is replaced."""
        facts = await self.facts()
        key = [(served.name, served.status, served.version) for served in self.models.values()]
        if self._described[0] != key:
            schemas = {one["name"]: self.models[one["name"]].now.schemas for one in facts}
            self._described = (key, encode(openapi.describe(facts, schemas, __version__)))
        return self._described[1]

    async def look(self) -> None:
        """Once a second, replace threads that hang and reload models that changed on disk."""
        while True:
            await asyncio.sleep(LOOK)
            asked, self.common.reload = self.common.reload, False
            for served in self.every:
                try:
                    if asked:
                        served.ask_again()
                    served.worker.relieve()
                    served.look()
                except Exception as error:
                    report(error)


def with_identifier(models: Mapping[str, Model]) -> dict[str, Model]:
    """The models, and the one that tells languages, where it is installed."""
    try:
        return {**models, IDENTIFIER: shipped.identifier()}
    except LamellaError:
        return dict(models)


def make_app(
    models: Mapping[str, Model | Tried],
    limits: Limits | None = None,
    names: Iterable[str] = (),
    everywhere: bool = False,
    task: str | None = None,
    common: Common | None = None,
    origins: Iterable[str] = (),
) -> Guard:
    """Models by name -> the application. names, everywhere, common, origins: see `Guard`; task: the file of a task from outside.

    Models that have run already, in the parent of this process, come as `Tried`.
    """
    limits, common = limits or Limits(), common or Common()
    tried = {name: one for name, one in models.items() if isinstance(one, Tried)}
    fresh = with_identifier({name: one for name, one in models.items() if isinstance(one, Model)}) if not tried else {}
    served = {name: Served(name, None, limits, task, one) for name, one in tried.items()}
    served |= {name: Served(name, one, limits, task) for name, one in fresh.items()}
    state = State(served, limits, common)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: _unforeseen(context))
        looking = asyncio.ensure_future(state.look())
        for served in state.every:
            served.begin()
        yield
        looking.cancel()
        for served in state.every:
            await in_thread(served.stop)
        state.scratch.close()

    routes = [
        Route("/", lambda request: files.page("index.html", request)),
        Route("/web/{file}", lambda request: files.page(request.path_params["file"], request)),
        Route("/health", _health),
        Route("/health/live", _live),
        Route("/health/ready", _ready),
        *([Route("/metrics", _counted)] if common.metrics else []),
        Route("/openapi.json", _described),
        Route("/models", _listed),
        Route("/models/{name}", _shown),
        Route("/models/{name}/predict", _predict, methods=["POST"]),
        Route("/models/{name}/document", _document, methods=["POST"]),
        Route("/models/{name}/explain", _explain, methods=["POST"]),
        *libretranslate.routes(),
    ]
    app = Starlette(routes=routes, lifespan=life, exception_handlers=HANDLERS)
    app.state.shared = state
    state.everywhere = everywhere
    return Guard(app, limits, common, names, everywhere, origins)


def _unforeseen(context: Mapping[str, Any]) -> None:
    """Log an error of the event loop on one line."""
    error = context.get("exception")
    if isinstance(error, Exception):
        report(error)
    elif isinstance(context.get("message"), str):
        note(context["message"])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    messages = {404: "no such address. /openapi.json lists them.", 405: "the method is not allowed here."}
    return reply({"error": messages.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(error)


HANDLERS: Any = {HTTPException: _http, LamellaError: _refused, Exception: _refused}


# ---- what there is -----------------------------------------------------------------------------------------------


async def _health(request: Request) -> Response:
    """Health of the server and of each model. "degraded": at least one fails, or could not be reloaded."""
    state: State = request.app.state.shared
    models = {name: served.health for name, served in state.models.items()}
    well = all(one["status"] != "failed" and "note" not in one for one in models.values())
    return reply({"status": "ok" if well else "degraded", "models": models})


async def _live(request: Request) -> Response:
    """Whether the process answers at all; where it does not, it should be started again."""
    return reply({"status": "ok"})


async def _ready(request: Request) -> Response:
    """Whether requests should be sent here: no model is starting, at least one answers, and the server does not stop."""
    state: State = request.app.state.shared
    found = [served.health["status"] for served in state.models.values()]
    ready = "starting" not in found and "ready" in found and not state.common.leaving
    return reply({"status": "ready" if ready else "not ready"}, 200 if ready else 503)


async def _counted(request: Request) -> Response:
    return Response(text_of(request.app.state.shared.common), 200, {"Content-Type": TYPE})


async def _described(request: Request) -> Response:
    state: State = request.app.state.shared
    return Response(await state.described(), 200, None, JSON)


async def _listed(request: Request) -> Response:
    state: State = request.app.state.shared
    here = {"everywhere": state.everywhere, "detects": state.identifier is not None}
    more = {"tasks": about.tasks(), "verbs": about.verbs(), "extras": about.extras()}
    ways = [
        {"from": way.src, "to": way.dst, "through": way.middle, "model": way.last.name}
        for way in Pairs(state.models).all()
    ]
    return reply({"models": await state.facts(), "pairs": ways, **more, **here})


async def _shown(request: Request) -> Response:
    state: State = request.app.state.shared
    opened = await state.named(request).ready()
    return reply(await in_thread(lambda: opened.more))


# ---- predict -----------------------------------------------------------------------------------------------------


async def _predict(request: Request) -> Response:
    state: State = request.app.state.shared
    body, begun = await json_of(request), time.monotonic()
    served = await state.served(request)
    model, examples, table = await _read(served, len(body), lambda check: _asked(served.now, body, check))
    model = through(state.models, served, model)

    async def work(tell: Tell | None) -> dict[str, Any]:
        if table:
            return await served.at_length(model, lambda m: files.answer_rows(state.scratch, m, examples), tell)
        answers = await served.answers(model, examples, tell, begun=begun)
        rendered = await _read(served, len(answers) * PICTURE, lambda _: [model.task.render(a) for a in answers])
        notes = await _read(served, len(body), lambda _: [model.task.output.noted(model.task, e) for e in examples])
        return {"answers": answers, "rendered": rendered, **({"notes": notes} if any(notes) else {})}

    if not table and wants_progress(request) and len(examples) == 1 and grows(model.task):
        return in_lines(lambda put: growing.lines(served, model, examples[0], put))
    if wants_progress(request):
        return streamed(work)
    return reply(await until_left(request, work(None)))


async def _read(served: Served, size: int, read: Callable[[Check], T]) -> T:
    """Parse a body with `read`; a large one in a thread, so that the event loop does not wait."""
    if size < LARGE:
        return read(lambda: None)
    state = Job(served.model, [], served.limits.seconds)
    try:
        return await served.reading(lambda: read(state.check), state)
    finally:
        state.left = True


def _asked(opened: Opened, body: bytes, check: Check) -> tuple[Model, Sequence[Any], bool]:
    """The model with the request's options, the request's examples, and whether they are a table that is answered as a whole."""
    ask = schema.decode(body, schema.Ask)
    model = opened.with_options(ask.options, ask.ask)
    rows = schema.rows_of(model.task, ask.examples)
    if are_rows(model.task, rows):
        return model, schema.as_table(rows, opened.limits), True
    return model, opened.check(rows, check, model), False


async def _document(request: Request) -> Response:
    state: State = request.app.state.shared
    served = await state.served(request)
    async with form_of(request) as form:
        name, raw = await files.upload(form, state.limits)
        options = schema.decode(str(form.get("options") or "{}").encode(errors="replace"), dict[str, Any])
        ask, named = str(form.get("ask") or ""), str(form.get("columns") or "")
    opened = served.now
    asked = opened.with_options(options, ask)
    check_suffix(name, suffixes(asked.task))
    columns = files.columns_of(named, asked.task)
    model = through(state.models, served, asked)

    async def work(tell: Tell | None) -> tuple[str, bytes, dict[str, int]]:
        content, suffix, counts = await served.at_length(
            model, lambda m: files.answer_document(state.scratch, m, name, raw, columns), tell
        )
        return files.name_of(name, suffix, *(opened.languages_of(asked) or [])), content, counts

    if wants_progress(request):

        async def result(tell: Tell | None) -> dict[str, Any]:
            out, content, counts = await work(tell)
            return {"file": f"/download_file/{state.store.put(out, content)}", "name": out, "counts": counts}

        return streamed(result)
    out, content, counts = await until_left(request, work(None))
    return files.download(out, content, {"X-Lamella-Counts": json.dumps(counts)})


# ---- explain -----------------------------------------------------------------------------------------------------


async def _explain(request: Request) -> Response:
    """Explain an example's answer, or, without an example, the whole model."""
    state: State = request.app.state.shared
    body = await json_of(request)
    served = await state.served(request)
    opened = served.now
    ask = schema.decode(body, schema.AskWhy)
    if ask.example is None:
        return await _explain_whole(state, served)
    model = opened.with_options(ask.options, ask.ask)
    [example] = await _read(served, len(body), lambda check: opened.check([ask.example or {}], check, model))
    if through(state.models, served, model).before:
        raise Refused(400, "two models translate this pair, one after the other. Explain each with its own languages.")
    await served.try_reading(model, example)
    method = {"method": ask.method} if ask.method else {}

    def work(model: Model) -> bytes:
        return _explained(model, example, **method)

    return Response(await until_left(request, served.at_length(model, work)), 200, None, JSON)


async def _explain_whole(state: State, served: Served) -> Response:
    """The explanation of the whole model, computed once and cached; concurrent requests wait for the same one."""
    key = (served.name, served.version)
    making = state.whole.get(key)
    if making is None or (making.done() and (making.cancelled() or making.exception())):
        for old in [k for k in state.whole if k[0] == served.name and k != key]:
            del state.whole[old]
        shelf = kept.Shelf(state.common.folder)
        making = asyncio.ensure_future(
            served.at_length(served.model, lambda m: shelf.once(served.name, m, _explained_whole))
        )
        state.whole[key] = making
    await asyncio.wait({making}, timeout=state.limits.seconds)
    if not making.done():
        raise Refused(503, "the explanation of the whole model is still being made. Ask again in a while.", 10)
    return Response(making.result(), 200, None, JSON)


def _explained_whole(model: Model) -> bytes:
    return _explained(model, None)


def _explained(model: Model, example: Any, **how: Any) -> bytes:
    from lamella.explain.explain import explain  # imported late: most servers never explain

    return explain(model, example, **how).to_json().encode(errors="replace")
