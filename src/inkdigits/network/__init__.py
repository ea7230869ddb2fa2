"""The network, in NumPy alone. Read it in this order: layers, activations, losses, network,
optimizers; `initialisation` says where the weights start.
"""

from inkdigits.network.activations import LeakyReLU, ReLU, Sigmoid, Tanh
from inkdigits.network.initialisation import glorot, he, post
from inkdigits.network.layers import Context, Dense, Downsample, Dropout, Flatten, Layer, Rescale
from inkdigits.network.losses import Loss, SoftmaxCrossEntropy, SquaredError, softmax
from inkdigits.network.network import Network
from inkdigits.network.optimizers import SGD, Adam, AdamW, Optimizer

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Context",
    "Dense",
    "Downsample",
    "Dropout",
    "Flatten",
    "Layer",
    "LeakyReLU",
    "Loss",
    "Network",
    "Optimizer",
    "ReLU",
    "Rescale",
    "Sigmoid",
    "SoftmaxCrossEntropy",
    "SquaredError",
    "Tanh",
    "glorot",
    "he",
    "post",
    "softmax",
]
