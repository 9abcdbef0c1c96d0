"""Forecasters: the past of a series and what is known of its future -> quantiles of the next values.

A linear part continues the seasons and the trend; over long horizons a linear map alone beats most Transformers (Zeng et
al., 2023). It begins as the solution of a ridge regression (`Forecaster.begin`), and stays it where seasons do not help. A deep part corrects it: an encoder reads the past in patches (Nie et al., 2023), either a GRU or a
Transformer, which also has tokens for the future with its known features. A small net, shared by all steps of the
horizon, combines the encoder's output with the step's calendar, covariates and the values of earlier seasons: the
multi-horizon quantile forecaster of Wen et al., 2017. An ensemble of a few members with different initial weights is
trained at once and averaged.

Tensors in, tensors out: C steps of past, H of horizon, K features known of each step (the first is 1 for real steps and 0
for padding), P steps a patch, M members, Q quantiles. Values are scaled by the window that is read.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear, positions
from lamella.nets.rnn.cells import GRU
from lamella.nets.transformer.blocks import EncoderBlock

SPANS = (2, 3, 5, 8, 12)  # numbers of steps over which a trend is measured
CONTEXT = 24  # size of the encoder's output for each step of the horizon
PENALTIES = (3e-4, 3e-3, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # of the ridge regression, that are tried
FEW = 3  # windows with fewer past values do not count in the loss


def rescale(past: Tensor, seen: Tensor, season: int) -> tuple[Tensor, Tensor]:
    """The centre and the scale of each window (B, 1), from past and mask (B, C): seen is 1 where a value is known.

    With a season: mean and standard deviation. Without: the last value and the mean absolute change from step to step.

    >>> [float(x) for x in rescale(torch.tensor([[9.0, 2.0, 4.0, 8.0]]), torch.tensor([[0.0, 1, 1, 1]]), 1)]
    [8.0, 3.0]
    """
    if season == 1:
        # A series without seasons wanders: its last value says more about the next ones than its mean does.
        both = seen[:, 1:] * seen[:, :-1]
        steps = ((past[:, 1:] - past[:, :-1]).abs() * both).sum(1, keepdim=True)
        return past[:, -1:], steps / both.sum(1, keepdim=True).clamp(min=1)
    count = seen.sum(1, keepdim=True).clamp(min=1)
    centre = (past * seen).sum(1, keepdim=True) / count
    return centre, (((past - centre) * seen).square().sum(1, keepdim=True) / count).sqrt()


class Window(NamedTuple):
    """The shape of a forecaster's input and output."""

    context: int  # steps of past that are read
    horizon: int  # steps that are forecast
    season: int  # steps of a season; 1: none
    patch: int  # steps that make one token
    known: int  # features known of each step
    extra: int  # how many of those are covariates, the last ones
    lags: Tensor  # (H, L): for each step of the horizon, the same step of earlier seasons, as indices of the past


