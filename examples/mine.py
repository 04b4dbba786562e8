#!/usr/bin/python3
"""The gradients of note 1's network by hand, in numpy:   mine.py DUMP OUT

DUMP is what `byhand compare --dump DUMP` wrote: its forward values are taken from there, as LibTorch computed them. OUT
gets the gradients, and what they were computed from, under bare names, for `byhand compare --mine OUT`. Both are NumPy's
.npz where their names end so, else safetensors.
"""
import json
import sys
import zipfile


def refuse(what):
    print(f"mine.py: {what}", file=sys.stderr)
    sys.exit(2)


try:
    import numpy as np
except ModuleNotFoundError:
    refuse(f"{sys.executable} has no numpy: install Debian's python3-numpy, and use its /usr/bin/python3")


# ---- safetensors: 8 bytes of header length, a header in JSON, the tensors ----

def read(path):
    if path.endswith(".npz"):
        with np.load(path) as dump:
            tensors = dict(dump)
        return tensors, json.loads(str(tensors["recipe"]))["network"]
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if not 0 <= begin <= end <= len(data) - start:
            raise ValueError(f"the bytes of {name!r} are not all there")
        dtype = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}[entry["dtype"]]
        tensors[name] = np.frombuffer(data[start + begin:start + end], dtype).reshape(entry["shape"])
    return tensors, json.loads(metadata["recipe"])["network"]


def write(path, tensors):
    if path.endswith(".npz"):
        np.savez(path, **tensors)
        return
    header, end = {}, 0
    for name, tensor in tensors.items():
        begin, end = end, end + 4 * tensor.size
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.astype("<f4").tobytes())


# ---- what the dump holds ----

if len(sys.argv) != 3:
    refuse("takes two files: mine.py DUMP OUT")
DUMP, OUT = sys.argv[1:]
try:
    tensors, network = read(DUMP)
    hidden, norm, bias = network["hidden"], network["norm"], network["bias"]
    known = ((len(hidden) == 1, f"{len(hidden)} hidden layers"),
             (norm["place"] == "before", f"a norm in the place {norm['place']!r}"),
             (not norm["output"], "a norm on the output"),
             (norm["affine"], "a norm without gain and bias"),
             (norm["epsilon_place"] != "outside", "epsilon outside the root"),
             (norm["batch_divisor"] in ("n", "n-1"), f"the divisor {norm['batch_divisor']!r}"))
    has_b1, has_b2 = bias["hidden"], bias["output"]
    X, Y = tensors["X"], tensors["Y"]
    (n, T), (V, E), H = X.shape, tensors["torch/C"].shape, tensors["torch/W1"].shape[-1]
    D = n if norm["batch_divisor"] == "n" else n - 1
    eps = np.float32(norm["epsilon"])
except OSError as error:
    refuse(f"{DUMP}: can't be read: {error.strerror}: write it with byhand compare --dump")
except (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError,
        zipfile.BadZipFile) as error:
    refuse(f"{DUMP}: not a whole dump ({type(error).__name__}: {error}): write it with byhand compare --dump")
for holds, found in known:
    if not holds:
        refuse(f"{DUMP}: the network has {found}, which is not written here: dump one like --recipe notes")
if D < 1 or Y.shape != (n,) or not all(((0 <= index) & (index < V)).all() for index in (X, Y)):
    refuse(f"{DUMP}: X and Y are no batch of {n} rows and {V} characters: write it again with byhand compare --dump")


read_here = {}


def floats(name, *shape):
    """What the gradients are computed from. It is given back as well, so that each of them is judged by it."""
    tensor = tensors.get("torch/" + name)
    if tensor is None or tensor.dtype != np.float32 or tensor.shape != shape:
        refuse(f"{DUMP}: no torch/{name} of floats {shape}: write it again with byhand compare --dump")
    read_here[name] = tensor
    return tensor


def one_hot(index, size):
    return np.arange(size) == index[:, None]


embcat, W1, W2 = floats("embcat", n, T * E), floats("W1", T * E, H), floats("W2", H, V)
bndiff, bnraw, h = floats("bndiff", n, H), floats("bnraw", n, H), floats("h", n, H)
bnvar, bnvar_inv, bngain = floats("bnvar", H), floats("bnvar_inv", H), floats("bngain", H)
logits, counts, probs = floats("logits", n, V), floats("counts", n, V), floats("probs", n, V)
counts_sum, counts_sum_inv = floats("counts_sum", n), floats("counts_sum_inv", n)

# ---- the backward pass: from the loss to C, one gradient a line ----

# loss = −Σ logprobs[i, Y[i]] / n, and softmax
dlogprobs = np.where(one_hot(Y, V), np.float32(-1 / n), np.float32(0))
dprobs = dlogprobs / probs
dcounts_sum_inv = (counts * dprobs).sum(1)
dcounts_sum = -counts_sum ** -2 * dcounts_sum_inv
dcounts = counts_sum_inv[:, None] * dprobs + dcounts_sum[:, None]
dnorm_logits = counts * dcounts
dlogit_maxes = -dnorm_logits.sum(1)
dlogits = dnorm_logits + one_hot(logits.argmax(1), V) * dlogit_maxes[:, None]

# logits = h·W2 + b2, h = tanh(hpreact)
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1 - h * h) * dh

# batch norm: hpreact = bngain·bnraw + bnbias, bnraw = bndiff·bnvar_inv, bnvar = Σ bndiff² / D
dbngain = (dhpreact * bnraw).sum(0)
dbnbias = dhpreact.sum(0)
dbnraw = bngain * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0)
dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv
dbndiff2 = np.ones_like(bndiff) * (dbnvar / D)
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0)
dhprebn = dbndiff + dbnmeani / n

# hprebn = embcat·W1 + b1, embcat is emb laid side by side, emb = C[X]
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
db1 = dhprebn.sum(0)
demb = dembcat.reshape(n, T, E)
dC = one_hot(X.ravel(), V).T @ demb.reshape(n * T, E)

# ---- the file ----

names = """dlogprobs dprobs dcounts_sum_inv dcounts_sum dcounts dnorm_logits dlogit_maxes dlogits dh dW2 db2 dhpreact dbngain
    dbnbias dbnraw dbnvar_inv dbnvar dbndiff2 dbndiff dbnmeani dhprebn dembcat dW1 db1 demb dC""".split()
missing = {"db1": not has_b1, "db2": not has_b2}  # a recipe may do without either
try:
    write(OUT, read_here | {name: globals()[name] for name in names if not missing.get(name)})
except OSError as error:
    refuse(f"{OUT}: can't be written: {error.strerror}: name a file in a folder that is there")
