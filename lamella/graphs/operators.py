"""The operators that a graph may use: those of the standard that nets are made of, none that runs another graph.

What lamella writes is in `WRITTEN`, and a test exports every task to see that it is so. `ALLOWED` adds what nets of the
same four families use elsewhere. Left out are control flow (If, Loop, Scan), sequences and optional values, random
numbers, texts, and what only draws or parses: none is needed, and each is code that a hostile file could reach.
"""

_OURS = """
Abs Add AveragePool Cast Clip Concat Conv Cos DepthToSpace DequantizeLinear Div DynamicQuantizeLinear Equal Expand Gather
GatherElements GatherND LayerNormalization LogSoftmax MatMul MatMulInteger Max Mul Not Pad Pow QuantizeLinear
Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape Shape Sigmoid Sin Slice Softmax Split Sqrt Squeeze Sub Tanh
TopK Transpose Trilu Unsqueeze Where
"""
WRITTEN = frozenset(_OURS.split())

_OTHERS = """
And ArgMax ArgMin BatchNormalization Ceil Celu Constant ConstantOfShape ConvInteger ConvTranspose CumSum Einsum
Elu Erf Exp Flatten Floor Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization
HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LeakyRelu Less LessOrEqual Log MaxPool Mean Min Mish
Mod Neg OneHot Or PRelu QLinearConv QLinearMatMul RMSNormalization Range ReduceL1 ReduceL2 ReduceLogSumExp ReduceMin
ReduceProd ReduceSumSquare Resize Round ScatterElements ScatterND Selu Sign Size Softplus Softsign SpaceToDepth Sum
Swish ThresholdedRelu Tile Xor
"""
ALLOWED = WRITTEN | frozenset(_OTHERS.split())
