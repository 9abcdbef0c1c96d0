"""Answer over HTTP, with a page in the browser: the models named, or the shipped translators.

lamella serve
lamella serve my-model other-model --port 8000
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamella.errors import MissingExtra, UsageError
from lamella.model import Model, load, shipped

LOCAL = ("127.0.0.1", "::1", "localhost")


def serve(
    *models: str | Model,
    host: str = "127.0.0.1",
    port: int = 8000,
    names: Sequence[str] = (),
    task: str | None = None,
    index: Sequence[str] = (),
    begun: Callable[[dict[str, Any]], None] | None = None,
    **limits: float,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what has begun and return.

    port 0 is any that is free; names: hosts besides this one under which it is asked; task: the file of a task from
    outside lamella; index: files made by `predict --index`, each searched by the model that made it; limits: those of `lamella.server.limits.Limits`; begun: told {"url", "models"} when it answers.
    Raises UsageError for a port that is taken and MissingExtra without starlette and uvicorn.
    """
    try:
        from lamella.server.app import make_app
        from lamella.server.limits import Limits
        from lamella.server.models import named
        from lamella.server.run import listen, make_server
    except ImportError as error:
        raise MissingExtra("serve", "serve") from error
    for name, value in limits.items():
        if not value > 0:
            raise UsageError(f"--{name} {value:g}: expected a number above 0.")
    set_limits = Limits(**limits)  # type: ignore[arg-type]
    opened = [m if isinstance(m, Model) else load(m, task) for m in models]
    found = named(_searching(opened, index)) if opened else shipped.translators()
    place = listen(host, port)
    bracketed = f"[{host}]" if ":" in host else host
    url = f"http://{bracketed}:{place.getsockname()[1]}"
    app = make_app(found, set_limits, [host, *names], everywhere=host not in LOCAL, task=task)

    def tell() -> None:
        if begun:
            begun({"url": url, "models": list(found)})

    make_server(app, tell, set_limits).run(sockets=[place])


def _searching(models: Sequence[Model], paths: Sequence[str]) -> list[Model]:
    """The models, each with the index that it made; UsageError for an index that none of them made."""
    if not paths:
        return list(models)
    from lamella.model.index import Index, identity, searching_in

    found = {identity(model): model for model in models}
    for path in paths:
        made = Index.read(Path(path)).model
        if made not in found:
            raise UsageError(
                f"--index {path}: expected an index made by a model that is served, received one of another."
            )
        found[made] = searching_in(found[made], Index.read(Path(path), made))
    return list(found.values())
