"""The network, in NumPy alone. Read it in this order: layers, activations, losses, network,
optimizers; then convolution, pooling, normalisation; `initialisation` says where the weights start.
`shortcuts` and `winograd` do some of the same faster, `copies` looks at a digit more than once.
"""

from inkdigits.network.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from inkdigits.network.convolution import Conv2d
from inkdigits.network.copies import MeanOfCopies, ShiftedCopies
from inkdigits.network.initialisation import glorot, he, post
from inkdigits.network.layers import Context, Dense, Downsample, Dropout, Flatten, Layer, Rescale
from inkdigits.network.losses import Loss, SoftmaxCrossEntropy, SquaredError, softmax
from inkdigits.network.network import Network
from inkdigits.network.normalisation import BatchNorm
from inkdigits.network.optimizers import SGD, Adam, AdamW, Optimizer
from inkdigits.network.pooling import AveragePool2d, GlobalAveragePool, MaxPool2d

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "AveragePool2d",
    "BatchNorm",
    "Context",
    "Conv2d",
    "Dense",
    "Downsample",
    "Dropout",
    "Flatten",
    "GlobalAveragePool",
    "Layer",
    "LeakyReLU",
    "Loss",
    "MaxPool2d",
    "MeanOfCopies",
    "Network",
    "Optimizer",
    "ReLU",
    "Rescale",
    "ShiftedCopies",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "Tanh",
    "glorot",
    "he",
    "post",
    "softmax",
]
