"""Forecast the next values of a series, with intervals that say how sure that is.

One net learns from all series together and answers for those it has seen and for new ones, since each window is scaled by
itself. A linear part carries seasons and drift on; `--net` says what corrects it: a gated recurrent unit (rnn) that reads
the past patch by patch, or a Transformer over the same patches (`lamella/nets/forecast.py` has the papers). The answer is
nine quantiles of each next value, learned by the pinball loss (Koenker and Bassett, 1978). Windows kept back from training
then say by how much the intervals must be stretched to hold as often as they claim (Romano et al., 2019).

Columns named by `--known` are known of the future too (a forecast of temperature, a calendar of holidays); hour, weekday
and month come from the time stamps.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import metrics
from lamella.data import waves, windows
from lamella.data.clock import Step, calendar, parse_step, periods
from lamella.data.series import SeriesSet, read_series
from lamella.data.tables import read_table
from lamella.errors import DataError, UsageError
from lamella.task import Answer, Arrays, Example, Focus, GraphLike, Run, Scores, Series, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
INTERVALS = {"50%": (3, 5), "80%": (2, 6), "95%": (0, 8)}  # which two of them
LEAST = 4  # values of a past


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[Literal["rnn", "transformer"], Meta(description="Family of the net that reads the past.")] = "rnn"
    horizon: Annotated[int, Meta(description="How many steps to forecast.", ge=1, le=1000)] = 12
    context: Annotated[
        int, Meta(description="Steps of past that are read (0: by season and horizon).", ge=0, le=5000)
    ] = 0
    season: Annotated[int, Meta(description="Steps of a season (0: by the time stamps).", ge=0, le=2000)] = 0
    frequency: Annotated[str, Meta(description="Step between values, such as 30min, day, month (else found).")] = ""
    known: Annotated[str, Meta(description="Columns known of the future too, with commas between.")] = ""
    members: Annotated[int, Meta(description="Nets that are trained side by side and averaged.", ge=1, le=16)] = 3
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1


class TimeSeriesForecasting(Task):
    fields = {"past": Series("Values so far, the latest last.")}
    answer = Series("The next values: their median, and intervals that hold them in 50, 80 and 95% of cases.")
    target = "future"
    metric = "mase"
    less_is_better = True
    nets = ("rnn", "transformer")
    suffixes = (".csv", ".tsv", ".jsonl")
    keep_best = True
    batch = 64
    precise = True

    step_: str
    seasons_: list[int]
    periods_: list[str]  # of the calendar
    known_: dict[str, list[float]]  # covariate -> mean and spread
    widths_: dict[str, float]  # by how much each interval is stretched

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Mapping[str, str] | None = None) -> tuple[list[Example], list[str]]:
        if windows.are_windows(paths[0], columns):
            table = read_table(list(paths), {"past": ("past",), "future": ("future",)}, columns)
            return [
                {k: windows.numbers(v).tolist() for k, v in row.items()} for row in table.rows
            ], table.report.lines()
        data, horizon = self._series(list(paths), columns), self.config.horizon
        seasons = self._seasons(data.step)
        least = max(LEAST, 2 * seasons[0] if seasons[0] > 1 else 0)
        found, short = windows.windows(data, horizon, self._context(seasons) + horizon, seasons[0], least)
        if not found:
            raise DataError(
                f"{', '.join(map(str, paths))}: expected series of {least + horizon} values or more ({least} of past and the "
                f"horizon, {horizon}), received {max(len(t.values) for t in data.tracks)} at most. Give longer ones, or a "
                "shorter --horizon."
            )
        lines = [
            *data.notes,
            f"{len(data.tracks):,} series, seasons of {', '.join(map(str, seasons))}, {len(found):,} windows",
        ]
        return found, lines + ([f"series too short for one window, left out: {short:,}"] if short else [])

    def _series(self, paths: list[str], columns: Mapping[str, str] | None) -> SeriesSet:
        known = [name.strip() for name in self.config.known.split(",") if name.strip()]
        return read_series(paths, columns, known, self.config.frequency)

    def sample(self, split: str) -> list[Example]:
        return waves.waves(split)

    def keys(self, example: Example) -> list[str]:
        if "id" not in example:
            return super().keys(example)
        begin = int(example["start" if "start" in example else "number"]) + len(example["past"])
        return [f"{example['id']} at {at}" for at in range(begin, begin + self.config.horizon)]

    def hold_out(self, examples: Sequence[Example], wanted: int, seed: int) -> list[int] | None:
        """The latest windows, since a model is asked about the future: the last one of each series, then those before."""
        later: dict[str, int] = {}
        ranks = []
        for at in range(len(examples) - 1, -1, -1):
            name = str(examples[at].get("id", at))
            later[name] = later.get(name, -1) + 1
            ranks.append((later[name], np.random.default_rng((seed, at)).random(), at))
        # Where there are many series, the last windows of all: those trained on share their years with no interval.
        wanted = max(wanted, min(len(later), len(examples) // 4))
        return sorted(at for _, _, at in sorted(ranks)[:wanted]) if any(r > 0 for r, _, _ in ranks) else None

    def _seasons(self, step: Step) -> list[int]:
        return [self.config.season] if self.config.season else step.seasons()

    def _context(self, seasons: Sequence[int]) -> int:
        return windows.look_back(seasons, self.config.horizon, self.config.context)

    def fit(self, examples: Sequence[Example]) -> None:
        first = examples[0]
        self.step_ = first.get("step", "")
        self.seasons_ = self._seasons(self.step)
        starts = [int(e["start"]) for e in examples if "start" in e]
        self.periods_ = periods(self.step, max(starts) - min(starts) + self.config.horizon) if starts else []
        self.known_ = {}
        for name in first.get("known", {}):
            every = np.concatenate([np.asarray(e["known"][name]) for e in examples])
            self.known_[name] = [float(every.mean()), float(every.std()) or 1.0]
        self.widths_ = dict.fromkeys(INTERVALS, 1.0)

    @property
    def step(self) -> Step:
        return parse_step(self.step_) if self.step_ else Step()

    @property
    def shape(self) -> tuple[int, int]:
        """Steps of past and of future."""
        return self._context(self.seasons_), self.config.horizon

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        values, known, centre, unit = self._scaled(example)
        context, horizon = self.shape
        return {
            "past": windows.padded(values, context, None),
            "known": windows.padded(known, context + horizon),
            "unit": np.array([centre, unit]),
        }

    def prompt(self, example: Example) -> Arrays:
        """The steps before the past, so that a training window may begin earlier, and the values wanted."""
        values, known, centre, unit = self._scaled(example)
        context, horizon = self.shape
        return {
            "earlier": windows.padded(values[: max(0, len(values) - context)], horizon, float(values[0])),
            "earlier_known": windows.padded(known[: -context - horizon], horizon),
            "wanted": ((windows.numbers(example["future"]) - centre) / (unit or 1.0)).astype(np.float32),
        }

    def _scaled(self, example: Example) -> tuple[Any, Any, float, float]:
        """All of the past, scaled by what is read of it, what is known of past and future, the centre and the unit."""
        past = windows.numbers(example["past"])
        if len(past) < LEAST:
            raise DataError(f"expected {LEAST} values or more, received {len(past)}. Give a longer past.")
        centre, unit = windows.rescale(past[-self.shape[0] :], self.seasons_[0])
        known = windows.features(example, len(past) + self.config.horizon, self.step, self.periods_, self.known_)
        return (past - centre) / (unit or 1.0), known, centre, unit

    def targets(self, example: Example) -> Arrays:
        found = windows.numbers(example["future"])
        if len(found) != self.config.horizon:
            raise DataError(f"expected {self.config.horizon} values in future (--horizon), received {len(found)}.")
        return {"future": found}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        import torch

        from lamella.nets.forecast import Forecaster

        context, horizon = self.shape
        known = 1 + calendar(self.step, 0, 1, self.periods_).shape[1] + len(self.known_)
        return Forecaster(
            self.config.net, context, horizon, known, len(self.known_), torch.from_numpy(windows.lags(context, horizon, self.seasons_)),
            self.seasons_[0], len(LEVELS), windows.patch_of(self.seasons_), self.size.width * 2 // 3 // 8 * 8, self.size.depth, self.size.heads,
            self.config.dropout, self.config.members,
        )  # fmt: skip

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        import torch

        from lamella.nets.forecast import pinball

        wanted = outputs["wanted"][:, None].expand(outputs["quantiles"].shape[:-1])  # (B, M, H)
        losses = pinball(outputs["quantiles"], wanted, torch.tensor(LEVELS)).mean(dim=(1, 3))  # (B, H)
        return (losses * outputs["count"]).sum() / outputs["count"].sum().clamp(min=1)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        given = {"past": inputs["past"], "known": inputs["known"]}
        if "read" in graphs:
            context, patch = self.shape[0], windows.patch_of(self.seasons_)
            both = np.concatenate([inputs["past"][:, :, None], inputs["known"][:, :context]], axis=2)  # (B, C, 1 + K)
            patches = both.reshape(len(both), context // patch, -1)
            given |= graphs["read"].empty(batch=len(both))
            for at in range(patches.shape[1]):
                given["state"] = graphs["read"](patch=patches[:, at], state=given["state"])["state"]
        scaled = np.sort(graphs["forecast"](**given)["quantiles"].astype(np.float64), axis=2)  # (B, H, Q)
        rows = zip(scaled, inputs["unit"].astype(np.float64), strict=True)
        return [windows.answer(q, float(unit[0]), float(unit[1]), INTERVALS, self.widths_) for q, unit in rows]

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        steps = np.array([a["median"] for a in self.decode(graphs, inputs)])  # (B, H)
        ahead = [f"+{h}" for h in range(1, steps.shape[1] + 1)]
        return Focus("mean of the forecast, in the unit of the series", steps / steps.shape[1], ahead, amounts=True)

    def details(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> dict[str, Any]:
        return {"kind": "forecast", **answer}

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """Stretch each interval until it holds as many of the values kept back as it claims."""
        self.widths_ = dict.fromkeys(INTERVALS, 1.0)
        wanted, answers = np.array([windows.numbers(e["future"]) for e in examples]), run(examples)
        middle = np.array([a["median"] for a in answers])
        for name in INTERVALS:
            ends = np.array([a[name] for a in answers])  # (N, H, 2)
            self.widths_[name] = windows.stretch(wanted, middle, ends, float(name[:-1]) / 100)

    def document(
        self, path: Path, run: Run, columns: Mapping[str, str] | None = None
    ) -> tuple[bytes, dict[str, int]] | None:
        """A table of series -> the next values of each, a row a step; None where its rows are windows."""
        if windows.are_windows(path, columns):
            return None
        data = self._series([str(path)], columns)
        if self.step_ and data.step.unit and data.step != self.step:
            raise UsageError(f"{path}: expected steps of {self.step_}, as in training, received {data.step}.")
        examples = [windows.past_of(data, t, len(t.values), *self.shape) for t in data.tracks]
        return windows.forecast_table(data, run(examples), path.suffix.lower())

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        levels = [0.5, *(LEVELS[i] for ends in INTERVALS.values() for i in ends)]
        season = self.seasons_[0]
        units = [
            e["scale"] if "scale" in e else windows.naive_error(windows.numbers(e["past"]), season) for e in examples
        ]
        wanted = [windows.numbers(e["future"]) for e in examples]
        return metrics.forecasts([windows.quantiles(a, INTERVALS) for a in answers], wanted, units, levels)

    def render(self, answer: Answer) -> str:
        return " ".join(
            f"{m:g} ({low:g} to {high:g})" for m, (low, high) in zip(answer["median"], answer["80%"], strict=True)
        )
