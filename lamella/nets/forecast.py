"""Forecasters: the past of a series and what is known of its future -> quantiles of the next values.

A linear part carries the seasons and the drift on; over long horizons such a map alone beats most Transformers (Zeng et
al., 2023). A deep part corrects it: an encoder reads the past in patches (Nie et al., 2023), be it a gated recurrent
unit or a Transformer, whose tokens for the future hold what is known of it, and a small net that is the same for every
step of the horizon joins what was read with that step's calendar, covariates and the values of seasons before: the
multi-horizon quantile forecaster of Wen et al., 2017. A few members that differ by their start are trained side by side
and averaged.

Tensors in, tensors out: C steps of past, H of horizon, K features known of each step (the first one is 1 where the step
is real and 0 where it is padding), P steps a patch, M members, Q quantiles. Values are scaled by the window that is read.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, positions
from lamella.nets.rnn.cells import GRU
from lamella.nets.transformer.blocks import EncoderBlock

SPANS = (2, 3, 5, 8, 12)  # over so many steps a drift is measured
CONTEXT = 24  # numbers about the past as a whole that each step of the horizon is given
FEW = 3  # with fewer values before it a step teaches nothing


def rescale(past: Tensor, seen: Tensor, season: int) -> tuple[Tensor, Tensor]:
    """The centre and the unit of each window (B, 1): past and seen (B, C).

    With a season, mean and standard deviation; without, the last value and the mean step from one to the next.

    >>> [float(x) for x in rescale(torch.tensor([[9.0, 2.0, 4.0, 8.0]]), torch.tensor([[0.0, 1, 1, 1]]), 1)]
    [8.0, 3.0]
    """
    if season == 1:
        both = seen[:, 1:] * seen[:, :-1]
        steps = ((past[:, 1:] - past[:, :-1]).abs() * both).sum(1, keepdim=True)
        return past[:, -1:], steps / both.sum(1, keepdim=True).clamp(min=1)
    count = seen.sum(1, keepdim=True).clamp(min=1)
    centre = (past * seen).sum(1, keepdim=True) / count
    return centre, (((past - centre) * seen).square().sum(1, keepdim=True) / count).sqrt()


class Window(NamedTuple):
    """What a forecaster reads and writes."""

    context: int  # steps of past that are read
    horizon: int  # steps that are forecast
    season: int  # steps of a season; 1: none
    patch: int  # steps that make one token
    known: int  # features known of each step
    extra: int  # covariates among them
    lags: Tensor  # (H, L): for each step of the horizon, the steps of the past that seasons say it is like


class Member(nn.Module):
    """One forecaster: past (B, C) and known (B, C + H, K), scaled -> quantiles (B, H, Q)."""

    places: Tensor
    lags: Tensor

    def __init__(
        self, kind: str, window: Window, quantiles: int, width: int, depth: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        context, horizon, season, patch, known, extra, lags = window
        self.context, self.horizon, self.patch, self.extra = context, horizon, patch, extra
        self.width, self.future = width, -(-horizon // patch)
        self.register_buffer("lags", lags, persistent=False)
        self.near = [d for d in (1, 2, 4, 8) if d < min(context, horizon)] if extra else []
        self.enter = Linear(patch * (1 + known), width)
        self.drop = nn.Dropout(dropout)
        if kind == "rnn":
            self.reader: nn.Module = GRU(width, width)
            self.leave = Linear(width, self.future * patch * CONTEXT)
        else:
            self.reader = nn.Sequential(*(EncoderBlock(width, heads, 2 * width, dropout) for _ in range(depth)))
            self.norm = nn.LayerNorm(width)
            self.leave = Linear(width, patch * CONTEXT)
        self.register_buffer("places", positions(context // patch + self.future, width), persistent=False)
        count = lags.shape[1]
        local = known + count * (1 + extra) + len(self.near) * extra + CONTEXT + 1
        self.first, self.second, self.last = Linear(local, width), Linear(width, width), Linear(width, quantiles)
        self.mix_table = nn.Parameter(torch.linspace(8.0 if season == 1 else 2.0, 0.0, count)[None])
        self.window_table = nn.Parameter(torch.zeros(context, horizon))  # zero: it begins as the season before
        self.spans = [s for s in SPANS if s < context] if season == 1 else []  # or, without one, as the drift goes on
        self.drift_table = nn.Parameter(torch.zeros(1, max(1, len(self.spans))))
        self.damp_table = nn.Parameter(torch.zeros(1, horizon))
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    def tokens(self, past: Tensor, known: Tensor) -> Tensor:
        """(B, T), (B, T, K) -> (B, T / P, D)."""
        x = torch.cat([past[:, :, None], known], dim=2)  # (B, T, 1 + K)
        return self.enter(x.reshape(x.shape[0], x.shape[1] // self.patch, -1))

    def summary(self, past: Tensor, known: Tensor) -> Tensor:
        """What a Transformer says of each step: (B, H, CONTEXT)."""
        pad = self.future * self.patch - self.horizon
        values, known = F.pad(past, (0, self.future * self.patch)), F.pad(known, (0, 0, 0, pad))
        x = self.drop(self.tokens(values, known) + self.places)
        x = self.reader(x)
        x = self.leave(self.drop(self.norm(x[:, -self.future :])))  # (B, future, P CONTEXT)
        return x.reshape(x.shape[0], self.future * self.patch, CONTEXT)[:, : self.horizon]

    def about(self, past: Tensor, known: Tensor) -> Tensor:
        """What is said of each step of the horizon, (B, H, CONTEXT); the recurrent unit runs over all patches in one call."""
        if isinstance(self.reader, GRU):
            return self.unfold(self.reader(self.drop(self.tokens(past, known[:, : self.context])))[:, -1])
        return self.summary(past, known)

    def step(self, patch: Tensor, state: Tensor) -> Tensor:
        """One patch further: patch (B, P (1 + K)), state (B, D) -> the next state."""
        assert isinstance(self.reader, GRU)
        return self.reader.step(self.enter(patch), state)

    def unfold(self, state: Tensor) -> Tensor:
        """The state (B, D) -> what it says of each step (B, H, CONTEXT)."""
        x = self.leave(self.drop(state))
        return x.reshape(x.shape[0], self.future * self.patch, CONTEXT)[:, : self.horizon]

    def answer(self, past: Tensor, known: Tensor, about: Tensor) -> Tensor:
        """The linear part and what is added to it: (B, H, Q)."""
        lags = past[:, self.lags.flatten()].reshape(-1, *self.lags.shape)  # (B, H, L)
        base = (lags * torch.softmax(self.mix_table, dim=1)).sum(dim=2) + self.drop(past) @ self.window_table  # (B, H)
        if self.spans:
            slopes = torch.stack([(past[:, -1] - past[:, -1 - s]) / s for s in self.spans], dim=1)  # (B, S)
            slope = (slopes * torch.softmax(self.drift_table, dim=1)).sum(dim=1, keepdim=True)
            steps = torch.arange(1, self.horizon + 1, dtype=past.dtype, device=past.device)
            base = base + slope * (1 + self.damp_table) * steps
        ahead = known[:, self.context :]
        parts = [ahead, lags, about, base[:, :, None]]
        if self.extra:
            before = known[:, self.lags.flatten(), -self.extra :]
            parts.append(before.reshape(lags.shape[0], self.horizon, -1))
            for d in self.near:
                parts.append(known[:, self.context - d : self.context - d + self.horizon, -self.extra :])
        x = torch.relu(self.first(torch.cat(parts, dim=2)))
        x = self.drop(x)
        x = x + torch.relu(self.second(x))
        return base[:, :, None] + self.last(self.drop(x))


class Forecaster(nn.Module):
    """Members side by side; windows are cut and scaled here in training, and outside of it in the task.

    >>> lags = torch.tensor([[7, 6], [7, 6]])
    >>> window = Window(context=8, horizon=2, season=1, patch=2, known=1, extra=0, lags=lags)
    >>> net = Forecaster("rnn", window, quantiles=3, width=8, members=2)
    >>> state = net.read(torch.zeros(5, 4), torch.zeros(5, 16))["state"]
    >>> net.forecast(torch.zeros(5, 8), torch.ones(5, 10, 1), state)["quantiles"].shape
    torch.Size([5, 2, 3])
    """

    def __init__(
        self,
        kind: str,
        window: Window,
        quantiles: int,
        width: int = 96,
        depth: int = 2,
        heads: int = 2,
        dropout: float = 0.1,
        members: int = 3,
    ) -> None:
        super().__init__()
        self.kind, self.known, self.season = kind, window.known, window.season
        self.context, self.horizon, self.patch, self.width = window.context, window.horizon, window.patch, width
        shape = kind, window, quantiles, width, depth, heads, dropout
        self.members = nn.ModuleList(Member(*shape) for _ in range(members))

    def forward(
        self,
        past: Tensor,
        known: Tensor,
        earlier: Tensor,
        earlier_known: Tensor,
        wanted: Tensor,
        unit: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """For training: a window from anywhere in earlier (B, S), past (B, C), wanted (B, H) and what is known of them.

        -> each member's quantiles (B, M, H, Q), the values wanted in the same unit (B, H), and which of them count.
        """
        values = torch.cat([earlier, past, wanted], dim=1)  # (B, S + C + H)
        features = torch.cat([earlier_known, known], dim=1)
        if self.training:
            room, length = earlier.shape[1], self.context + self.horizon
            first = (torch.rand(len(past), device=past.device) * (room + 1)).long().clamp(max=room)
            at = first[:, None] + torch.arange(length, device=past.device)  # (B, C + H)
            values = values.gather(1, at)
            features = features.gather(1, at[:, :, None].expand(-1, -1, features.shape[2]))
        else:
            values, features = values[:, -self.context - self.horizon :], features[:, -self.context - self.horizon :]
        window, seen = values[:, : self.context], features[:, : self.context, 0]
        centre, unit = rescale(window.float(), seen.float(), self.season)
        unit = unit.clamp(min=0.05)
        values = ((values - centre) / unit).to(past.dtype)
        window = values[:, : self.context]
        every = [m.answer(window, features, m.about(window, features)) for m in self._members()]
        count = (seen.sum(1) >= FEW).float()[:, None] * features[:, self.context :, 0].float()
        return {"quantiles": torch.stack(every, dim=1), "wanted": values[:, self.context :], "count": count}

    def read(self, patch: Tensor, state: Tensor) -> dict[str, Tensor]:
        """One patch further: patch (B, P (1 + K)), the members' states (B, M D) -> the next ones."""
        states = state.chunk(len(self.members), dim=1)
        after = [m.step(patch, s) for m, s in zip(self._members(), states, strict=True)]
        return {"state": torch.cat(after, dim=1)}

    def forecast(self, past: Tensor, known: Tensor, state: Tensor | None = None) -> dict[str, Tensor]:
        """past (B, C), scaled, known (B, C + H, K), and the states where the net is recurrent -> quantiles (B, H, Q)."""
        if state is None:
            every = [m.answer(past, known, m.about(past, known)) for m in self._members()]
        else:
            states = state.chunk(len(self.members), dim=1)
            every = [m.answer(past, known, m.unfold(s)) for m, s in zip(self._members(), states, strict=True)]
        return {"quantiles": torch.stack(every).mean(dim=0).float()}

    def _members(self) -> list[Member]:
        return [m for m in self.members if isinstance(m, Member)]

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs: dict[str, tuple[str | int, ...]] = {
            "past": ("float32", "batch", self.context),
            "known": ("float32", "batch", self.context + self.horizon, self.known),
        }
        if self.kind != "rnn":
            return {"forecast": (inputs, ("quantiles",))}
        state = ("float32", "batch", len(self.members) * self.width)
        patch = ("float32", "batch", self.patch * (1 + self.known))
        return {
            "read": ({"patch": patch, "state": state}, ("state",)),
            "forecast": ({**inputs, "state": state}, ("quantiles",)),
        }


def pinball_loss(quantiles: Tensor, wanted: Tensor, count: Tensor, levels: Sequence[float]) -> Tensor:
    """The mean over steps that count (B, H) of all members' quantiles (B, M, H, Q) of the values wanted (B, H)."""
    every = torch.tensor(levels, device=quantiles.device)
    losses = pinball(quantiles, wanted[:, None].expand(quantiles.shape[:-1]), every)
    return (losses.mean(dim=(1, 3)) * count).sum() / count.sum().clamp(min=1)


def pinball(quantiles: Tensor, wanted: Tensor, levels: Tensor) -> Tensor:
    """The loss that a quantile makes least (Koenker and Bassett, 1978): (..., Q), (...), (Q) -> (..., Q).

    >>> pinball(torch.tensor([[1.0, 1.0]]), torch.tensor([3.0]), torch.tensor([0.5, 0.9])).tolist()
    [[1.0, 1.8]]
    """
    short = wanted[..., None].float() - quantiles.float()
    return torch.maximum(levels * short, (levels - 1) * short)