class Member(nn.Module):
    """One forecaster: past (B, C) and known (B, C + H, K), scaled -> quantiles (B, H, Q)."""

    places: Tensor
    lags: Tensor
    solved_past: Tensor  # (C, H), where the solution is kept
    solved_known: Tensor  # (H, K)

    def __init__(
        self,
        kind: str,
        window: Window,
        quantiles: int,
        width: int,
        depth: int,
        heads: int,
        dropout: float,
        solved: bool = False,
        solution: str = "",
    ) -> None:
        """solved: the linear part knows the calendar too, and begins as a solution; solution: that is kept, "beside" the linear part,
        which goes on learning, or "alone", in its place."""
        super().__init__()
        context, horizon, season, patch, known, extra, lags = window
        self.context, self.horizon, self.patch, self.extra = context, horizon, patch, extra
        self.width, self.future = width, -(-horizon // patch)
        self.register_buffer("lags", lags, persistent=False)
        # Covariates of the steps just before may act with a delay.
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
        # The weights of earlier seasons start in favour of the latest one; without seasons, of the last value.
        self.mix_table = nn.Parameter(torch.linspace(8.0 if season == 1 else 2.0, 0.0, count)[None])
        self.window_table = nn.Parameter(torch.zeros(context, horizon))  # zero: it starts as a seasonal-naive forecast
        self.known_table = nn.Parameter(torch.zeros(horizon, known)) if solved else None
        self.drop_past = nn.Dropout(dropout)
        self.spans = [s for s in SPANS if s < context] if season == 1 else []  # without a season: the trend continues
        self.drift_table = nn.Parameter(torch.zeros(1, max(1, len(self.spans))))
        self.damp_table = nn.Parameter(torch.zeros(1, horizon))
        self.alone = False
        if solution:
            shares = torch.softmax(self.mix_table.detach(), dim=1)[0]
            self.register_buffer("solved_past", repeated(shares, lags, context))
            self.register_buffer("solved_known", torch.zeros(horizon, known))
        if solution == "alone":
            self.stay()
        # Small: the deep part starts as a small correction of the linear one.
        with torch.no_grad():
            self.last.weight.mul_(0.1)

    def tokens(self, past: Tensor, known: Tensor) -> Tensor:
        """Patches as tokens: past (B, T), known (B, T, K) -> (B, T / P, D)."""
        x = torch.cat([past[:, :, None], known], dim=2)  # (B, T, 1 + K)
        return self.enter(x.reshape(x.shape[0], x.shape[1] // self.patch, -1))

    def summary(self, past: Tensor, known: Tensor) -> Tensor:
        """The Transformer's output for each step of the horizon: (B, H, CONTEXT)."""
        pad = self.future * self.patch - self.horizon
        values, known = F.pad(past, (0, self.future * self.patch)), F.pad(known, (0, 0, 0, pad))
        x = self.drop(self.tokens(values, known) + self.places)
        x = self.reader(x)
        x = self.leave(self.drop(self.norm(x[:, -self.future :])))  # (B, future, P CONTEXT)
        return x.reshape(x.shape[0], self.future * self.patch, CONTEXT)[:, : self.horizon]

    def about(self, past: Tensor, known: Tensor) -> Tensor:
        """The encoder's output for each step of the horizon, (B, H, CONTEXT); a GRU reads all patches in one call."""
        if isinstance(self.reader, GRU):
            return self.unfold(self.reader(self.drop(self.tokens(past, known[:, : self.context])))[:, -1])
        return self.summary(past, known)

    def step(self, patch: Tensor, state: Tensor) -> Tensor:
        """One patch further, for the exported GRU: patch (B, P (1 + K)), state (B, D) -> the next state (B, D)."""
        assert isinstance(self.reader, GRU)
        return self.reader.step(self.enter(patch), state)

    def unfold(self, state: Tensor) -> Tensor:
        """The GRU's state (B, D) -> the output for each step of the horizon (B, H, CONTEXT)."""
        x = self.leave(self.drop(state))
        return x.reshape(x.shape[0], self.future * self.patch, CONTEXT)[:, : self.horizon]

    def linear(self, past: Tensor, known: Tensor) -> Tensor:
        """The linear forecast of past (B, C) and known (B, C + H, K): (B, H)."""
        if self.alone:
            return self.solved(past, known)
        lags = past[:, self.lags.flatten()].reshape(-1, *self.lags.shape)  # (B, H, L)
        base = (lags * torch.softmax(self.mix_table, dim=1)).sum(dim=2)  # (B, H)
        base = base + self.drop_past(past) @ self.window_table
        if self.known_table is not None:
            base = base + (known[:, self.context :] * self.known_table).sum(dim=2)
        if self.spans:
            slopes = torch.stack([(past[:, -1] - past[:, -1 - s]) / s for s in self.spans], dim=1)  # (B, S)
            slope = (slopes * torch.softmax(self.drift_table, dim=1)).sum(dim=1, keepdim=True)
            steps = torch.arange(1, self.horizon + 1, dtype=past.dtype, device=past.device)
            base = base + slope * (1 + self.damp_table) * steps
        return base

    def solved(self, past: Tensor, known: Tensor) -> Tensor:
        """The forecast of the solution that is kept: (B, H)."""
        return past @ self.solved_past + (known[:, self.context :] * self.solved_known).sum(dim=2)

    def solve(self, weights: Tensor, calendar: Tensor, rate: float, alone: bool) -> None:
        """Take the weights (C, H) of the past and (H, K) of what is known; rate: of dropout of the past; alone: without the seasons,
        and for good."""
        self.window_table.copy_(weights)
        if self.known_table is not None:
            self.known_table.copy_(calendar)
        self.drop_past.p = min(0.5, rate)
        if hasattr(self, "solved_past"):
            self.solved_past.mul_(0.0 if alone else 1.0).add_(weights)
            self.solved_known.copy_(calendar)
        if alone:
            self.stay()

    def stay(self) -> None:
        """Be the solution from now on: nothing of the linear part learns."""
        self.alone = True
        del self.mix_table, self.window_table, self.known_table, self.drift_table, self.damp_table, self.drop_past

    def answer(self, past: Tensor, known: Tensor, about: Tensor) -> Tensor:
        """The linear forecast plus the deep part's correction: quantiles (B, H, Q)."""
        lags = past[:, self.lags.flatten()].reshape(-1, *self.lags.shape)  # (B, H, L)
        base = self.linear(past, known)
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
    """An ensemble of members. Windows are cut and scaled here in training, and by the task otherwise.

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
        solved: bool = False,
        solution: str = "",
    ) -> None:
        """solved, solution: see `Member`."""
        super().__init__()
        self.solution = solution
        self.kind, self.known, self.season = kind, window.known, window.season
        self.context, self.horizon, self.patch, self.width = window.context, window.horizon, window.patch, width
        shape = kind, window, quantiles, width, depth, heads, dropout, solved, solution
        self.members = nn.ModuleList(Member(*shape) for _ in range(members))

    def begin(self, past: Tensor, known: Tensor, wanted: Tensor, kept: Tensor) -> float:
        """Begin the linear part as a ridge regression: past (N, C), known (N, H, K), wanted (N, H).

        What the penalty draws it to is the forecast of its seasons, or, where the solution is kept, the mean of the past with the
        calendar too: a season of the week is none in temperatures. Which of them, and the penalty, is that with the least mean error
        on the windows that are `kept` (N) from the regression. In the second case the past says little, and the linear part stays as
        it is (`solution`). Dropout of the past is a ridge penalty too (Wager et al., 2013), so its rate becomes that of the penalty.
        Returns the penalty, as a part of the mean square of the past; infinity where nothing is better than to leave it as it is.
        """
        with torch.no_grad():
            member = self._members()[0].eval()
            all_known = torch.cat([past.new_zeros(len(past), self.context, known.shape[2]), known], dim=1)
            x, k = past.double(), known.double()
            left = (wanted - member.linear(past, all_known)).double()
            best, chosen, aim = left[kept].abs().mean().item(), float("inf"), left
            # Small penalties draw to nothing: there it is all one.
            large = [penalty for penalty in PENALTIES if penalty >= 1]
            plain = [(left + x @ member.solved_past.double(), large)] if self.solution else []
            for wish, penalties in [(left, PENALTIES), *plain]:
                for penalty, tables in zip(penalties, ridge(x[~kept], k[~kept], wish[~kept], penalties), strict=True):
                    error = (wish[kept] - x[kept] @ tables[0] - (k[kept] * tables[1]).sum(dim=2)).abs().mean().item()
                    if error < best:
                        best, chosen, aim = error, penalty, wish
            if chosen != float("inf"):
                [(weights, calendar)] = ridge(x, k, aim, (chosen,))
                for member in self._members():
                    member.solve(weights, calendar, chosen / (1 + chosen), aim is not left)
                self.solution = "alone" if aim is not left else self.solution
            self.train()
        return chosen

    def forward(
        self,
        past: Tensor,
        known: Tensor,
        earlier: Tensor,
        earlier_known: Tensor,
        wanted: Tensor,
        unit: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """For training: a random window of earlier (B, S), past (B, C), wanted (B, H), and their known features.

        Returns each member's quantiles (B, M, H, Q), the true values on the same scale (B, H), and which of them count.
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
        # A constant window has no scale of its own.
        unit = unit.clamp(min=0.05)
        values = ((values - centre) / unit).to(past.dtype)
        window = values[:, : self.context]
        every = [m.answer(window, features, m.about(window, features)) for m in self._members()]
        count = (seen.sum(1) >= FEW).float()[:, None] * features[:, self.context :, 0].float()
        return {"quantiles": torch.stack(every, dim=1), "wanted": values[:, self.context :], "count": count}

    def read(self, patch: Tensor, state: Tensor) -> dict[str, Tensor]:
        """One patch further: patch (B, P (1 + K)), the members' states (B, M D) -> the next states."""
        states = state.chunk(len(self.members), dim=1)
        after = [m.step(patch, s) for m, s in zip(self._members(), states, strict=True)]
        return {"state": torch.cat(after, dim=1)}

    def forecast(self, past: Tensor, known: Tensor, state: Tensor | None = None) -> dict[str, Tensor]:
        """past (B, C), scaled, known (B, C + H, K), and the states of a recurrent net -> quantiles (B, H, Q).

        Where a solution is kept, its forecast (B, H) too.
        """
        if state is None:
            every = [m.answer(past, known, m.about(past, known)) for m in self._members()]
        else:
            states = state.chunk(len(self.members), dim=1)
            every = [m.answer(past, known, m.unfold(s)) for m, s in zip(self._members(), states, strict=True)]
        found = {"quantiles": torch.stack(every).mean(dim=0).float()}
        return found | {"linear": self._members()[0].solved(past, known).float()} if self.solution else found

    def _members(self) -> list[Member]:
        return [m for m in self.members if isinstance(m, Member)]

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: method -> (inputs with type and axes, outputs). A word is a free axis, a number is fixed."""
        inputs: dict[str, tuple[str | int, ...]] = {
            "past": ("float32", "batch", self.context),
            "known": ("float32", "batch", self.context + self.horizon, self.known),
        }
        outputs = ("quantiles", "linear") if self.solution else ("quantiles",)
        if self.kind != "rnn":
            return {"forecast": (inputs, outputs)}
        state = ("float32", "batch", len(self.members) * self.width)
        patch = ("float32", "batch", self.patch * (1 + self.known))
        return {
            "read": ({"patch": patch, "state": state}, ("state",)),
            "forecast": ({**inputs, "state": state}, outputs),
        }


def repeated(shares: Tensor, lags: Tensor, context: int) -> Tensor:
    """The weights (C, H) of the past with which earlier seasons come again: a share (L) of each lag (H, L).

    >>> repeated(torch.tensor([0.75, 0.25]), torch.tensor([[2, 0], [3, 1]]), 4).T.tolist()
    [[0.25, 0.0, 0.75, 0.0], [0.0, 0.25, 0.0, 0.75]]
    """
    ahead = torch.arange(len(lags))[:, None].expand_as(lags)
    weights = torch.zeros(context, len(lags))
    return weights.index_put((lags, ahead), shares.expand(lags.shape), accumulate=True)


def ridge(past: Tensor, known: Tensor, wanted: Tensor, penalties: Sequence[float]) -> list[tuple[Tensor, Tensor]]:
    """For each penalty the weights (C, H) of past (N, C), and (H, K) of known (N, H, K), with the least squares for wanted (N, H).

    The penalty, a part of the mean square of the past, is on the weights of the past; on the others is next to none. Each step ahead
    is solved by itself: the part that all share is inverted once (Schur's complement).

    >>> x, k = torch.eye(2, dtype=torch.float64), torch.zeros(2, 1, 1, dtype=torch.float64)
    >>> [(weights, calendar)] = ridge(x, k, torch.tensor([[2.0], [4.0]], dtype=torch.float64), [1.0])
    >>> [[round(v, 3) for v in row] for row in weights.tolist()], calendar.tolist()
    ([[1.0], [2.0]], [[0.0]])
    """
    gram = past.T @ past  # (C, C)
    unit = gram.diagonal().mean().clamp(min=1e-12)
    cross = torch.einsum("nc,nhk->chk", past, known)  # (C, H, K)
    square = torch.einsum("nhj,nhk->hjk", known, known) + 1e-3 * len(past) * torch.eye(known.shape[2], dtype=past.dtype)
    aims, own = past.T @ wanted, torch.einsum("nhk,nh->hk", known, wanted)  # (C, H), (H, K)
    found = []
    for penalty in penalties:
        factor = torch.linalg.cholesky(gram + penalty * unit * torch.eye(len(gram), dtype=past.dtype))
        solved = torch.cholesky_solve(torch.cat([aims, cross.flatten(1)], dim=1), factor)
        by_aim, by_cross = solved[:, : aims.shape[1]], solved[:, aims.shape[1] :].reshape(cross.shape)
        left = square - torch.einsum("chj,chk->hjk", cross, by_cross)
        calendar = torch.linalg.solve(left, own - torch.einsum("chk,ch->hk", by_cross, aims))  # (H, K)
        found.append((by_aim - torch.einsum("chk,hk->ch", by_cross, calendar), calendar))
    return found


def pinball_loss(quantiles: Tensor, wanted: Tensor, count: Tensor, levels: Sequence[float]) -> Tensor:
    """The mean pinball loss of all members' quantiles (B, M, H, Q) for the values wanted (B, H), over steps that count."""
    every = torch.tensor(levels, device=quantiles.device)
    losses = pinball(quantiles, wanted[:, None].expand(quantiles.shape[:-1]), every)
    return (losses.mean(dim=(1, 3)) * count).sum() / count.sum().clamp(min=1)


def pinball(quantiles: Tensor, wanted: Tensor, levels: Tensor) -> Tensor:
    """The pinball loss, which the true quantile minimises (Koenker and Bassett, 1978): (..., Q), (...), (Q) -> (..., Q).

    >>> pinball(torch.tensor([[1.0, 1.0]]), torch.tensor([3.0]), torch.tensor([0.5, 0.9])).tolist()
    [[1.0, 1.8]]
    """
    short = wanted[..., None].float() - quantiles.float()
    return torch.maximum(levels * short, (levels - 1) * short)
