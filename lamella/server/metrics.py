"""Counters for /metrics, in the text format that Prometheus reads (version 0.0.4), summed over all workers.

    lamella_requests_total{route="/models/{name}/predict",model="en-fr",status="200"} 17
    lamella_request_seconds_bucket{route="/models/{name}/predict",model="en-fr",le="0.05"} 12

Labels are of fixed sets, so that no client can make them grow: routes as they are written, names of served models, statuses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.version import __version__

TYPE = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = (
    *("/", "/web/{file}", "/health", "/health/live", "/health/ready", "/metrics", "/openapi.json", "/models"),
    *("/translate", "/languages", "/detect", "/translate_file", "/download_file/{key}", "/frontend/settings"),
    *("/suggest", "/spec", "/docs"),
)
OF_MODELS = ("/models/{name}", "/models/{name}/predict", "/models/{name}/document", "/models/{name}/explain")
OTHER = "other"  # the route of addresses that there are not, and the status of replies that have no other label
STATUSES = (200, 304, 400, 403, 404, 405, 408, 413, 415, 422, 500, 501, 503, 505, 507)
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  # seconds
CELLS = len(STATUSES) + 1 + len(BOUNDS) + 1 + 1  # replies by status, by duration, and microseconds of all together
FIXED = 2  # refused connections, workers replaced


class Metrics:
    """What a server counts.

    >>> metrics = Metrics(np.zeros((1, Metrics.size(["digits"])), np.int64), ["digits"])
    >>> metrics.count("/models/digits/predict", 200, 0.02)
    >>> [line for line in metrics.text({}).splitlines() if "_total{" in line]
    ['lamella_requests_total{route="/models/{name}/predict",model="digits",status="200"} 1']
    """

    def __init__(self, rows: NDArray[np.int64], models: Sequence[str]) -> None:
        """rows: (processes, `size`), zeros at first, of which this process writes one."""
        self._rows, self.row = rows, 0
        self._series = {series: i for i, series in enumerate(_series(models))}

    @staticmethod
    def size(models: Sequence[str] | None) -> int:
        """How many numbers a process counts."""
        return FIXED + len(_series(models or ())) * CELLS

    def count(self, path: str, status: int, seconds: float) -> None:
        """Count a reply; status 0: the client had gone."""
        at = FIXED + self._series[self._of(path)] * CELLS
        counts = self._rows[self.row, at : at + CELLS]
        counts[STATUSES.index(status) if status in STATUSES else len(STATUSES)] += 1
        counts[len(STATUSES) + 1 + int(np.searchsorted(BOUNDS, seconds))] += 1
        counts[-1] += int(1e6 * seconds)

    def refused(self) -> None:
        """Count a connection that was closed without the application: too many, too slow, or no HTTP."""
        self._rows[self.row, 0] += 1

    def replaced(self) -> None:
        """Count a worker that ended unasked."""
        self._rows[self.row, 1] += 1

    def _of(self, path: str) -> tuple[str, str]:
        """The route and the model of a path."""
        path = "/" + path.lstrip("/")  # LibreTranslate's routes may begin with two
        parts = path.split("/")
        if path not in PLAIN and len(parts) == 3:
            route = {"web": "/web/{file}", "download_file": "/download_file/{key}"}.get(parts[1])
            if route:
                return route, ""
        if len(parts) in (3, 4) and parts[1] == "models":
            series = "/".join(["/models/{name}", *parts[3:]]), parts[2]
        else:
            series = path, ""
        return series if series in self._series else (OTHER, "")

    def text(self, now: Mapping[str, tuple[str, Any]]) -> str:
        """The page. now: gauges by name, each with its description and its value."""
        total = self._rows.sum(axis=0)
        lines = _family("lamella_info", "gauge", "The version of lamella.")
        lines.append(f"lamella_info{_labels(version=__version__)} 1")
        for name, (description, value) in now.items():
            lines += [*_family(name, "gauge", description), f"{name} {value}"]
        for name, description, value in (
            (
                "lamella_connections_refused_total",
                "Connections closed unheard: too many, too slow, or no HTTP.",
                total[0],
            ),
            ("lamella_workers_replaced_total", "Workers that ended unasked and were replaced.", total[1]),
        ):
            lines += [*_family(name, "counter", description), f"{name} {value}"]
        used = {series: total[FIXED + i * CELLS :][:CELLS] for series, i in self._series.items()}
        used = {series: counts for series, counts in used.items() if counts.any()}
        lines += _family("lamella_requests_total", "counter", "Replies, by route, model and status.")
        for (route, model), counts in used.items():
            for status, count in zip([*map(str, STATUSES), OTHER], counts, strict=False):
                if count:
                    lines.append(f"lamella_requests_total{_labels(route=route, model=model, status=status)} {count}")
        lines += _family(
            "lamella_request_seconds", "histogram", "Seconds from a request's head to the end of its reply."
        )
        for (route, model), counts in used.items():
            lines += _histogram("lamella_request_seconds", {"route": route, "model": model}, counts)
        return "\n".join(lines) + "\n"


def _series(models: Sequence[str]) -> list[tuple[str, str]]:
    return [*((route, "") for route in (*PLAIN, OTHER)), *((route, model) for model in models for route in OF_MODELS)]


def _family(name: str, kind: str, description: str) -> list[str]:
    return [f"# HELP {name} {description}", f"# TYPE {name} {kind}"]


def _histogram(name: str, labels: Mapping[str, str], counts: NDArray[np.int64]) -> list[str]:
    """The cumulative buckets, the sum and the count of one series."""
    upto = np.cumsum(counts[len(STATUSES) + 1 : -1])
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    lines = [f"{name}_bucket{_labels(**labels, le=bound)} {n}" for bound, n in zip(bounds, upto, strict=True)]
    return [*lines, f"{name}_sum{_labels(**labels)} {counts[-1] / 1e6}", f"{name}_count{_labels(**labels)} {upto[-1]}"]


def _labels(**values: str) -> str:
    r"""Labels as the format wants them; one that is empty is left out.

    >>> _labels(model='a"b\\c', status="")
    '{model="a\\"b\\\\c"}'
    """
    escaped = {k: v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for k, v in values.items() if v}
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"
