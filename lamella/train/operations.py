"""Count what torch is told: operations, floating-point operations, which weights a graph touches.

    with Operations() as seen:
        net(batch)
    seen.flops, seen.count

Formulas are those of torch (`torch.utils.flop_counter`), and for attention on processors, which it leaves out, the same ones.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop_count, sdpa_flop_count

from lamella.graphs import TorchGraph
from lamella.model import fingerprint
from lamella.task import Task
from lamella.train.export import EXAMPLES, arrays_of, sizes_of
from lamella.train.gather import Gathered
from lamella.train.ship import store_learned

SEEN = 2000  # examples whose keys are counted
CARD = 5000  # bytes of the card and of model.json, besides what is learned

aten: Any = torch.ops.aten


@dataclass(frozen=True)
class Contents:
    """What a model will hold, in bytes."""

    float32: int
    int8: int
    other: int  # what is learned besides weights: vocabularies, fingerprint, card


def _attention(query: Any, key: Any, value: Any, *args: Any, out_val: Any = None, **kwargs: Any) -> int:
    return int(sdpa_flop_count(query.shape, key.shape, value.shape))  # type: ignore[no-untyped-call]


def _attention_back(out: Any, query: Any, key: Any, value: Any, *args: Any, out_val: Any = None, **kwargs: Any) -> int:
    return int(sdpa_backward_flop_count(out.shape, query.shape, key.shape, value.shape))  # type: ignore[no-untyped-call]


FORMULAS = {
    **flop_registry,  # of products, convolutions, and attention on accelerators
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_back,
}


class Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operations of torch and their floating-point operations, and notes which tensors of a net they are given."""

    def __init__(self, net: nn.Module | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count, self.flops = 0, 0
        self.used: dict[int, torch.Tensor] = {}
        tensors = (*net.parameters(), *net.buffers()) if net is not None else ()
        self._known = {t.untyped_storage().data_ptr(): t for t in tensors}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.count += 1
        if formula := FORMULAS.get(func.overloadpacket):
            self.flops += formula(*args, **kwargs, out_val=result)
        for value in tree_leaves((args, kwargs)) if self._known else ():
            if isinstance(value, torch.Tensor):
                place = value.untyped_storage().data_ptr()
                if place in self._known:
                    self.used[place] = self._known[place]
        return result


def overhead() -> float:
    """Seconds of one small operation under the eyes of Python, on a processor that does nothing else."""
    one, tries = torch.ones(1), []
    with Operations():
        for _ in range(10):
            start = time.thread_time()
            for _ in range(200):
                torch.add(one, one)
            tries.append((time.thread_time() - start) / 200)
    return min(tries)


def operations_of(net: nn.Module) -> dict[str, int]:
    """How many operations each graph of a net has, by its name. The net is as it was afterwards."""
    training = net.training
    counts = {name: seen.count for name, seen in _seen(net).items()}
    net.train(training)
    return counts


def _seen(net: nn.Module) -> dict[str, Operations]:
    """Each graph of a net run once."""
    found = {}
    net.eval()
    for name, (inputs, _) in net.graphs().items():  # type: ignore[operator]
        words = list(dict.fromkeys(a for axes in inputs.values() for a in axes[1:] if isinstance(a, str)))
        arrays = arrays_of(net, name, sizes_of(net, words, EXAMPLES))
        with Operations(net) as found[name]:
            TorchGraph(net, name)(**arrays)
    return found


def contents_of(job: Task, net: nn.Module, gathered: Gathered, files: Mapping[str, bytes]) -> Contents:
    """The size of a model of these exported graphs. Each holds the weights that it touches: a shared table counts twice in int8 too."""
    float32 = sum(map(len, files.values()))
    saved = sum(4 * t.numel() - _rounded(t) for seen in _seen(net).values() for t in seen.used.values())
    values, learned = store_learned(job)
    some = [gathered.learn[i] for i in range(min(SEEN, len(gathered.learn)))]
    keys = len({key for example in some for key in job.keys(example)}) * len(gathered.learn) / len(some)
    hashes = fingerprint.WIDTH * min(fingerprint.MOST, round(keys))
    other = sum(map(len, learned.values())) + len(msgspec.json.encode(values)) + hashes + CARD
    return Contents(float32, max(0, float32 - saved), other)


def _rounded(tensor: torch.Tensor) -> int:
    """Bytes of a tensor once matrices are int8 with a scale for each row."""
    return tensor.numel() + 4 * tensor.shape[0] if tensor.ndim > 1 else 4 * tensor.numel()
