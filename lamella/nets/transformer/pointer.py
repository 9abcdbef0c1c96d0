"""A Transformer that writes words of its vocabulary or copies words of its source: a pointer-generator.

Names and numbers of a text are rare in any training set, and a net that can only choose from its vocabulary invents others
in their place. Here a copy head attends to the source, and a gate says at each token how much of its probability is a
choice from the vocabulary and how much a copy (See et al., 2017, "Get To The Point"):

    p(w) = gate * p_vocabulary(w) + (1 - gate) * (the sum of the copy attention at the places where the source has w)

Both need one vocabulary for source and target. The body is the encoder-decoder of `encoder_decoder.py`.

A net that trains for minutes does not find out by itself what copying hangs on, so that is built in: which neighbours a token of the
source has is added to its vector; that a token stands behind the one or the two just written, and that it was written before,
is seen by comparing ids.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear
from lamella.nets.transformer.blocks import PADDING, EncoderBlock
from lamella.nets.transformer.encoder_decoder import CANDIDATES, EncoderDecoder
from lamella.nets.transformer.masked import look_around

COPY_WIDTH = 16  # of the copy head's queries and keys
FOLLOWS = 3.0  # how much likelier, in nats, a token is copied at first where the one before it was just written
BOTH = 1.0  # and where the two before it were
WRITTEN = -1.0  # and where it was written already
NEAR = 5  # tokens
SPREAD = 0.3  # of their weights at first
SMALL = 0.4  # how large a token's vector is at first, over the usual: it must not drown out where it stands
LEAST = 1e-9  # a probability below this has no useful logarithm


class PointerTransformer(nn.Module):
    """A sequence of tokens in, a sequence out, each token chosen from the vocabulary or copied from the source.

    The parameters are those of `EncoderDecoder`, with one decoder and one vocabulary. near: tokens of the source around each one,
    itself among them, that are added to its vector.

    >>> net = PointerTransformer(EncoderDecoder(vocabulary=20, width=8, depth=2, decoder_depth=1, heads=2))
    >>> out = net(torch.tensor([[4, 5, 3]]), torch.tensor([[2, 7]]))
    >>> out["scores"].shape, out["copy"].shape, out["gate"].shape
    (torch.Size([1, 2, 20]), torch.Size([1, 2, 3]), torch.Size([1, 2, 1]))
    """

    def __init__(self, body: EncoderDecoder, near: int = NEAR) -> None:
        super().__init__()
        self.body = body
        self.vocabulary, self.longest = body.vocabulary, body.longest
        # A head of its own, apart from the cross-attention, whose heads have other things to look for. It is so narrow that
        # compression leaves it in float32 up to a width of 255: rounded to int8, a pointer slips to the word beside its own.
        self.copy_query, self.copy_key = Linear(body.width, COPY_WIDTH), Linear(body.width, COPY_WIDTH)
        # It begins even: of a text's hundred tokens a few are right, of a vocabulary's thousands one, so that copying is learned first.
        self.gate = Linear(body.width, 1)
        # What is copied is copied in phrases. That the next token stands behind the one just written is seen by comparing ids;
        # attention needs thousands of steps to find it out.
        self.follows, self.both = nn.Parameter(torch.tensor(FOLLOWS)), nn.Parameter(torch.tensor(BOTH))
        self.again = nn.Parameter(torch.tensor(WRITTEN))
        # Where a summary tends to be copied from, whatever was written.
        self.likely = Linear(body.width, 1)
        # Three axes, so that AdamW moves it: it is no map from vectors to vectors.
        self.near = nn.Parameter(torch.randn(near, 1, body.width) * SPREAD)
        with torch.no_grad():
            body.table.mul_(SMALL)
            self.likely.weight.zero_()
        look_around(cast(EncoderBlock, body.encoder[0]).attention)

    def read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """As `EncoderDecoder.read`, each token with those beside it: (B, S) -> memory (B, S, D) and the padding mask."""
        bias, x = self.body.padding_bias(source), self.body.embed(source, source=True)
        side = len(self.near) // 2
        around = F.pad(x * (source != PADDING)[..., None].to(x.dtype), (0, 0, side, side))  # (B, S + 4, D)
        for at in range(len(self.near)):
            x = x + self.near[at] * around[:, at : at + source.shape[1]]
        for block in self.body.encoder:
            x = block(x, bias)
        return cast(Tensor, self.body.norm_encoder(x)), bias

    def keys(self, memory: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """The keys of the copy head (B, S, d), and how likely each place is copied whatever was written (B, S)."""
        return self.copy_key(memory), self.likely(memory)[..., 0] + bias[:, 0, 0]

    def point(
        self, hidden: Tensor, keys: tuple[Tensor, Tensor], written: tuple[Tensor, Tensor, Tensor], source: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Where to copy from, and how much to write: hidden (B, T, D), keys as of `keys`, source (B, S).

        written: at each position the token just written and the one before it (B, T), and 1 where a token of the source was written
        so far (B, T, S). Returns the copy attention (B, T, S), whose rows add up to 1, and the gate (B, T, 1).
        """
        last, before, again = written
        scores = self.copy_query(hidden) @ keys[0].transpose(1, 2) * COPY_WIDTH**-0.5 + keys[1][:, None]
        # Cut after it is put together: the exporter would ask for a source of more than two tokens else.
        left = torch.cat([torch.zeros_like(source[:, :1]), source], dim=1)[:, : source.shape[1]]  # (B, S)
        second = torch.cat([torch.zeros_like(source[:, :1]), left], dim=1)[:, : source.shape[1]]
        behind = (last[:, :, None] == left[:, None, :]).float()  # (B, T, S)
        two = behind * (before[:, :, None] == second[:, None, :]).float()
        # In float32, whatever the net computes in: shares of one place among hundreds are small, and are added up.
        scores = scores.float() + self.follows.float() * behind + self.both.float() * two + self.again.float() * again
        return torch.softmax(scores, dim=-1), torch.sigmoid(self.gate(hidden).float())

    def forward(self, source: Tensor, prompt: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: source (B, S) and the shifted target (B, T) -> what `pointer_loss` takes.

        scores (B, T, V) of the vocabulary, not normalised; copy (B, T, S); gate (B, T, 1); source (B, S).
        """
        memory, bias = self.read(source)
        hidden = self.body.write(prompt, memory, bias)
        same = (prompt[:, :, None] == source[:, None, :]).float()
        written = prompt, F.pad(prompt, (1, 0))[:, :-1], same.cumsum(dim=1).clamp(max=1.0)
        copy, gate = self.point(hidden, self.keys(memory, bias), written, source)
        # Summaries are a tenth of their texts, so that the scores of all their tokens fit into memory at once.
        return {"scores": hidden @ self.body.output().t(), "copy": copy, "gate": gate, "source": source}

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """Encode the source once: (B, S) -> as `EncoderDecoder.encode`, and what `keys` gives."""
        memory, bias = self.read(source)
        keys, places = self.keys(memory, bias)
        return {**self.body.remember(memory), "memory_bias": bias, "copy_keys": keys, "copy_bias": places}

    def step(
        self,
        token: Tensor,
        source: Tensor,
        memory_bias: Tensor,
        copy_keys: Tensor,
        copy_bias: Tensor,
        written: Tensor,
        **arrays: Tensor,
    ) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a text, the source (B, S), what `encode` gives, the state.

        written (B, K, T): the tokens before this one, a part of the state. Returns the log-probabilities and ids of the best next
        tokens (B, K, 16), the new state, and "attention" (B, K, S): the copy attention, which says where in the source a token stands.
        """
        outputs, _, after = self.body.advance(token, memory_bias, arrays)
        every = torch.cat([written, token[..., None]], dim=2)  # (B, K, T + 1)
        # Of the last two, where there may be one: a padding stands before the first.
        before = torch.cat([torch.zeros_like(token)[..., None], written], dim=2)[..., -1]
        again = (every[..., None] == source[:, None, None, :]).float().amax(dim=2)  # (B, K, S)
        copy, gate = self.point(outputs[0], (copy_keys, copy_bias), (token, before, again), source)
        chosen = gate * torch.softmax(outputs[0] @ self.body.output().t(), dim=-1)  # (B, K, V)
        places = source[:, None, :].expand(-1, token.shape[1], -1)  # (B, K, S)
        likely = chosen.scatter_add(2, places, (1 - gate) * copy)
        best, ids = torch.topk(likely, min(CANDIDATES, likely.shape[-1]), dim=-1)
        return {"scores": best.clamp(min=LEAST).log(), "tokens": ids, **after, "written": every, "attention": copy}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: the graphs of `EncoderDecoder`, with the copy head."""
        body = self.body.graphs()
        (encode, encoded), (step, stepped) = body["encode"], body["step"]
        keys: tuple[str | int, ...] = ("float32", "batch", "source", COPY_WIDTH)
        token, rest = step["token"], {name: axes for name, axes in step.items() if name != "token"}
        inputs = {"token": token, "source": ("int64", "batch", "source"), "written": ("int64", "batch", "beam", "past")}
        inputs |= {**rest, "copy_keys": keys, "copy_bias": ("float32", "batch", "source")}
        return {"encode": (encode, (*encoded, "copy_keys", "copy_bias")), "step": (inputs, (*stepped, "written"))}


def pointer_loss(
    scores: Tensor, copy: Tensor, gate: Tensor, source: Tensor, target: Tensor, smoothing: float = 0.0
) -> Tensor:
    """Mean cross-entropy in nats of written and copied tokens together; padding (id 0) in target (B, T) is ignored.

    The other arguments are what `PointerTransformer.forward` returns. smoothing: the share of the loss that wants the
    vocabulary's distribution to be even (label smoothing; Szegedy et al., 2016); the pointer has none.

    >>> even = torch.zeros(1, 1, 10)
    >>> half = torch.full((1, 1, 1), 0.5)
    >>> loss = pointer_loss(even, torch.tensor([[[0.5, 0.5]]]), half, torch.tensor([[4, 7]]), torch.tensor([[7]]))
    >>> round(loss.exp().item(), 4)  # 1 / (half of a tenth, and half of the half)
    3.3333
    """
    kept = target != 0
    logs = F.log_softmax(scores.float(), dim=-1)  # (B, T, V)
    written = logs.gather(2, target[..., None])[..., 0]
    copied = (copy * (source[:, None, :] == target[..., None])).sum(dim=-1)  # (B, T)
    share = gate[..., 0]
    likely = share * written.exp() + (1 - share) * copied
    loss = -(1 - smoothing) * likely.clamp(min=LEAST).log()
    if smoothing:
        loss = loss - smoothing * logs.mean(dim=-1)
    return (loss * kept).sum() / kept.sum().clamp(min=1)
