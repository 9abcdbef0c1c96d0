"""A device that every machine has: tensors that say they are elsewhere, and are computed on the processor all the same.

An operation that is given both tensors of the device and arrays of the processor is an error, as it is on any accelerator.
So is, while a net or a loss runs, an array that is made on the processor: it would have to be sent at every step.
"""

from __future__ import annotations

import traceback
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

NAME = "meta"  # a device that torch knows on every machine, and that nobody computes on
DEVICE = torch.device(NAME)
aten = torch.ops.aten
CROSSING = (aten.copy_.default, aten._to_copy.default)  # from one device to another


class There(torch.Tensor):
    """A tensor of the pretended device; `here` holds its numbers."""

    here: torch.Tensor

    @staticmethod
    def __new__(cls, here: torch.Tensor) -> There:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            here.size(),
            strides=here.stride(),
            storage_offset=here.storage_offset(),
            dtype=here.dtype,
            device=DEVICE,
        )

    def __init__(self, here: torch.Tensor) -> None:
        self.here = here

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return compute(func, args, kwargs or {})


class Sent(TorchFunctionMode):
    """`torch.tensor([...], device="meta")` is made of Python's numbers, which no operation sees: sent afterwards."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        device = kwargs.get("device")
        if func is torch.tensor and device is not None and torch.device(device).type == NAME:
            kwargs["device"] = "cpu"
            return func(*args, **kwargs).to(NAME)
        return func(*args, **kwargs)


class PretendedDevice(TorchDispatchMode):
    """While it is active, `device="meta"` makes and moves tensors of the pretended device."""

    def __init__(self) -> None:
        super().__init__()
        self.made_here: list[str] = []  # where a net or a loss made an array on the processor
        self.operations = 0  # done on the device
        self._sent = Sent()

    def __enter__(self) -> PretendedDevice:
        self._sent.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._sent.__exit__(*error)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = compute(func, args, kwargs or {})
        tensors = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
        made = [x for x in tree_flatten(result)[0] if isinstance(x, torch.Tensor)]
        self.operations += any(isinstance(x, There) for x in made)
        if not tensors and any(x.ndim and not isinstance(x, There) for x in made):
            frames = traceback.extract_stack()
            computing = any("/nets/" in f.filename and f.name != "__init__" or f.name == "loss" for f in frames)
            # What is drawn by one generator on every device is made on the processor, in `augment` alone.
            if computing and not any(f.name in ("augment", "build") for f in frames):
                at = next(f for f in reversed(frames) if f.filename != __file__ and "site-packages" not in f.filename)
                self.made_here.append(f"{func} at {at.filename}:{at.lineno}: {at.line}")
        return result


def compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """An operation with its numbers where they are, its result where it belongs."""
    flat = tree_flatten((args, kwargs))[0]
    there = [x for x in flat if isinstance(x, There)]
    wanted = kwargs.get("device")
    if there and func not in CROSSING:
        # A number without axes may be anywhere.
        odd = [x for x in flat if isinstance(x, torch.Tensor) and not isinstance(x, There) and x.ndim]
        if odd:
            raise RuntimeError(f"{func}: expected all tensors on one device, found some on {NAME} and some on cpu")
    if wanted is not None and torch.device(wanted).type == NAME:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    result = func(*tree_map(_here, args), **tree_map(_here, kwargs))
    if (
        there and torch.Tag.inplace_view in func.tags
    ):  # shape and strides of the outer tensor change with the inner one's
        with no_dispatch():
            func(*args, **kwargs)
    stays = there and (wanted is None or torch.device(wanted).type == NAME)
    moves = wanted is not None and torch.device(wanted).type == NAME
    if func is aten.copy_.default:
        return args[0]
    if not (stays or moves):
        return result
    known = {id(x.here): x for x in there}  # what was changed in its place is the tensor that it was

    def put(x: Any) -> Any:
        if not isinstance(x, torch.Tensor):
            return x
        return known[id(x)] if id(x) in known else There(x)

    return tree_map(put, result)


def _here(x: Any) -> Any:
    return x.here if isinstance(x, There) else x
