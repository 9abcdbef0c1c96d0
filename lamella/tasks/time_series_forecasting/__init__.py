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
from lamella.data.readers.clock import Step, parse_step, periods
from lamella.data.readers.series import Options, SeriesSet, read_series
from lamella.data.readers.stamps import Style
from lamella.data.readers.suffixes import TABLES
from lamella.decode.steps import over_patches
from lamella.errors import UsageError
from lamella.fields import Field, Id, Series
from lamella.task import Answer, Arrays, Choice, Example, Focus, GraphLike, Output, Run, Scores, Task, Training
from lamella.tasks.time_series_forecasting import ahead, intervals, lengths, windows
from lamella.tasks.time_series_forecasting.pairs import Pairs, pairs_of

if TYPE_CHECKING:
    from torch import Tensor, nn

LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
INTERVALS = {"50%": (3, 5), "80%": (2, 6), "95%": (0, 8)}  # which two of them


NOW = {"when": "predict"}  # may be said anew of the file that is answered


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[Literal["rnn", "transformer"], Meta(description="Family of the net that reads the past.")] = "rnn"
    horizon: Annotated[
        int,
        Meta(
            description="How many steps to forecast; more than in training: on its own answers.",
            ge=1,
            le=1000,
            extra=NOW,
        ),
    ] = 12
    context: Annotated[int, Meta(description="Steps of past to read (0: by season, horizon).", ge=0, le=5000)] = 0
    season: Annotated[int, Meta(description="Steps of a season (0: by the time stamps).", ge=0, le=2000)] = 0
    frequency: Annotated[str, Meta(description="Step between values, such as 30min, day, month, row (else found).")] = (
        ""
    )
    resample: Annotated[Literal["", "sum", "mean"], Meta(description="Bring rows to steps of --frequency by this.")] = (
        ""
    )
    date_format: Annotated[
        str, Meta(description="How stamps are written, such as %d.%m.%Y %H:%M (else found).", extra=NOW)
    ] = ""
    day_first: Annotated[
        bool | None, Meta(description="Whether 3/4/2020 is in April, where no stamp decides it.", extra=NOW)
    ] = None
    decimal: Annotated[Literal["", ".", ","], Meta(description="Mark before decimals (else found).", extra=NOW)] = ""
    leave_out: Annotated[str, Meta(description="Columns that are not read, with commas between; none: keep all.")] = ""
    known: Annotated[str, Meta(description="Columns known of the future too, with commas between.")] = ""
    known_from: Annotated[
        str, Meta(description="A table of its own with the columns of --known.", extra=NOW | {"holds": "file"})
    ] = ""
    ensemble_size: Annotated[
        int, Meta(description="Nets that are trained side by side and averaged.", ge=1, le=16, extra={"was": "members"})
    ] = 3
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1


def _hold_out(task: "TimeSeriesForecasting", examples: Sequence[Example], wanted: int, seed: int) -> list[int] | None:
    """The latest windows, since a model is asked about the future: the last one of each series, then those before."""
    return windows.latest([str(e.get("id", at)) for at, e in enumerate(examples)], wanted, seed)


def _document(
    task: "TimeSeriesForecasting", path: Path, run: Run, columns: Choice = None
) -> tuple[bytes, dict[str, int]] | None:
    """A table of series -> the next values of each, a row a step; None where its rows are windows."""
    if windows.are_windows(path, columns):
        return None
    data = task._series([str(path)], columns)
    if task.step_ and data.step.unit and data.step != task.step:
        raise UsageError(f"{path}: expected steps of {task.step_}, as in training, received {data.step}.")
    pasts = windows.pasts(data, task.frame.context, task.config.horizon)
    raw, counts = windows.forecast_table(data, task.answers(pasts, run), path)
    beyond = max(0, task.config.horizon - task.once) * len(pasts)
    return raw, counts | ({f"rows beyond the {task.once} steps that it was measured on": beyond} if beyond else {})


def _note(task: "TimeSeriesForecasting", example: Example) -> str:
    if task.config.horizon <= task.once:
        return ""
    return (
        f"steps {task.once + 1} to {task.config.horizon} are beyond the {task.once} that it was measured on: it was run on its "
        "own answers."
    )


