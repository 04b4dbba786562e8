"""Checks of arrays, kernels and gradients in NumPy, by the C interface of byhand (byhand/byhand.h).

A reference is an ordinary function of arrays. On doubles it computes the right values, and on arrays of the class
RandomlyRounded how far rounding may move them. The shared library is that of the environment variable BYHAND_LIBRARY, or an
installed one.
"""
import ctypes
import ctypes.util
import math
import os
import traceback
from ctypes import POINTER, c_char_p, c_double, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p

import numpy as np

from random_rounding import RandomlyRounded, randomly_rounded, has_numbers


def _struct(**fields):
    return type("Struct", (ctypes.Structure,), {"_fields_": list(fields.items())})


_Sizes, _Doubles = POINTER(c_size_t), POINTER(c_double)
_Shape = _struct(rank=c_size_t, extents=_Sizes)
_View = _struct(name=c_char_p, rank=c_size_t, extents=_Sizes, dtype=c_int, data=c_void_p)
_Reference = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(_View), c_size_t, POINTER(c_uint64), c_void_p)
_Function = ctypes.CFUNCTYPE(c_double, c_uint, _Doubles, _Doubles, c_void_p)
_KernelFunction = ctypes.CFUNCTYPE(None, c_void_p, POINTER(c_void_p), POINTER(c_void_p), _Sizes)
_Kernel = _struct(name=c_char_p, results=c_size_t, inputs=c_size_t, sizes=c_size_t, in_float=_KernelFunction,
                  in_double=_KernelFunction, context=c_void_p)
_Expected = _struct(reference=_Reference, context=c_void_p, inputs=c_size_t, gradients=c_int, wrt=_Sizes,
                    wrt_count=c_size_t, shapes=POINTER(_Shape), cases=c_size_t, sizes=_Sizes, timeout_ms=c_uint32,
                    in_this_process=c_int)
_DTYPES = {np.dtype(np.float32): 0, np.dtype(np.float64): 1}

_BUILD = "type export BYHAND_LIBRARY=$(scripts/build byhand_shared)/modules/library/libbyhand.so"
_path = os.environ.get("BYHAND_LIBRARY") or ctypes.util.find_library("byhand")
if _path is None:
    raise OSError(f"libbyhand.so was not found: install byhand, or in its checkout {_BUILD}")
try:
    _library = ctypes.CDLL(_path)
except OSError as _error:
    raise OSError(f"BYHAND_LIBRARY: {_error}; in the checkout {_BUILD}") from None
for _name, _result, *_parameters in [
        ("add_result", None, c_void_p, c_char_p, c_size_t, _Sizes, _Doubles),
        ("check_tensor", c_void_p, POINTER(_View), _Reference, c_void_p),
        ("check_kernel", c_void_p, POINTER(_Kernel), POINTER(_Expected)),
        ("gradcheck_to", c_void_p, c_char_p, _Function, c_void_p, _Doubles, c_uint, c_double),
        ("agrees", c_int, c_void_p), ("text", c_char_p, c_void_p), ("free", None, c_void_p), ("error", c_char_p)]:
    getattr(_library, "byhand_" + _name).restype = _result
    getattr(_library, "byhand_" + _name).argtypes = _parameters


class Report:
    """What a check has shown. Raises what a callback has raised, and ValueError if the check was refused."""

    def __init__(self, pointer, errors):
        self._pointer = pointer
        if errors:
            raise errors[0]
        if not pointer:
            raise ValueError(_library.byhand_error().decode())
        self.agrees = _library.byhand_agrees(pointer) == 1

    def text(self):
        """The verdict in words."""
        return _library.byhand_text(self._pointer).decode()

    def __del__(self):
        _library.byhand_free(self._pointer)


def _extents(shape):
    return (c_size_t * len(shape))(*shape)


def _array(address, shape, dtype):
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return np.ndarray(shape, dtype, (ctypes.c_char * size).from_address(address or 0))


