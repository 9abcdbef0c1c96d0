"""The routes: one for each verb and model, the page, and the LibreTranslate API.

app = make_app({"my-model": lamella.load("my-model")})     an ASGI application, with all its limits
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
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
from lamella.server import about, files, growing, libretranslate, openapi, schema
from lamella.server.access import Guard
from lamella.server.batching import Job
from lamella.server.bodies import Tell, check_suffix, form_of, in_lines, json_of, streamed, until_left, wants_progress
from lamella.server.facts import Opened, grows, suffixes
from lamella.server.limits import Limits
from lamella.server.models import LOOK, Served
from lamella.server.replies import JSON, Refused, encode, hide, note, refusal, reply, report
from lamella.server.scratch import Scratch
from lamella.server.threads import in_thread
from lamella.server.work import Check
from lamella.task import Example
from lamella.version import __version__

LARGE = 1 << 16  # bytes; larger bodies are parsed in a thread
PICTURE = 1 << 12  # bytes; larger ones may be pictures, which take time to decode
T = TypeVar("T")


class State:
    """State that all requests share."""

    def __init__(self, models: Mapping[str, Model], limits: Limits, task: str | None = None) -> None:
        self.limits = limits
        self.everywhere = False  # whether other machines can reach the server
        self.models = {name: Served(name, model, limits, task) for name, model in models.items()}
        try:
            self.identifier: Served | None = Served("languages", shipped.identifier(), limits)
        except LamellaError:
            self.identifier = None
        self.store = files.Store(limits)
        self.scratch = Scratch(int(limits.scratch * 1e6))
        self.whole: dict[tuple[str, int], asyncio.Task[bytes]] = {}  # cached explanations of whole models
        self._described: tuple[object, bytes] = (None, b"")
        for model in models.values():
            hide(Path(model.where))

    @property
    def every(self) -> list[Served]:
        return [*self.models.values(), *([self.identifier] if self.identifier else [])]

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
            for served in self.every:
                try:
                    served.worker.relieve()
                    served.look()
                except Exception as error:
                    report(error)


def make_app(
    models: Mapping[str, Model],
    limits: Limits | None = None,
    names: Iterable[str] = (),
    everywhere: bool = False,
    task: str | None = None,
) -> Guard:
    """Models by name -> the application. names, everywhere: see `Guard`; task: the file of a task from outside."""
    state = State(models, limits or Limits(), task)

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
    return Guard(app, state.limits, names, everywhere)


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


async def _described(request: Request) -> Response:
    state: State = request.app.state.shared
    return Response(await state.described(), 200, None, JSON)


async def _listed(request: Request) -> Response:
    state: State = request.app.state.shared
    here = {"everywhere": state.everywhere, "detects": state.identifier is not None}
    more = {"tasks": about.tasks(), "verbs": about.verbs(), "extras": about.extras()}
    return reply({"models": await state.facts(), **more, **here})


async def _shown(request: Request) -> Response:
    state: State = request.app.state.shared
    opened = await state.named(request).ready()
    return reply(await in_thread(lambda: opened.more))


# ---- predict -----------------------------------------------------------------------------------------------------


async def _predict(request: Request) -> Response:
    state: State = request.app.state.shared
    body, begun = await json_of(request), time.monotonic()
    served = await state.served(request)
    model, examples = await _read(served, len(body), lambda check: _asked(served.now, body, check))

    async def work(tell: Tell | None) -> dict[str, Any]:
        answers = await served.answers(model, examples, tell, begun=begun)
        rendered = await _read(served, len(answers) * PICTURE, lambda _: [model.task.render(a) for a in answers])
        return {"answers": answers, "rendered": rendered}

    if wants_progress(request) and len(examples) == 1 and grows(model.task):
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


def _asked(opened: Opened, body: bytes, check: Check) -> tuple[Model, list[Example]]:
    """The model with the request's options, and the request's examples."""
    ask = schema.decode(body, schema.Ask)
    model = opened.with_options(ask.options, ask.ask)
    return model, opened.check(ask.examples, check, model)


async def _document(request: Request) -> Response:
    state: State = request.app.state.shared
    served = await state.served(request)
    async with form_of(request) as form:
        name, raw = await files.upload(form, state.limits)
        options = schema.decode(str(form.get("options") or "{}").encode(errors="replace"), dict[str, Any])
        ask = str(form.get("ask") or "")
    opened = served.now
    model = opened.with_options(options, ask)
    check_suffix(name, suffixes(model.task))

    async def work(tell: Tell | None) -> tuple[str, bytes, dict[str, int]]:
        content, suffix, counts = await served.at_length(
            model, lambda m: files.answer_document(state.scratch, m, name, raw), tell
        )
        return files.name_of(name, suffix, *(opened.languages or [])), content, counts

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
        making = asyncio.ensure_future(served.at_length(served.model, lambda model: _explained(model, None)))
        state.whole[key] = making
    await asyncio.wait({making}, timeout=state.limits.seconds)
    if not making.done():
        raise Refused(503, "the explanation of the whole model is still being made. Ask again in a while.", 10)
    return Response(making.result(), 200, None, JSON)


def _explained(model: Model, example: Any, **how: Any) -> bytes:
    from lamella.explain.explain import explain  # imported late: most servers never explain

    return explain(model, example, **how).to_json().encode(errors="replace")
