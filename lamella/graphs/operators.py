"""The operators that a graph may use: those of the standard that nets consist of, none that runs another graph.

`WRITTEN` holds those that lamella exports; a test exports every task to check it. `ALLOWED` adds those that nets of the
same four families use elsewhere. Control flow (If, Loop, Scan), sequences, optional values, random numbers, strings and
parsing are left out: they are not needed, and each is code that a hostile file could reach.
"""

_OURS = """
Abs Add AveragePool Cast Clip Concat Conv Cos DepthToSpace DequantizeLinear Div DynamicQuantizeLinear Equal Expand Gather
GatherElements GatherND LayerNormalization Log LogSoftmax MatMul MatMulInteger Max Mul Neg Not Pad Pow QuantizeLinear
Reciprocal ReduceMax ReduceMean ReduceSum Relu Reshape ScatterElements Shape Sigmoid Sin Slice Softmax Split Sqrt Squeeze Sub Sum Tanh
TopK Transpose Trilu Unsqueeze Where
"""
WRITTEN = frozenset(_OURS.split())

_OTHERS = """
And ArgMax ArgMin BatchNormalization Ceil Celu Constant ConstantOfShape ConvInteger ConvTranspose CumSum Einsum
Elu Erf Exp Flatten Floor Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GroupNormalization
HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LeakyRelu Less LessOrEqual MaxPool Mean Min Mish
Mod OneHot Or PRelu QLinearConv QLinearMatMul RMSNormalization Range ReduceL1 ReduceL2 ReduceLogSumExp ReduceMin
ReduceProd ReduceSumSquare Resize Round ScatterND Selu Sign Size Softplus Softsign SpaceToDepth
Swish ThresholdedRelu Tile Xor
"""
ALLOWED = WRITTEN | frozenset(_OTHERS.split())
