"""Records one training step of a PyTorch model, for `byhand trace GRAPH A [B]`.

    import runpy
    record = runpy.run_path("examples/python/trace.py")["record"]
    record(model, x, loss=lambda logits: F.cross_entropy(logits, y), dump="a.safetensors", graph="graph.json")

Python has a module `trace` of its own. run_path names the file, so that neither is taken for the other and sys.path stays
as it is. The class Dump writes other arrays; without PyTorch, take it from to_safetensors.py, which belongs beside this file.

A result is named after its module and operation (blocks.0.attn.softmax, then .1, .2), a parameter as in named_parameters,
a gradient grad.NAME; values on which the loss does not depend have none. What LibTorch does not have under its name, or
an option, is a step of another name, which is not judged; what PyTorch does not show, as functions of TorchScript, is
"unknown".
"""
import ast
import contextlib
import inspect
import json
import math
import os
import runpy
import sys
import types

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

Dump = runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "to_safetensors.py"))["Dump"]

# Parameters: INPUT, optional INPUT?, list of INPUTS*, attribute, -ignored, !known to byhand only with its default.
_SIGNATURES = {line.split()[0]: line.split()[1:] for line in """
linear INPUT WEIGHT BIAS?; matmul INPUT OTHER; mm INPUT MAT2; bmm INPUT MAT2; addmm INPUT MAT1 MAT2 !beta=1 !alpha=1
add INPUT OTHER alpha=1; sub INPUT OTHER !alpha=1; mul INPUT OTHER; div INPUT OTHER !rounding_mode=None; neg INPUT
pow INPUT EXPONENT; sqrt INPUT; rsqrt INPUT; exp INPUT; log INPUT; sigmoid INPUT; tanh INPUT; identity INPUT
relu INPUT -inplace; leaky_relu INPUT negative_slope=0.01 -inplace; gelu INPUT approximate='none'; silu INPUT -inplace
softplus INPUT beta=1 threshold=20; softmax INPUT dim -_stacklevel -dtype; log_softmax INPUT dim -_stacklevel -dtype
layer_norm INPUT normalized_shape WEIGHT? BIAS? eps=1e-5 -cudnn_enable; rms_norm INPUT normalized_shape WEIGHT? eps=None
group_norm INPUT num_groups WEIGHT? BIAS? eps=1e-5 -cudnn_enabled
batch_norm INPUT RUNNING_MEAN? RUNNING_VAR? WEIGHT? BIAS? training=False -momentum eps=1e-5
embedding INPUT WEIGHT !padding_idx=None !max_norm=None -norm_type !scale_grad_by_freq=False -sparse
conv1d INPUT WEIGHT BIAS? stride=1 padding=0 dilation=1 groups=1
conv2d INPUT WEIGHT BIAS? stride=1 padding=0 dilation=1 groups=1; adaptive_avg_pool2d INPUT output_size
max_pool2d INPUT kernel_size stride=None padding=0 dilation=1 ceil_mode=False !return_indices=False
avg_pool2d INPUT kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True divisor_override=None
scaled_dot_product_attention QUERY KEY VALUE ATTN_MASK? !dropout_p=0.0 is_causal=False scale=None !enable_gqa=False
cross_entropy INPUT TARGET !weight=None !size_average=None ignore_index=-100 !reduce=None reduction='mean' label_smoothing=0.0
nll_loss INPUT TARGET !weight=None !size_average=None ignore_index=-100 !reduce=None reduction='mean'
mse_loss INPUT TARGET !size_average=None !reduce=None reduction='mean' !weight=None
dropout INPUT p=0.5 training=True inplace=False; cat TENSORS* dim=0; stack TENSORS* dim=0
flatten INPUT start_dim=0 end_dim=-1; transpose INPUT dim0 dim1; permute INPUT dims
split INPUT split_size dim=0; chunk INPUT chunks dim=0; unbind INPUT dim=0; slice INPUT dim start end step
select INPUT dim index; unsqueeze INPUT dim; squeeze INPUT dim=None; view INPUT; reshape INPUT; expand INPUT
sum INPUT dim=None keepdim=False -dtype; mean INPUT dim=None keepdim=False -dtype; masked_fill INPUT MASK value
where CONDITION INPUT OTHER; tril INPUT diagonal=0; triu INPUT diagonal=0
eq INPUT OTHER; ne INPUT OTHER; lt INPUT OTHER; le INPUT OTHER; gt INPUT OTHER; ge INPUT OTHER; logical_not INPUT
contiguous INPUT -memory_format; clone INPUT -memory_format
""".replace(";", "\n").strip().splitlines()}
_KEYWORDS = {"axis": "dim", "keepdims": "keepdim", "split_size_or_sections": "split_size", "tensor": "input"}
_SAME = dict(pair.split("=") for pair in "subtract=sub multiply=mul true_divide=div divide=div negative=neg alias=identity "
             "concat=cat concatenate=cat swapaxes=transpose swapdims=transpose view_as=view reshape_as=reshape "
             "unflatten=reshape expand_as=expand broadcast_to=expand radd=add rmul=mul".split())
