#!/usr/bin/python3
"""Writes the arrays of a file as safetensors, for byhand:   to_safetensors.py IN OUT.safetensors [--trust]

IN is PyTorch's (.pt, .pth, .bin), NumPy's (.npz, .npy) or a pickle (.pkl, .pickle). Keys are joined by points; what is no
array is skipped and counted. A pickle runs what it says, and so takes --trust, as do objects and, in 1.13, 0.1 in a .pt.
"""
import contextlib
import itertools
import json
import os
import sys

import numpy as np

torch = None
with contextlib.suppress(ModuleNotFoundError):  # NumPy's arrays are written without
    import torch

_TYPES = {"float64": ("F64", "<f8"), "float32": ("F32", "<f4"), "float16": ("F16", "<f2"), "int64": ("I64", "<i8"),
          "int32": ("I32", "<i4"), "int8": ("I8", "i1"), "uint8": ("U8", "u1"), "bool": ("BOOL", "?"),
          "int16": ("I32", "<i4"), "uint16": ("I32", "<i4"), "uint32": ("I64", "<i8")}  # the last three are widened


def stored(value):
    """The type and a copy of a tensor or an array; TypeError if it has none of the types."""
    if torch is not None and isinstance(value, torch.Tensor):
        value = (value if value.layout == torch.strided else value.to_dense()).detach().cpu()
        value = torch.zeros(value.shape, dtype=value.dtype) if value._is_zerotensor() else value  # it has no memory
        if value.dtype == torch.bfloat16:
            return "BF16", np.array(value.contiguous().view(torch.int16).numpy())
        value = value.resolve_conj().resolve_neg().numpy()
    array = np.asarray(value)
    if array.dtype.name not in _TYPES:
        raise TypeError(f"arrays of {array.dtype} can't be written")
    kind, dtype = _TYPES[array.dtype.name]
    return kind, array.astype(dtype, order="C")


class Dump(contextlib.AbstractContextManager):
    """A safetensors file, written when it is closed: with Dump("b.safetensors") as dump: dump.add("h", h)"""
    def __init__(self, path):
        self.path, self.tensors = path, {}

    def add(self, name, value):
        """Copies a tensor or an array, and returns its name: a repeated one gets .1, .2 …"""
        names = (f"{name}.{i}" if i else name for i in itertools.count())
        name = next(n for n in names if n not in self.tensors and n != "__metadata__")
        self.tensors[name] = stored(value)
        return name

    def close(self):
        header, end = {"__metadata__": {"format": "byhand"}}, 0
        tensors = dict(sorted(self.tensors.items(), key=lambda item: -item[1][1].itemsize))  # each is aligned
        for name, (kind, array) in tensors.items():
            begin, end = end, end + array.nbytes
            header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [begin, end]}
        text = json.dumps(header)
        text = text.ljust(-(-len(text) // 8) * 8).encode()  # ASCII
        with open(f"{self.path}.tmp", "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.writelines(array.tobytes() for _, array in tensors.values())
        os.replace(f"{self.path}.tmp", self.path)

    def __exit__(self, error, *_):
        return self.close() if error is None else None


def _arrays(value, name=""):
    if isinstance(value, (dict, list, tuple)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _arrays(item, f"{name}.{key}" if name else str(key))
    else:
        yield name or "value", value if hasattr(value, "dtype") else None


def main(source="", target="", trust=None):
    if not target.endswith(".safetensors") or trust not in (None, "--trust"):
        raise ValueError(__doc__.partition("\n")[0])
    if source.endswith((".npz", ".npy")):
        value = np.load(source) if source.endswith(".npy") else dict(np.load(source))
    elif source.endswith((".pkl", ".pickle")):
        value = np.load(source, allow_pickle=trust is not None)
    else:
        value = __import__("torch").load(source, map_location="cpu", weights_only=trust is None)
    arrays, dump = list(_arrays(value)), Dump(target)
    for name, array in arrays:
        with contextlib.suppress(TypeError):
            dump.add(name, array)
    if not dump.tensors:
        raise ValueError("there are no arrays in it")
    dump.close()
    print(f"{target}: {len(dump.tensors)} arrays; skipped: {len(arrays) - len(dump.tensors)}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Exception as error:  # of any kind: a library's own
        why = str(error).partition("\n")[0].partition(". ")[0]
        why += "; --trust runs what the file says" if type(error).__name__ == "UnpicklingError" else ""
        sys.exit(print("to_safetensors.py:", *sys.argv[1:2], why, file=sys.stderr) or 2)
