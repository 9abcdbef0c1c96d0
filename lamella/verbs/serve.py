"""Answer over HTTP, with a page in the browser: the models named, or the shipped translators.

lamella serve
lamella serve my-model other-model --port 8000
lamella serve my-model --workers 4 --metrics
lamella serve --allow-origin https://example.org
"""

import ipaddress
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lamella.errors import MissingExtra, UsageError
from lamella.machine import cores
from lamella.model import Model, shipped
from lamella.model.named import load

LOCAL = ("127.0.0.1", "::1", "localhost")
MOST = 256  # workers


def serve(
    *models: str | Model,
    host: str = "127.0.0.1",
    port: int = 8000,
    names: Sequence[str] = (),
    task: str | None = None,
    index: Sequence[str] = (),
    workers: int = 1,
    metrics: bool = False,
    proxies: Sequence[str] = (),
    origins: Sequence[str] = (),
    begun: Callable[[dict[str, Any]], None] | None = None,
    **limits: float,
) -> None:
    """Serve until SIGINT or SIGTERM, then finish what has begun and return.

    port 0 is any that is free; names: hosts besides this one under which it is asked; task: the file of a task from
    outside lamella; index: files made by `predict --index`, each searched by the model that made it; workers: processes
    that answer, which share the models' memory; metrics: count requests for Prometheus at /metrics; proxies: addresses
    of proxies, whose word on who asks is taken; origins: other origins whose pages may ask, such as https://example.org, or
    "*"; limits: those of `lamella.server.limits.Limits`; begun: told
    {"url", "models", "workers"} when it answers. SIGHUP reads the models again.
    Raises UsageError for a port that is taken and MissingExtra without starlette and uvicorn.
    """
    try:
        from lamella.server.app import make_app
        from lamella.server.common import Common
        from lamella.server.limits import Limits
        from lamella.server.models import named
        from lamella.server.origins import read_origin
        from lamella.server.run import listen, make_server
    except ImportError as error:
        raise MissingExtra("serve", "serve") from error
    _check_workers(workers)
    _check_proxies(proxies)
    allowed = tuple(map(read_origin, origins))
    for name, value in limits.items():
        if not value > 0:
            raise UsageError(f"--{name} {value:g}: expected a number above 0.")
    set_limits = Limits(**limits)  # type: ignore[arg-type]
    opened = [m if isinstance(m, Model) else load(m, task) for m in models]
    found = named(_searching(opened, index)) if opened else named(_shipped())
    place = listen(host, port)
    bracketed = f"[{host}]" if ":" in host else host
    url = f"http://{bracketed}:{place.getsockname()[1]}"
    own_names, everywhere = (host, *names), host not in LOCAL

    def tell() -> None:
        if begun:
            begun({"url": url, "models": list(found), "workers": workers})

    if workers > 1:
        from lamella.server.worker import Setup
        from lamella.server.workers import Parent

        setup = Setup(set_limits, own_names, everywhere, task, tuple(proxies), allowed, metrics)
        Parent(place, found, workers, setup).run(tell)
        return
    common = Common(metered=list(found) if metrics else None)
    app = make_app(found, set_limits, own_names, everywhere, task, common, allowed)
    make_server(app, tell, set_limits, proxies).run(sockets=[place])


def _shipped() -> list[Model]:
    """The translators that come with the package; one may translate several pairs."""
    return [load(place) for place in dict.fromkeys(shipped.directions().values())]


def _check_proxies(proxies: Sequence[str]) -> None:
    for proxy in proxies:
        try:
            ipaddress.ip_address(proxy)
        except ValueError as error:
            raise UsageError(f"--proxy {proxy}: expected the address of a proxy, such as 10.0.0.2.") from error


def _check_workers(workers: int) -> None:
    """UsageError for a number of processes that cannot be; more than there are cores is said on standard error."""
    if isinstance(workers, bool) or not isinstance(workers, int) or not 1 <= workers <= MOST:
        raise UsageError(f"--workers {workers}: expected a whole number from 1 to {MOST}, about one for each core.")
    if workers > cores():
        print(
            f"lamella: {workers} workers share {cores()} cores; more than one for each answer no faster.",
            file=sys.stderr,
        )


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
