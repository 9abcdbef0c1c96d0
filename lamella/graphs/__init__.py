"""ONNX files: read them as they lie on disk, judge whether they may run, and run them. Nothing here imports torch or onnx.

wire.py        the bytes: fields, nodes and stored arrays, read and edited
run.py         a graph as a function from arrays to arrays
"""

from lamella.graphs.run import NEXT, Array, Arrays, Axes, OnnxGraph, TorchGraph, load_graphs, torch_graphs

__all__ = ["NEXT", "Array", "Arrays", "Axes", "OnnxGraph", "TorchGraph", "load_graphs", "torch_graphs"]