def _callback(reference, arrays, errors, shapes):
    """Of the arrays, or of the views that it is given. `shapes` takes the result's shape, by the inputs' shapes."""
    def call(_, views, count, seed, sink):
        try:
            inputs = arrays or [_array(view.data, [view.extents[i] for i in range(view.rank)], list(_DTYPES)[view.dtype])
                                for view in views[:count]]
            inputs = [x.astype(np.float64) if has_numbers(x) else x for x in inputs]
            if seed:
                RandomlyRounded.random = np.random.default_rng(seed[0])
                inputs = [randomly_rounded(x) for x in inputs]
            with np.errstate(all="ignore"):
                y = np.array(reference(*inputs), np.float64, order="C")
            shapes[tuple(x.shape for x in inputs)] = y.shape
            _library.byhand_add_result(sink, b"y", y.ndim, _extents(y.shape), y.ctypes.data_as(_Doubles))
            return 0
        except BaseException as error:
            errors.append(error)
            return 1
    return _Reference(call)


def matches(name, array, reference, *inputs):
    """Compares an array of floats or doubles with the reference's value of the inputs, which are arrays."""
    errors, array = [], np.asarray(array, order="C")
    view = _View(name.encode(), array.ndim, _extents(array.shape), _DTYPES.get(array.dtype, -1), array.ctypes.data)
    reference = _callback(reference, [np.asarray(x) for x in inputs], errors, {})
    return Report(_library.byhand_check_tensor(view, reference, None), errors)


def check(name, kernel, reference, shapes):
    """Compares kernel(y, x0, …), which writes y, with reference(x0, …) on inputs of many kinds, in float and in double.

    `shapes` is a list of cases, each a list of the shapes of all inputs. The kernel runs in a subprocess, which an
    exception ends. It may call compiled code: y.ctypes.data is the address of an array.
    """
    cases, results, errors = [tuple(map(tuple, case)) for case in shapes], {}, []
    ranks = [len(shape) for shape in cases[0]] if cases else []
    # The kernel's sizes are all extents, so that shapes beside these are tried too; or, if ranks differ, the case.
    of_ranks = all([len(shape) for shape in case] == ranks for case in cases)
    sizes = [[n for shape in case for n in shape] if of_ranks else [i] for i, case in enumerate(cases)]

    def shapes_of(given):
        if not of_ranks:
            return cases[given[0]]
        extents = iter(given[:sum(ranks)])
        return tuple(tuple(next(extents) for _ in range(rank)) for rank in ranks)

    def function(dtype):
        def call(_, outputs, inputs, given):
            try:
                case = shapes_of(given)
                arrays = [_array(inputs[i], shape, dtype) for i, shape in enumerate(case)]
                with np.errstate(all="ignore"):
                    kernel(_array(outputs[0], results[case], dtype), *arrays)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        return _KernelFunction(call)

    if len({len(case) for case in cases}) != 1:
        raise ValueError("shapes: at least one case, and in each the shapes of all inputs")
    flat = [_Shape(len(shape), _extents(shape)) for case in cases for shape in case]
    expected = _Expected(reference=_callback(reference, None, errors, results), inputs=len(cases[0]),
                         cases=len(cases), shapes=(_Shape * len(flat))(*flat), sizes=_extents(sum(sizes, [])))
    called = _Kernel(name.encode(), 1, len(cases[0]), len(sizes[0]), function(np.float32), function(np.float64), None)
    report = _library.byhand_check_kernel(called, expected)
    return Report(report, [] if report else errors)  # the reference may refuse shapes beside those given


def gradcheck(name, f, x, accuracy=0):
    """Compares the gradient of f, which returns f(x) and the gradient at x, with finite differences at x.

    `accuracy` is the relative error of f and of the gradient, as 1e-9 of an iteration."""
    errors, x = [], np.array(x, np.float64).ravel()

    def call(n, at, gradient, _):
        try:
            value, slopes = f(np.array(at[:n]))
            if np.shape(slopes) != (n,):
                raise ValueError(f"{name}: f returns a gradient of shape {np.shape(slopes)}, but x has shape {(n,)}")
            if gradient:
                _array(ctypes.addressof(gradient.contents), (n,), np.float64)[:] = slopes
            return value
        except BaseException as error:
            errors.append(error)
            return math.nan
    address = x.ctypes.data_as(_Doubles)
    return Report(_library.byhand_gradcheck_to(name.encode(), _Function(call), None, address, x.size, accuracy), errors)
