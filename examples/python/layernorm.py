#!/usr/bin/python3
"""Checks two layer norms in NumPy with byhand: a right one, and one with ε outside of the square root."""
import numpy as np

import byhand


def layer_norm(x):
    """The reference: over each row of x (n, c)."""
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5)


def right(y, x):
    """The kernel: row by row, the variance as a product."""
    for row, out in zip(x, y):
        centered = row - row.sum() / row.size
        out[:] = centered / np.sqrt(centered @ centered / row.size + row.dtype.type(1e-5))


def wrong(y, x):
    """The same with ε outside of the square root."""
    for row, out in zip(x, y):
        centered = row - row.sum() / row.size
        out[:] = centered / (np.sqrt(centered @ centered / row.size) + row.dtype.type(1e-5))


for name, kernel in ("layernorm", right), ("layernorm, ε outside", wrong):
    print(byhand.check(name, kernel, layer_norm, [[(1, 1)], [(7, 27)], [(33, 100)]]).text(), end="")
