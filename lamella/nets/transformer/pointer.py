"""A Transformer that writes words of its vocabulary or copies words of its source: a pointer-generator.

Names and numbers of a text are rare in any training set, and a net that can only choose from its vocabulary invents others
in their place. Here a copy head attends to the source, and a gate says at each token how much of its probability is a
choice from the vocabulary and how much a copy (See et al., 2017, "Get To The Point"):

    p(w) = gate * p_vocabulary(w) + (1 - gate) * (the sum of the copy attention at the places where the source has w)

Both need one vocabulary for source and target. The body is the encoder-decoder of `encoder_decoder.py`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lamella.nets.layers import Linear
from lamella.nets.transformer.encoder_decoder import CANDIDATES, EncoderDecoder

COPY_WIDTH = 16  # of the copy head's queries and keys
FOLLOWS = 3.0  # how much likelier, in nats, a token is copied at first where the one before it was just written
LEAST = 1e-9  # a probability below this has no useful logarithm


class PointerTransformer(nn.Module):
    """A sequence of tokens in, a sequence out, each token chosen from the vocabulary or copied from the source.

    The parameters are those of `EncoderDecoder`, with one decoder and one vocabulary.

    >>> net = PointerTransformer(EncoderDecoder(vocabulary=20, width=8, depth=2, decoder_depth=1, heads=2))
    >>> out = net(torch.tensor([[4, 5, 3]]), torch.tensor([[2, 7]]))
    >>> out["scores"].shape, out["copy"].shape, out["gate"].shape
    (torch.Size([1, 2, 20]), torch.Size([1, 2, 3]), torch.Size([1, 2, 1]))
    """

    def __init__(self, body: EncoderDecoder) -> None:
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
        self.follows = nn.Parameter(torch.tensor(FOLLOWS))

    def point(
        self, hidden: Tensor, copy_keys: Tensor, bias: Tensor, written: Tensor, source: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Where to copy from, and how much to write: hidden (B, T, D), copy_keys (B, S, d), bias (B, 1, 1, S).

        written (B, T): the token just written at each position; source (B, S). Returns the copy attention (B, T, S), whose rows add up to 1, and the gate (B, T, 1).
        """
        scores = self.copy_query(hidden) @ copy_keys.transpose(1, 2) * COPY_WIDTH**-0.5
        # Cut after it is put together: the exporter would ask for a source of more than two tokens else.
        before = torch.cat([torch.zeros_like(source[:, :1]), source], dim=1)[:, : source.shape[1]]  # (B, S)
        behind = (written[:, :, None] == before[:, None, :]).float()  # (B, T, S)
        # In float32, whatever the net computes in: shares of one place among hundreds are small, and are added up.
        scores = (scores + bias[:, 0]).float() + self.follows.float() * behind
        return torch.softmax(scores, dim=-1), torch.sigmoid(self.gate(hidden).float())

    def forward(self, source: Tensor, prompt: Tensor) -> dict[str, Tensor]:
        """Teacher forcing: source (B, S) and the shifted target (B, T) -> what `pointer_loss` takes.

        scores (B, T, V) of the vocabulary, not normalised; copy (B, T, S); gate (B, T, 1); source (B, S).
        """
        memory, bias = self.body.read(source)
        hidden = self.body.write(prompt, memory, bias)
        copy, gate = self.point(hidden, self.copy_key(memory), bias, prompt, source)
        # Summaries are a tenth of their texts, so that the scores of all their tokens fit into memory at once.
        return {"scores": hidden @ self.body.output().t(), "copy": copy, "gate": gate, "source": source}

    def encode(self, source: Tensor) -> dict[str, Tensor]:
        """Encode the source once: (B, S) -> as `EncoderDecoder.encode`, and the keys of the copy head (B, S, d)."""
        memory, bias = self.body.read(source)
        return {**self.body.remember(memory), "memory_bias": bias, "copy_keys": self.copy_key(memory)}

    def step(
        self, token: Tensor, source: Tensor, memory_bias: Tensor, copy_keys: Tensor, **arrays: Tensor
    ) -> dict[str, Tensor]:
        """One token further: token (B, K) of K beams a text, the source (B, S), what `encode` gives, the state.

        Returns the log-probabilities and ids of the best next tokens (B, K, 16), the new state, and "attention" (B, K, S):
        the copy attention, which says where in the source a token stands.
        """
        outputs, _, after = self.body.advance(token, memory_bias, arrays)
        copy, gate = self.point(outputs[0], copy_keys, memory_bias, token, source)
        written = gate * torch.softmax(outputs[0] @ self.body.output().t(), dim=-1)  # (B, K, V)
        places = source[:, None, :].expand(-1, token.shape[1], -1)  # (B, K, S)
        likely = written.scatter_add(2, places, (1 - gate) * copy)
        best, ids = torch.topk(likely, min(CANDIDATES, likely.shape[-1]), dim=-1)
        return {"scores": best.clamp(min=LEAST).log(), "tokens": ids, **after, "attention": copy}

    def graphs(self) -> dict[str, tuple[dict[str, tuple[str | int, ...]], tuple[str, ...]]]:
        """What to export: the graphs of `EncoderDecoder`, with the copy head."""
        body = self.body.graphs()
        (encode, encoded), (step, stepped) = body["encode"], body["step"]
        keys: tuple[str | int, ...] = ("float32", "batch", "source", COPY_WIDTH)
        token, rest = step["token"], {name: axes for name, axes in step.items() if name != "token"}
        inputs = {"token": token, "source": ("int64", "batch", "source"), **rest, "copy_keys": keys}
        return {"encode": (encode, (*encoded, "copy_keys")), "step": (inputs, stepped)}


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