class TimeSeriesForecasting(Task):
    fields = {"past": Series("Values so far, the latest last.")}
    answer = Series("The next values: their median, and intervals that hold them in 50, 80 and 95% of cases.")
    target = "future"
    metric = "mase"
    output = Output(suffixes=TABLES, document=_document, note=_note)
    training = Training(
        nets=("rnn", "transformer"),
        noun="windows",
        fewest=5,
        batch=64,
        precise=True,
        keep_best=True,
        passes=128,
        hold_out=_hold_out,
        less_is_better=True,
    )

    step_: str
    seasons_: list[int]
    periods_: list[str]  # of the calendar
    known_: dict[str, list[float]]  # covariate -> mean and spread
    known_from_: str = ""  # the table beside that of training; models from before it have none
    widths_: dict[str, float]  # by how much each interval is stretched
    even_: Mapping[str, float] = {}  # how even within a horizon; models from before it have none
    solved_: bool = False  # whether the linear part began as a solution; in models from before it did not
    solution_: str = ""  # whether the net keeps that, "beside" what goes on learning or "alone"
    trust_: float = 1.0  # how much counts of what the net makes of it
    style_: Mapping[str, Any] = {}  # how the time stamps of training were written
    alike_: float = 1.0  # how alike errors of neighbouring steps are; models from before it have none

    def __init__(self, config: Any = None, size: str = "small") -> None:
        super().__init__(config, size)
        self.once: int = self.config.horizon  # steps that the net gives at once; --horizon may be another later
        self.pairs: Pairs | None = None  # of training, by which the linear part begins

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        if windows.are_windows(paths[0], columns):
            return windows.read_windows(paths, columns)
        data, horizon = self._series(list(paths), columns), self.config.horizon
        ahead.check(horizon, self.once)
        seasons, said = getattr(self, "seasons_", getattr(self, "read_seasons", [])), list[str]()
        if not seasons:  # training reads its own data first
            seasons = data.step.seasons(self.config.season)
            if not self.config.season:
                seasons, said = lengths.fitting(data, seasons, horizon, self.training.fewest)
            self.read_seasons = seasons
        least = lengths.least_past(seasons)
        back = windows.look_back(seasons, self.once, self.config.context) + self.once
        found, short = windows.windows(data, horizon, back, seasons[0], least)
        if not found:
            raise windows.too_short(paths, data, least, horizon)
        counts = f"{len(data.tracks):,} series, seasons of {', '.join(map(str, seasons))}, {len(found):,} windows"
        left = [f"series too short for one window, left out: {short:,}"] if short else []
        return found, [*data.notes, *said, counts, *left]

    def _series(self, paths: list[str], columns: Choice) -> SeriesSet:
        c = self.config
        known, leave_out = (
            [name.strip() for name in text.split(",") if name.strip()] for text in (c.known, c.leave_out)
        )
        # The table of training is used again where it is still there and no other is named.
        gone = c.known_from == getattr(self, "known_from_", None) and not Path(c.known_from).is_file()
        options = Options(
            known_from="" if gone else c.known_from,
            known=known, frequency=c.frequency, decimal=c.decimal, day_first=c.day_first, date_format=c.date_format,
            resample=c.resample, leave_out=leave_out, style=getattr(self, "style", None),
            covariates=list(getattr(self, "known_", ())),
        )  # fmt: skip
        data = read_series(paths, columns, options=options)
        self.read_style = data.style
        return data

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import time_series_forecasting as samples

        return samples.waves(split)

    def keys(self, example: Example) -> list[str]:
        return windows.steps_wanted(example, self.config.horizon) if "id" in example else super().keys(example)

    def given(self, example: Example) -> Example:
        """Files say when a series began by a number of steps, and hold its covariates together."""
        more = dict(example.get("known", {}))
        if "tick" in example:
            more["start"] = self.step.stamp(example["tick"])
        optional = self.optional
        for name, field in optional.items():
            names = getattr(field, "names", ())
            if names and f"{name}={names[0]}" in more:
                more[name] = windows.named_steps(name, names, more)
        return super().given(example) | {name: more[name] for name in optional if name in more}

    def fit(self, examples: Sequence[Example]) -> None:
        first = examples[0]
        self.step_ = first.get("step", "")
        self.seasons_ = getattr(self, "read_seasons", None) or self.step.seasons(self.config.season)
        starts = [int(e["tick"]) for e in examples if "tick" in e]
        self.style_ = msgspec.to_builtins(getattr(self, "read_style", Style("count")))
        self.periods_ = periods(self.step, max(starts) - min(starts) + self.config.horizon) if starts else []
        self.known_ = {name: windows.spread(e["known"][name] for e in examples) for name in first.get("known", {})}
        self.known_from_ = self.config.known_from
        self.widths_, self.even_ = dict.fromkeys(INTERVALS, 1.0), {}
        self.pairs = pairs_of(self.frame, examples)
        self.solved_, self.trust_ = self.pairs is not None, 1.0
        self.solution_ = "beside" if self.solved_ and self.seasons_[0] > 1 else ""

    @property
    def optional(self) -> dict[str, Field]:
        like = self.style.sample if self.style and self.style.sample else "2014-01-31 09:30"
        found: dict[str, Field] = {"start": Id(f"Time of the first value, such as {like}; else no calendar.")}
        found = found if getattr(self, "periods_", ()) else {}
        names: dict[str, list[str]] = {}  # of each known column, those of its categories, where it has some
        for key in getattr(self, "known_", ()):
            column, _, category = key.partition("=")
            names.setdefault(column, []).extend([category] if category else [])
        about = "{} at each step of past and future."
        return found | {k: Series(about.format(k), tuple(v), truths=not v) for k, v in names.items()}

    @property
    def step(self) -> Step:
        return parse_step(self.step_) if self.step_ else Step()

    @property
    def style(self) -> Style | None:
        return msgspec.convert(dict(self.style_), Style) if self.style_ else None

    @property
    def frame(self) -> windows.Frame:
        context = windows.look_back(self.seasons_, self.once, self.config.context)
        return windows.Frame(context, self.once, self.seasons_, self.step, self.periods_, self.known_, self.style)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        return self.frame.read(example)

    def prompt(self, example: Example) -> Arrays:
        """The steps before the past, so that a training window may begin earlier, and the values wanted."""
        return self.frame.earlier(example)

    def targets(self, example: Example) -> Arrays:
        return {"future": windows.wanted(example, self.config.horizon)}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        import torch

        from lamella.nets.forecast import Forecaster, Window

        c, size, frame = self.config, self.size, self.frame
        window = Window(
            frame.context, frame.horizon, self.seasons_[0], frame.patch, frame.features, len(self.known_),
            torch.from_numpy(frame.lags),
        )  # fmt: skip
        width = size.width * 2 // 3 // 8 * 8
        net = Forecaster(
            c.net,
            window,
            len(LEVELS),
            width,
            size.depth,
            size.heads,
            c.dropout,
            c.ensemble_size,
            self.solved_,
            "beside" if self.solution_ and self.pairs else self.solution_,
        )
        if self.pairs is not None:
            net.begin(*map(torch.from_numpy, self.pairs))
            self.solution_ = net.solution
        return net

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.forecast import pinball_loss

        return pinball_loss(outputs["quantiles"], outputs["wanted"], outputs["count"], LEVELS)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        given = {"past": inputs["past"], "known": inputs["known"]}
        if "read" in graphs:
            given["state"] = over_patches(graphs["read"], self.frame.patches(inputs["past"], inputs["known"]))
        found = graphs["forecast"](**given)
        scaled = np.sort(found["quantiles"].astype(np.float64), axis=2)  # (B, H, Q)
        if "linear" in found:
            # The median moves towards the linear forecast, and the other quantiles move along with it.
            scaled -= (1 - self.trust_) * (scaled[:, :, len(LEVELS) // 2] - found["linear"])[:, :, None]
        rows = zip(scaled, inputs["unit"].astype(np.float64), strict=True)
        return [
            intervals.answer(q, float(unit[0]), float(unit[1]), INTERVALS, self.widths_, self.even_) for q, unit in rows
        ]

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        steps = np.array([a["median"] for a in self.decode(graphs, inputs)])  # (B, H)
        ahead = [f"+{h}" for h in range(1, steps.shape[1] + 1)]
        first = f"the first {self.once} steps of " if self.config.horizon > self.once else ""
        return Focus(
            f"mean of {first}the forecast, in the unit of the series",
            steps / steps.shape[1],
            ahead,
            amounts=True,
            details=lambda: {"kind": "forecast", **answer},
        )

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """How much counts of what the net made of its linear part; then stretch each interval until it holds as many of the values kept
        back as it claims."""
        self.widths_, self.even_, self.trust_ = dict.fromkeys(INTERVALS, 1.0), {}, 1.0
        wanted, answers = np.array([windows.numbers(e["future"]) for e in examples]), run(examples)
        units = [windows.scale_of(e, self.seasons_[0]) for e in examples]
        if self.solution_:
            self.trust_ = 0.0
            self.trust_ = intervals.trust(wanted, answers, run(examples), units)
            answers = run(examples) if self.trust_ < 1 else answers
        self.widths_, self.even_ = intervals.fitted(wanted, answers, INTERVALS, units)
        self.alike_ = ahead.persistence(wanted, answers, "80%")

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        """The net's answers; fewer steps than it gives, or more, where it is run on its own answers."""
        horizon = self.config.horizon
        ahead.check(horizon, self.once)
        found = run(examples)
        if horizon > self.once and found:
            return ahead.extended(examples, found, run, horizon, self.alike_, self.frame)
        return found if horizon == self.once else [{k: v[:horizon] for k, v in a.items()} for a in found]

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The last season again, with intervals of no width: the seasonal-naive forecast."""
        return [windows.naive(e, self.config.horizon, self.seasons_[0], INTERVALS) for e in examples]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        levels = [0.5, *(LEVELS[i] for ends in INTERVALS.values() for i in ends)]
        units = [windows.scale_of(e, self.seasons_[0]) for e in examples]
        wanted = [windows.numbers(e["future"]) for e in examples]
        return metrics.forecasts([windows.quantiles(a, INTERVALS) for a in answers], wanted, units, levels)

    def render(self, answer: Answer) -> str:
        both = zip(answer["median"], answer["80%"], strict=True)
        return " ".join(f"{middle:g} ({low:g} to {high:g})" for middle, (low, high) in both)
