"""The routes: one for each verb over every model, the page, and what translation clients expect.

app = make_app({"my-model": lamella.load("my-model")})     an ASGI application, with all its limits
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lamella import __version__, shipped
from lamella import task as contract
from lamella.errors import LamellaError, UsageError
from lamella.model import Model
from lamella.server import files, libretranslate, openapi, schema
from lamella.server.bodies import Tell, check_suffix, form_of, json_of, streamed, until_left, wants_progress
from lamella.server.guard import Guard
from lamella.server.limits import Limits
from lamella.server.models import Served, summary
from lamella.server.replies import JSON, Refused, encode, refusal, reply


class State:
    """What all requests share."""

    def __init__(self, models: Mapping[str, Model], limits: Limits) -> None:
        self.limits = limits
        self.models = {name: Served(name, model, limits) for name, model in models.items()}
        try:
            self.identifier: Served | None = Served("languages", shipped.identifier(), limits)
        except UsageError:
            self.identifier = None
        self.store = files.Store(limits)
        self.whole: dict[str, asyncio.Task[bytes]] = {}  # explanations of whole models, made once
        self.described = encode(openapi.describe([s.facts for s in self.models.values()], self.schemas(), __version__))

    def schemas(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """For each model the schema of an example and of the options."""
        jobs = {name: served.model.task for name, served in self.models.items()}
        return {name: (schema.of_example(job, self.limits), schema.options_schema(job)) for name, job in jobs.items()}

    def served(self, request: Request) -> Served:
        name = request.path_params["name"]
        if name not in self.models:
            raise Refused(404, f"no such model. Served are: {', '.join(self.models)}.")
        return self.models[name]


def make_app(
    models: Mapping[str, Model], limits: Limits | None = None, names: Iterable[str] = (), everywhere: bool = False
) -> Guard:
    """Models by name -> the application. names, everywhere: see `Guard`."""
    state = State(models, limits or Limits())

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        yield
        for served in [*state.models.values(), *([state.identifier] if state.identifier else [])]:
            await asyncio.to_thread(served.stop)

    routes = [
        Route("/", lambda request: files.page("index.html", request)),
        Route("/web/{file}", lambda request: files.page(request.path_params["file"], request)),
        Route("/health", lambda request: reply({"status": "ok"})),
        Route("/openapi.json", lambda request: Response(state.described, 200, None, JSON)),
        Route("/models", _listed),
        Route("/models/{name}", _shown),
        Route("/models/{name}/predict", _predict, methods=["POST"]),
        Route("/models/{name}/document", _document, methods=["POST"]),
        Route("/models/{name}/explain", _explain, methods=["POST"]),
        Route("/models/{name}/explain", _explain_whole, methods=["GET"]),
        *libretranslate.routes(),
    ]
    app = Starlette(routes=routes, lifespan=life, exception_handlers=HANDLERS)
    app.state.shared = state
    return Guard(app, state.limits, names, everywhere)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {404: "no such address. /openapi.json lists them.", 405: "the method is not allowed here."}
    return reply({"error": said.get(error.status_code, error.detail)}, error.status_code, error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    return refusal(error)


HANDLERS: Any = {HTTPException: _http, LamellaError: _refused, Exception: _refused}


# ---- what there is -----------------------------------------------------------------------------------------------


async def _listed(request: Request) -> Response:
    state: State = request.app.state.shared
    return reply({"models": [served.facts for served in state.models.values()], "tasks": tasks()})


@cache
def tasks() -> list[dict[str, Any]]:
    """Every task of the package, and the verbs, all of which it has."""
    verbs = sorted(p.stem for p in (Path(__file__).parent.parent / "verbs").glob("[a-z]*.py"))
    found = [(name, contract.find(name)) for name in contract.names()]
    return [
        {"name": name, "summary": summary(cls), "nets": list(cls.nets), "metric": cls.metric, "verbs": verbs}
        for name, cls in found
    ]


async def _shown(request: Request) -> Response:
    state: State = request.app.state.shared
    return reply(await asyncio.to_thread(lambda: state.served(request).more))


# ---- predict -----------------------------------------------------------------------------------------------------


async def _predict(request: Request) -> Response:
    state: State = request.app.state.shared
    served = state.served(request)
    ask = schema.decode(await json_of(request), schema.Ask)
    examples, model = served.check(ask.examples), served.with_options(ask.options)

    async def work(tell: Tell | None) -> dict[str, Any]:
        answers = await served.answers(model, examples, tell)
        return {"answers": answers, "rendered": [model.task.render(a) for a in answers]}

    if wants_progress(request):
        return streamed(work)
    return reply(await until_left(request, work(None)))


async def _document(request: Request) -> Response:
    state: State = request.app.state.shared
    served = state.served(request)
    async with form_of(request) as form:
        name, raw = await files.upload(form, state.limits)
        options = schema.decode(str(form.get("options") or "{}").encode(errors="replace"), dict[str, Any])
    model = served.with_options(options)
    check_suffix(name, served.suffixes)

    async def work(tell: Tell | None) -> tuple[str, bytes, dict[str, int]]:
        found, suffix, counts = await served.at_length(model, lambda m: files.answer_document(m, name, raw), tell)
        return Path(name).stem + suffix, found, counts

    if wants_progress(request):

        async def told(tell: Tell | None) -> dict[str, Any]:
            out, found, counts = await work(tell)
            return {"file": f"/download_file/{state.store.put(out, found)}", "name": out, "counts": counts}

        return streamed(told)
    out, found, counts = await until_left(request, work(None))
    return files.download(out, found, {"X-Lamella-Counts": json.dumps(counts)})


# ---- explain -----------------------------------------------------------------------------------------------------


async def _explain(request: Request) -> Response:
    served = request.app.state.shared.served(request)
    ask = schema.decode(await json_of(request), schema.AskWhy)
    [example] = served.check([ask.example])
    method = {"method": ask.method} if ask.method else {}
    model = served.with_options(ask.options)

    def work(model: Model) -> bytes:
        return _explained(model, example, **method)

    return Response(await until_left(request, served.at_length(model, work)), 200, None, JSON)


async def _explain_whole(request: Request) -> Response:
    """The explanation of the whole model: made once, kept; who asks meanwhile waits for the same one."""
    state: State = request.app.state.shared
    served = state.served(request)
    making = state.whole.get(served.name)
    if making is None or (making.done() and (making.cancelled() or making.exception())):
        making = asyncio.ensure_future(served.at_length(served.model, lambda model: _explained(model, None)))
        state.whole[served.name] = making
    await asyncio.wait({making}, timeout=state.limits.seconds)
    if not making.done():
        raise Refused(503, "the explanation of the whole model is still being made. Ask again in a while.", 10)
    return Response(making.result(), 200, None, JSON)


def _explained(model: Model, example: Any, **how: Any) -> bytes:
    from lamella.verbs.explain import explain  # only now: most servers are never asked

    return explain(model, example, **how).to_json().encode(errors="replace")