_SHAPES = {"view": "shape", "reshape": "shape", "expand": "size"}  # the attribute that is the result's shape
_REWRITTEN = {  # an operation, and its arguments from those of the function
    "rsub": ("sub", lambda input, other, alpha=1: (other, input, alpha)), "square": ("pow", lambda input: (input, 2)),
    "rpow": ("pow", lambda input, other: (other, input)), "rmatmul": ("matmul", lambda input, other: (other, input)),
    "t": ("transpose", lambda input: (input, 0, 1)), "mT": ("transpose", lambda input: (input, -2, -1)),
    "T": ("permute", lambda input: (input, range(input.dim())[::-1])),
    "getitem": ("index", lambda input, index: _of_arrays(input, _tuple_of(index))),
    "x.where": ("where", lambda input, condition, other: (condition, input, other))}
_OPENED = ("torch.nn.functional", "torch.functional")  # their functions, if not listed above, are taken apart


def _tuple_of(index):
    return index if isinstance(index, tuple) else (index,)


def _of_arrays(input, parts):
    """The arguments of LibTorch's index, for which None is all; None if there are others than arrays and all."""
    are_arrays = [isinstance(part, torch.Tensor) and part.dtype in (torch.int64, torch.bool) for part in parts]
    fits = all(is_array or isinstance(part, slice) and part == slice(None) for is_array, part in zip(are_arrays, parts))
    return (input, [part if is_array else None for is_array, part in zip(are_arrays, parts)]) if fits else None


def _name_of(function):
    """Without the marks of methods, properties and operations in place."""
    name = function.__self__.__name__ if function.__name__ == "__get__" else function.__name__
    if type(function).__module__ == "torch._ops":  # torch.ops.aten.embedding: the order of arguments is another one
        return str(function)
    if function in (torch.Tensor.where, torch.batch_norm, torch.embedding):  # so it is here
        return "x." + name
    name = name[2:-2] if name.startswith("__") and name.endswith("__") else name.removesuffix("_")
    return _SAME.get(name, name)


