"""NumPy arrays whose operations round at random, to show how far rounding may move the result of a function."""
import math

import numpy as np

# Ufuncs that round once, or not at all; and functions that sum, and are not made of ufuncs.
ARITHMETIC = {"add", "subtract", "multiply", "divide", "sqrt", "square", "reciprocal"}
EXACT = {"negative", "positive", "absolute", "sign", "maximum", "minimum", "clip", "floor", "ceil", "rint", "trunc"}
SUMS = {np.dot, np.vdot, np.inner, np.einsum, np.tensordot, np.convolve, np.correlate}


class RandomlyRounded(np.ndarray):
    """Floats. An operation moves its result at random by one unit in the last place, or by √n/2 of them if it may sum n
    elements; and its inputs too, unless it is in ARITHMETIC."""
    random = np.random.default_rng(0)

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **options):
        if ufunc.__name__ in EXACT or method == "at":
            units = 0
        elif method == "__call__" and ufunc is not np.matmul:
            units = 1
        else:
            units = units_of_sum(inputs, options.get("axis", 0) is None)
        rounds_once = method == "__call__" and ufunc.__name__ in ARITHMETIC
        result = applied(getattr(ufunc, method), inputs, options, 0 if rounds_once else units, units)
        if out is None:
            return result
        np.copyto(out[0].view(np.ndarray), result)
        return out[0]

    def __array_function__(self, function, types, arguments, options):
        if function in SUMS or function.__module__.startswith("numpy.linalg"):
            units = units_of_sum(arguments, False)
            return applied(function, arguments, options, units, units)
        return randomly_rounded(super().__array_function__(function, types, arguments, options))

    def __getitem__(self, index):
        return randomly_rounded(super().__getitem__(index))  # also of one element, which would be a scalar

    def dot(self, other):
        return np.dot(self, other)


def has_numbers(x):
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f"


def randomly_rounded(x):
    return np.asarray(x, np.float32).view(RandomlyRounded) if has_numbers(x) else x


def units_of_sum(inputs, of_all_elements):
    """√n/2, where n is an array's largest extent, or the number of its elements."""
    shapes = [np.shape(x) for x in inputs if isinstance(x, np.ndarray)]
    return max(1, math.sqrt(max(math.prod(s) if of_all_elements else max(s, default=1) for s in shapes)) / 2)


def moved(x, units):
    """A plain array, each float moved up or down by these units in the last place."""
    if not has_numbers(x):
        return x.view(np.ndarray) if isinstance(x, np.ndarray) else x
    x = np.asarray(x, np.float32)
    return x if units == 0 else x * np.float32(1 + units * 2.0**-23 * RandomlyRounded.random.choice([-1, 1], x.shape))


def applied(function, inputs, options, units_of_inputs, units_of_result):
    """The function's result, or tuple of results, for moved inputs, moved as well."""
    result = function(*(moved(x, units_of_inputs) for x in inputs), **options)
    if isinstance(result, tuple):
        return tuple(randomly_rounded(moved(x, units_of_result)) for x in result)
    return randomly_rounded(moved(result, units_of_result))