def _flat(value):
    """The tensors in tuples, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _flat(item)


def _plain(value):
    """As JSON, where infinity and NaN are text."""
    if isinstance(value, (tuple, list, range)):
        return [_plain(item) for item in value]
    value = value.item() if isinstance(value, (torch.Tensor, np.generic)) else value
    is_json = value is None or isinstance(value, (bool, int, str)) or isinstance(value, float) and math.isfinite(value)
    return value if is_json else str(value)


_PLAIN = {"bool": bool, "int": int, "float": (int, float), "number": (int, float), "str": str}


def _is_plain(value, kind):
    """Whether a value is of a type of a schema: "int", "Optional[List[float]]"."""
    kind = kind.removeprefix("Optional[").removesuffix("]" if kind.startswith("Optional[") else "")
    if kind.startswith("List[") and isinstance(value, (tuple, list)):
        return all(_is_plain(item, kind[5:-1]) for item in value)
    kind = kind[5:-1] if kind == "List[int]" else kind
    return isinstance(value, _PLAIN.get(kind, ())) and isinstance(value, bool) == (kind == "bool")


def _bound_by_schema(operation, args, kwargs):
    """As LibTorch's operation of this name, by the names of its parameters; None if that does not fit."""
    kwargs = {_KEYWORDS.get(key, key): value for key, value in kwargs.items()}
    for schema in torch._C._jit_get_schemas_for_operator("aten::" + operation):
        names = [parameter.name for parameter in schema.arguments if not parameter.kwarg_only]
        given, inputs, attributes = args, [], {}
        if len(args) > len(names) > 0 and all(isinstance(one, int) for one in args[len(names) - 1:]):  # x.repeat(2, 3)
            given = (*args[:len(names) - 1], args[len(names) - 1:])
        values = {**dict(zip(names, given)), **kwargs}
        fits = (len(values) == len(given) + len(kwargs)
                and set(values) <= {parameter.name for parameter in schema.arguments})
        kinds = [str(parameter.type) for parameter in schema.arguments if "Tensor" in str(parameter.type)]
        fits &= not any(kind.startswith("List") for kind in kinds[:-1])  # a list of inputs is all that are left
        for parameter in schema.arguments:
            value, kind = values.get(parameter.name, parameter.default_value), str(parameter.type)
            if "Tensor" in kind:
                several = list(value) if isinstance(value, (tuple, list)) else [value]
                fits &= isinstance(value, (tuple, list)) == kind.startswith("List")
                fits &= all(isinstance(one, torch.Tensor) or one is None and "Optional" in kind for one in several)
                inputs += [(parameter.name, one) for one in several]
            elif value is None:
                fits &= "Optional" in kind
            elif parameter.name in values:
                fits &= _is_plain(value, kind)
                words = ("none", "mean", "sum")[value:value + 1] if parameter.name == "reduction" and fits else ()
                attributes[parameter.name] = words[0] if words else _plain(value) if fits else None
        if fits:
            return operation, inputs, attributes
    return None


def _bound(operation, args, kwargs):
    """Name, inputs as (parameter, value), and attributes. An option that byhand does not know is part of the name."""
    tensors = [("constant", tensor) for tensor in _flat((args, kwargs))]
    if operation not in _SIGNATURES:
        is_another = "_as_called" if torch._C._jit_get_schemas_for_operator("aten::" + operation) else ""
        return _bound_by_schema(operation, args, kwargs) or (operation + is_another, tensors, {})
    others = ["dtype" for value in (*args, *kwargs.values())
              if isinstance(value, torch.dtype) and value != tensors[0][1].dtype]
    if operation in _SHAPES:
        args, kwargs = (tensors[0][1],), {}
    elif operation == "permute" and len(args) > 2:
        args = (args[0], args[1:])
    tokens = {token.strip("-!?*").split("=")[0].lower(): token for token in _SIGNATURES[operation]}
    values = {**dict(zip(tokens, args)), **{_KEYWORDS.get(key, key): value for key, value in kwargs.items()}}
    others += [key for key in values if key not in (*tokens, "out")] + ["more"] * (len(args) > len(tokens))
    inputs, attributes = [], {}
    for name, token in tokens.items():
        value = values.get(name, ast.literal_eval(token.split("=")[1]) if "=" in token else None)
        if token.rstrip("?*").isupper():
            inputs += [(name, item) for item in (value if token.endswith("*") else [value])]
        elif token.startswith("!"):
            others += [name] * (value is not None and token != f"!{name}={value}")
        elif not token.startswith("-"):
            attributes[name] = _plain(value)
        others += [f"no_{name}"] * (value is None and not token.endswith("?") and "=" not in token and token[0] != "-")
    if attributes.get("stride", 1) in (None, []):
        attributes["stride"] = attributes["kernel_size"]
    if operation == "rms_norm" and attributes["eps"] is None:
        attributes["eps"] = torch.finfo(tensors[0][1].dtype).eps
    others += ["padding"] * isinstance(attributes.get("padding"), str)
    attributes = {key: value for key, value in attributes.items() if value is not None}
    return (f"{operation}_with_{others[0]}", tensors, attributes) if others else (operation, inputs, attributes)


class _Recorder(TorchFunctionMode):
    """A tensor is known by its identity and its version, which operations in place raise."""

    def __init__(self, dump):
        super().__init__()
        self.dump, self.gradients, self.steps, self.hooks = dump, {}, [], []
        self.known, self.named = {}, {}  # identity → tensor, name, version; → tensor, name as a leaf
        self.leaves, self.nodes = {}, {}  # name → leaf with a gradient; node of autograd, output → name
        self.modules, self.opened, self.is_busy = [""], [], False

    def scoped(self, name):
        return f"{self.modules[-1]}.{name}" if self.modules[-1] else name

    def keep(self, tensor, name):
        name = self.dump.add(name, torch.view_as_real(tensor) if tensor.is_complex() else tensor)
        self.known[id(tensor)] = (tensor, name, tensor._version)
        return self.watch(tensor, name)

    def watch(self, tensor, name):
        """Has the gradient kept. The hook is on the node, which an operation in place does not change."""
        if tensor.requires_grad and name not in self.gradients:
            self.gradients[name], node, output = None, tensor.grad_fn, tensor.output_nr
            if node is None:
                self.leaves[name] = tensor
            else:
                self.nodes[node, output] = name
                self.hooks.append(node.register_hook(lambda _, made: self.gradients.update({name: made[output]})))
        return name

    def is_known(self, tensor):
        return id(tensor) in self.known and self.known[id(tensor)][2] == tensor._version

    def read(self, tensor, hint="constant"):
        """The name of a tensor. One that no step has made is a leaf, or the result of what PyTorch does not show."""
        if self.is_known(tensor):
            return self.watch(tensor, self.known[id(tensor)][1])
        sources = [self.known[id(tensor)][1]] if id(tensor) in self.known else []
        if sources or tensor.grad_fn is not None:
            return self.step("unknown", list(dict.fromkeys(sources + self.sources(tensor))), {}, tensor)
        return self.keep(tensor, self.named.get(id(tensor), (tensor, self.scoped(hint)))[1])

    def sources(self, tensor):
        """The values from which autograd has a tensor."""
        names, edges, seen = [], [(tensor.grad_fn, tensor.output_nr)], set()
        while edges:
            edge = edges.pop()
            if edge in self.nodes:
                names.append(self.nodes[edge])
            elif hasattr(edge[0], "variable"):
                names.append(self.read(edge[0].variable))
            elif edge[0] is not None and edge not in seen:
                edges += edge[0].next_functions
            seen.add(edge)
        return names

    def input(self, value, hint):
        value = value if isinstance(value, torch.Tensor) else _plain(value)
        value = torch.tensor(float(value)) if isinstance(value, str) else value  # no number in JSON
        return self.read(value, hint) if isinstance(value, torch.Tensor) else value

    def step(self, operation, inputs, attributes, tensor, output=None):
        frame, ours = sys._getframe(1), (__file__, os.path.dirname(torch.__file__))
        while frame.f_code.co_filename.startswith(ours):
            frame = frame.f_back
        step = {"result": self.keep(tensor, self.scoped(operation)), "operation": operation, "inputs": inputs,
                "attributes": attributes or None, "output": output,
                "where": f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"}
        self.steps.append({key: value for key, value in step.items() if value is not None})
        return step["result"]

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return self.call(function, args, kwargs or {})

    def call(self, function, args, kwargs, name=None):
        """Calls a function and records it, but not what it calls."""
        if self.is_busy:
            return function(*args, **kwargs)
        self.is_busy = True
        try:
            return self.called(function, args, kwargs, name or _name_of(function))
        finally:
            self.is_busy = False

    def called(self, function, args, kwargs, name):
        given = list(_flat((args, kwargs)))
        if not given or name.endswith("_like") or name.startswith("new_"):
            result = function(*args, **kwargs)
            self.named.update({id(tensor): (tensor, self.scoped(name)) for tensor in _flat(result)})
            return result
        if (isinstance(function, types.FunctionType) and name not in (*_SIGNATURES, *_REWRITTEN)
                and function not in self.opened and (name == "rdiv" or function.__module__ in _OPENED)):
            return self.open(function, args, kwargs)
        operation, rewrite = _REWRITTEN.get(name, (name, lambda *_, **__: None))
        rewritten = rewrite(*args, **kwargs)
        operation, inputs, attributes = _bound(operation, rewritten, {}) if rewritten else _bound(name, args, kwargs)
        inputs = [self.input(value, hint) for hint, value in inputs]
        versions = [tensor._version for tensor in given if self.read(tensor)]
        if operation != "dropout":
            result = function(*args, **kwargs)
        elif attributes["training"] and 0 < attributes["p"] < 1:
            result, mask = self.dropout(given[0], **attributes)
            inputs, attributes = inputs + [self.keep(mask, self.scoped("mask"))], {"p": attributes["p"]}
        else:
            result = function(*args, **kwargs)
            operation, attributes = "dropout_with_p" if attributes["training"] and attributes["p"] else "identity", {}
        made = list(_flat(result)) or [tensor for tensor in given[:1] if tensor._version != versions[0]]
        for i, tensor in enumerate(made):
            if self.is_known(tensor):  # an input, unchanged
                continue
            if operation in _SHAPES:
                attributes = {_SHAPES[operation]: list(tensor.shape)}
            if operation == "unbind":
                self.step("select", inputs, {**attributes, "index": i}, tensor)
            else:
                self.step(operation, inputs, attributes, tensor, i if isinstance(result, (tuple, list)) else None)
        return result

    def dropout(self, x, p, training, inplace):
        """The result, and the mask: by a gradient where there is one, since x may be 0."""
        result = mask = torch.nn.functional.dropout(x, p, training)
        if result.requires_grad:
            mask, = torch.autograd.grad(result, x, torch.ones_like(result), retain_graph=True)
        return x.copy_(result) if inplace else result, mask != 0

    def open(self, function, args, kwargs):
        """Calls a copy of one of PyTorch's functions, which does not hand itself to this class but its parts."""
        never = {name: lambda *_: False for name in function.__globals__ if name.startswith("has_torch_function")}
        copy = types.FunctionType(function.__code__, {**function.__globals__, **never}, function.__name__,
                                  function.__defaults__, function.__closure__)
        copy.__kwdefaults__ = function.__kwdefaults__
        self.opened.append(function)
        self.is_busy = False
        with self:
            result = copy(*args, **kwargs)
        self.opened.pop()
        return result

    def index(self, function, x, index):
        """x[index] by slice, select and unsqueeze, unless it holds arrays or truth values."""
        parts, kinds = _tuple_of(index), (slice, int, np.integer, type(None), type(...))
        if self.is_busy or not all(isinstance(part, kinds) and not isinstance(part, bool) for part in parts):
            return self.call(function, (x, index), {}, "getitem")
        y, dim = x, 0
        for part in parts:
            if part is ...:
                dim += x.dim() - sum(other is not None and other is not ... for other in parts)
            elif part is None:
                y, dim = self.call(torch.unsqueeze, (y, dim), {}), dim + 1
            elif isinstance(part, slice):
                bounds = part.indices(y.shape[dim])
                if bounds != (0, y.shape[dim], 1):
                    y = self.call(torch.ops.aten.slice, (y, dim, *bounds), {}, "slice")
                dim += 1
            else:
                y = self.call(torch.select, (y, dim, int(part)), {})
        return self.call(lambda x: function(x, index), (x,), {}, "identity") if y is x else y

    @contextlib.contextmanager
    def recording(self, model):
        """Also of indices and of functions of one's own, which PyTorch does not show to every mode."""
        with contextlib.ExitStack() as stack:
            def replace(owner, name, replacement):
                own, old = vars(owner).get(name), inspect.getattr_static(owner, name)
                setattr(owner, name, replacement(old))
                stack.callback(lambda: setattr(owner, name, own) if own else delattr(owner, name))
            replace(torch.Tensor, "__getitem__", lambda old: lambda x, index: self.index(old, x, index))
            replace(torch.Tensor, "__setitem__", lambda old: lambda *args: self.call(old, args, {}))
            replace(torch.autograd.Function, "apply", lambda old: classmethod(lambda cls, *args, **kwargs: self.call(
                old.__get__(None, cls), args, kwargs, cls.__name__ + ".apply")))
            for name, module in model.named_modules() if isinstance(model, torch.nn.Module) else []:
                enter = module.register_forward_pre_hook(lambda *_, name=name: self.modules.append(name))
                leave = module.register_forward_hook(lambda *_: self.modules.__delitem__(-1))
                stack.callback(lambda hooks=(enter, leave): [hook.remove() for hook in hooks])
            stack.enter_context(torch.enable_grad())
            yield stack.enter_context(self)


def record(model, inputs, loss=None, dump="a.safetensors", graph="graph.json"):
    """Calls a module or a function once, with a tensor, a list or a dictionary of arguments, and its backward pass. Writes
    all values and gradients, and the graph; returns the result. loss: a function of the result; False for no backward
    pass; by default the only tensor of the result that is a number. No .grad is changed, running statistics are."""
    recorder, is_module, args, kwargs = _Recorder(Dump(dump)), isinstance(model, torch.nn.Module), (), {}
    if isinstance(inputs, dict):
        kwargs = inputs
    else:
        args = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
    parameters = inspect.signature(model.forward if is_module else model).parameters.values()
    names = [parameter.name for parameter in parameters if parameter.kind == parameter.POSITIONAL_OR_KEYWORD]
    names += [f"x{i}" for i in range(len(names), len(args))]
    leaves = [*model.named_parameters(), *model.named_buffers()] if is_module else []
    leaves += [(name, tensor) for name, value in [*zip(names, args), *kwargs.items()] for tensor in _flat(value)]
    for name, tensor in leaves:
        recorder.named.setdefault(id(tensor), (tensor, name))
    with recorder.recording(model):
        result = model(*args, **kwargs)
        numbers = [tensor for tensor in _flat(result) if tensor.numel() == 1 and tensor.requires_grad]
        if loss is None and len(numbers) != 1:
            raise ValueError(f"the result holds {len(numbers)} losses: name one by loss=, or none by loss=False")
        value = loss(result) if callable(loss) else numbers[0] if loss is None else None
    if value is not None:
        gradients = torch.autograd.grad(value, list(recorder.leaves.values()), allow_unused=True)
        recorder.gradients.update(zip(recorder.leaves, gradients))
    for hook in recorder.hooks:
        hook.remove()
    steps, used, tensors = [], set(), recorder.dump.tensors
    for step in reversed(recorder.steps):  # but whole numbers that nothing reads, as a count of batches
        if tensors[step["result"]][0] in ("F64", "F32", "F16", "BF16") or step["result"] in used:
            used.update([step["result"], *(name for name in step["inputs"] if isinstance(name, str))])
            steps.append(json.dumps(step))
    prefix = "gradient." if any(name.startswith("grad.") for name in used) else "grad."
    recorder.dump.tensors = {name: tensor for name, tensor in tensors.items() if name in used}
    for name, gradient in recorder.gradients.items():
        if gradient is not None and name in used:
            recorder.dump.add(prefix + name, gradient)
    recorder.dump.close()
    with open(graph, "w", encoding="utf-8") as file:
        file.write(f'{{"format": "byhand-graph", "version": 1, "gradients": "{prefix}{{}}", "steps": [\n'
                   + ",\n".join(reversed(steps)) + "\n]}\n")
    return result
