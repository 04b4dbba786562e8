"""Mutants of the sources of src/manual and modules/fast; scripts/mutate runs it.

    mutate.py ROOT BUILD [--only N] [--boundary] [--workers N] [--list] [FILE | FILE:LINE]…

A mutant is one small change of one line, made by the rules below: an operator, a sign, an index, the end or the start
of a loop, a constant, += to =, two adjacent arguments exchanged, one convention instead of another; and, at the
boundary, > for >=, the tail of a loop, the first for another element, a constant's sign, the initial value of a
maximum (--boundary: only these). Of all possible mutants, 330 are selected (or N), at least ten of each file: those
with the lowest hashes, so that the selection is the same everywhere and changes little when the sources do. A mutant
that does not compile is replaced by the next of its file. FILE restricts the selection to some files;
FILE:LINE selects every mutant of a line.

Only the sources affected by the change are compiled, and linked before the libraries of the build folder. The resulting
program runs the checks below in sequence until one does not agree, crashes, or takes ten times as long as it should. If
it passes all of them, it runs them again under AddressSanitizer and, for fused*.cpp, those with several threads under
ThreadSanitizer. The unchanged program must pass them all first. The checks are `byhand compare` and `byhand
gradcheck` on networks of every convention; for code that no compared step runs (evaluation.cpp, its list of steps in
stepwise.cpp, and the fused step that keeps only what training needs), they compare the losses after `byhand train` with
those of LibTorch's module.

Prints one line per mutant: its place, the line with its change as «before → after», and the check that caught it, or
SURVIVED, or "equivalent" with the reason from scripts/mutants_equivalent. The lines of that file are "file TAB changed
line TAB reason"; one that matches no mutant ends the run before it starts, and one whose mutant is caught is reported
and counts as a survivor.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

MANUAL = pathlib.Path(__file__).resolve().parent.parent / "src" / "manual"
OPERATIONS = sorted(path.parent.name for path in MANUAL.glob("*/formulas.h"))
FILES = [*(f"manual/{operation}/formulas.h" for operation in OPERATIONS), "manual/row_norm.h", "manual/sums.h",
         *(f"manual/{operation}/steps.cpp" for operation in OPERATIONS), "manual/stepwise.cpp",
         *(f"fast/{part}" for part in ("fused.cpp", "fused_forward.cpp", "fused_backward.cpp", "fused_update.cpp",
                                       "fused_tensors.cpp", "fused.h")),
         *(f"fast/simd/{kernels}.cpp" for kernels in ("activations", "by_character", "kernels", "norm", "optimizer",
                                                      "product", "row_norm")),
         "manual/evaluation.cpp"]
FOLDERS = {"manual": "src/manual", "fast": "modules/fast"}
MUTANTS = 330
AT_LEAST = 10  # of each file


def place_of(file):
    """In the source tree, of a file as it is included."""
    folder, _, rest = file.partition("/")
    return f"{FOLDERS[folder]}/{rest}"


def fail(words):
    """The task could not start: exit code 2, as elsewhere. (1 means a survivor.)"""
    print(f"mutate: {words}", file=sys.stderr)
    sys.exit(2)


# ---- the rules ----

# A name, a number, a string (blanked), or one of these in a call: v("bndiff").
ARGUMENT = r"(?:[\w.]+\([\w.\0]+\)|[\w.\0]+)"

BEFORE_TO_AFTER = [
    # operators
    (r" \+ ", " - "), (r" - ", " + "), (r" \* ", " / "), (r" \* ", " + "), (r" / ", " * "), (r" % ", " / "),
    (r" && ", " || "), (r" \|\| ", " && "), (r" == ", " != "), (r" != ", " == "),
    # accumulation
    (r" \+= ", " = "), (r" \+= ", " -= "), (r" -= ", " += "), (r" \*= ", " /= "), (r" \*= ", " = "), (r" /= ", " *= "),
    (r" /= ", " = "),
    # signs
    (r"(?<=[=(,?:] )-(?=[\w(])", ""), (r"(?<=[{(])-(?=[\w(])", ""), (r"(?<![\w!])!(?=[\w(])", ""),
    # the ends of loops
    (r"(?<=; )(\w+)(?= < )", r"\1 + 1"),
    # indices
    (r"(?<=\[)([a-z]\w*)(?=\])", r"\1 + 1"),
    (r"(?<=\[)(\w+) \* (\w+) \+ (\w+)(?=\])", r"\3 * \2 + \1"),
    # constants, and where loops start
    (r"(?<![\w.])(\d+)(?![\w.])", lambda m: str(int(m[1]) + 1)),
    (r"(?<![\w.])([1-9]\d*)(?![\w.])", lambda m: str(int(m[1]) - 1)),
    (r"(?<![\w.])(\d+\.\d+)(?=F?\b)", lambda m: str(float(m[1]) + 1)),
    (r"(?<![\w.])([1-9]\d*\.\d+|0\.\d*[1-9])(?=F?\b)", lambda m: str(float(m[1]) / 2)),
    # two adjacent arguments, except those of a product or a sum
    (rf"(?<=[({{ ])(?<!MulAdd\()(?<!hn::Add\()({ARGUMENT}), ({ARGUMENT})(?=[,)}}])", r"\2, \1"),
    # conventions
    (r"\bDivisor::n\b", "Divisor::n_minus_1"), (r"\bEpsilonPlace::inside\b", "EpsilonPlace::outside"),
    (r"\bRunningSpread::variance\b", "RunningSpread::deviation"),
    (r"\bRunningSpread::deviation\b", "RunningSpread::variance"),
    # the building blocks of kernels
    (r"\bhn::Add\b", "hn::Sub"), (r"\bhn::MulAdd\b", "hn::NegMulAdd"), (r"\bhn::Min\b", "hn::Max"),
    (r"\bhn::Zero\(d\)", "hn::Set(d, 1.0F)"), (r"\bfirst\b", "second"), (r"\bsecond\b", "first"),
]

# At the boundary: wrong only for a size, a position or a value.
SIZE = r"(?:n|V|H|E|T|in|out|count|rows|columns|width|elements|depth)_?"
BOUNDARY = [
    # comparisons
    (r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > "),
    # the tail of a loop, of a sum, of a copy: the last element omitted, or those after the last full four
    (r"(?<=; )(\w+) < ([\w.]+)(?=; )", r"\1 < \2 - 1"), (r"(?<=; )(\w+) < ([\w.]+)(?=; )", r"\1 < \2 / 4 * 4"),
    (rf"(?<=[(,] )(?<!size_t )({SIZE})(?=[,)])", r"\1 - 1"), (rf"(?<=\()({SIZE})(?=[,)])", r"\1 - 1"),
    (rf"(?<=[(,] )(?<!size_t )({SIZE})(?=[,)])", r"\1 / 4 * 4"), (rf"(?<=\()({SIZE})(?=[,)])", r"\1 / 4 * 4"),
    # the first or the last of a row
    (r"(?<=\[)([a-z]\w*)(?=\])", "0"), (r"(?<=\[)([a-z]\w*)(?=\])", r"\1 - 1"),
    # a constant's sign
    (r"(?<=\{)([1-9][\d.]*|0\.\d*[1-9])(?=\})", r"-\1"), (r"(?<=[ (])([1-9]\d*\.\d+F?|0\.\d*[1-9]\d*F?)", r"-\1"),
    # the initial value of a maximum, and its position in a tie (with the same value)
    (r"\*std::max_element\(([^()]*)\)", r"std::max(T{0}, *std::max_element(\1))"),
    (r"(?<!\*)std::max_element\(([^()]*)\)", r"std::max_element(\1, [](const T& a, const T& b) { return !(b < a); })"),
]

# Lines that compute nothing: names, types, instantiations and unrolling; axes of the glossary, which a test checks;
# ranges of random inputs, which select what is compared.
NOTHING = re.compile(r"\s*(#|HWY_UNROLL\b|\.axes\b|ranges\[|inline constexpr ValueRange\b|template\b|namespace\b|using\b|class\b|struct\b|case\b|public:|private:)")


def masked(text):
    """The text with comments, strings and characters blanked."""
    pattern = r'//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)\''
    return re.sub(pattern, lambda m: "\0" * len(m[0]), text)


class Mutant:
    def __init__(self, file, number, line, start, end, before, after):
        self.file, self.number = file, number
        self.line = line[:start] + after + line[end:]
        self.shown = (line[:start] + f"«{before} → {after}»" + line[end:]).strip()
        self.where = f"{place_of(file)}:{number}"
        self.key = place_of(file), self.shown

    def rank(self, same):
        """Depends on the change rather than its line number, so that the selection stays when lines move."""
        return hashlib.sha256(f"{self.file.partition('/')[2]}\0{self.shown}\0{same}".encode()).hexdigest()


def mutants_of(root, file, only_boundary=False):
    """All mutants of a file by the rules, or only those at the boundary, by rank."""
    lines = (root / place_of(file)).read_text().split("\n")
    plain = masked("\n".join(lines)).split("\n")
    made, seen = [], {}
    for number, (line, bare) in enumerate(zip(lines, plain), 1):
        if NOTHING.match(bare):
            continue
        known = set()
        for pattern, replacement in BOUNDARY if only_boundary else BEFORE_TO_AFTER + BOUNDARY:
            for match in re.finditer(pattern, bare):
                if callable(replacement):
                    after = replacement(match)
                else:  # with the original text, strings included
                    after = re.sub(r"\\(\d)", lambda g: line[match.start(int(g[1])):match.end(int(g[1]))], replacement)
                # The reported change excludes the surrounding blanks.
                before = line[match.start():match.end()]
                lead, trail = len(before) - len(before.lstrip()), len(before) - len(before.rstrip())
                start, end = match.start() + lead, match.end() - trail
                mutant = Mutant(file, number, line, start, end, before.strip(), after.strip())
                if mutant.line in known or mutant.line == line:
                    continue
                known.add(mutant.line)
                seen[mutant.shown] = seen.get(mutant.shown, 0) + 1
                made.append((mutant.rank(seen[mutant.shown]), mutant))
    return sorted(made, key=lambda pair: pair[0])


def choose(made, wanted):
    """The number of mutants of each file: AT_LEAST, and the rest by rank."""
    counts = {file: min(AT_LEAST, len(all), max(1, wanted // len(made))) for file, all in made.items()}
    rest = sorted((rank, file) for file, all in made.items() for rank, _ in all[counts[file]:])
    for _, file in rest[:max(0, wanted - sum(counts.values()))]:
        counts[file] += 1
    return counts


# ---- the checks ----

RULES = [
    {"parameter": "C", "normal": 1.0},
    {"parameter": "W", "layers": "hidden", "normal": 1.6666666666666667, "over": "sqrt_fan_in"},
    {"parameter": "b", "layers": "hidden", "normal": 0.5},
    {"parameter": "W", "layers": "output", "normal": 0.5},
    {"parameter": "b", "layers": "output", "normal": 0.5},
    {"parameter": "bngain", "normal": 0.1, "plus": 1.3},
    {"parameter": "bnbias", "normal": 0.5},
    {"parameter": "bnmean_running", "normal": 0.5},
    {"parameter": "bnvar_running", "normal": 0.1, "plus": 1.7},
]


# Additional parameters of the networks below.
MORE_RULES = [
    {"parameter": "lngain", "normal": 0.1, "plus": 1.3},
    {"parameter": "lnbias", "normal": 0.5},
    {"parameter": "rmsgain", "normal": 0.1, "plus": 1.3},
]


def recipe(name, hidden, norm, bias=(True, True), batch=11, output_normal=0.5, logits_plus=0.0):
    """A network small enough to be fast, with widths that no vector divides, and no values of 0 or 1 that hide mistakes."""
    changed = {"W": {"normal": output_normal}, "b": {"plus": logits_plus}}
    rules = [dict(rule, **changed[rule["parameter"]]) if rule.get("layers") == "output" else rule for rule in RULES]
    usual = {"place": "before", "output": False, "affine": True, "batch_divisor": "n-1", "running_divisor": "n-1",
             "running": "variance", "momentum": 0.3, "momentum_of": "new", "epsilon": 0.1, "epsilon_place": "inside",
             "evaluation": "running"}
    return {"name": name, "about": name,
            "network": {"context": 3, "embedding": 5, "hidden": hidden, "bias": {"hidden": bias[0], "output": bias[1]},
                        "norm": {**usual, **norm}},
            "initial": {"seed": 5, "rules": rules}, "data": {"split_seed": 42, "split": [0.8, 0.9]},
            "batches": {"size": batch, "seed": None}, "schedule": {"steps": 9, "rates": [{"from": 0, "rate": 0.3}]},
            "sample": {"seed": 1}}


def listed(name, layers, optimizer=None, context=3, embedding=5, batch=11):
    """The same with its operations listed."""
    made = recipe(name, [1], {}, batch=batch)
    network = made["network"]
    del network["hidden"], network["bias"]
    del network["norm"]["place"], network["norm"]["output"], network["norm"]["affine"]
    network.update(context=context, embedding=embedding, layers=layers)
    names = {layer["op"] for layer in layers}
    rules = [rule for rule in RULES if not rule["parameter"].startswith("bn") or "batchnorm" in names]
    rules += [rule for rule in MORE_RULES
              if {"ln": "layernorm", "rms": "rmsnorm"}[rule["parameter"].removesuffix("gain").removesuffix("bias")] in names]
    if any(layer.get("tied") for layer in layers):
        rules = [rule for rule in rules if rule["parameter"] != "W" or rule["layers"] != "output"]
    made["initial"]["rules"] = rules
    return {**made, "optimizer": optimizer} if optimizer else made


def linear(outputs=None, **options):
    return {"op": "linear", **({"outputs": outputs} if outputs else {}), **options}


def op(name, **options):
    return {"op": name, **options}


RECIPES = [
    recipe("before", [37], {}),
    recipe("after", [19, 41], {"place": "after", "epsilon_place": "outside", "batch_divisor": "n",
                               "running": "deviation"}, bias=(False, True)),
    recipe("bare-and-on-the-output", [9], {"affine": False, "output": True, "running_divisor": "n"}, batch=6),
    recipe("without-a-norm", [71, 17], {"place": "none"}, bias=(True, False), batch=9),
    recipe("bare-after", [12], {"place": "after", "affine": False, "epsilon_place": "outside", "batch_divisor": "n",
                                "running_divisor": "n", "running": "deviation"}, bias=(True, False), batch=5),
    recipe("large-logits", [23], {"epsilon_place": "outside", "running": "deviation"}, output_normal=3.0, logits_plus=60.0,
           batch=7),
    recipe("negative-logits", [11], {"batch_divisor": "n", "running_divisor": "n"}, logits_plus=-200.0, batch=10),
    recipe("by-character", [71], {}, batch=117),  # rows enough for products to be looked up
    listed("residuals", [linear(37), op("tanh"), linear(37), op("batchnorm"), op("gelu"), op("residual", **{"from": 1}),
                         linear(37), op("layernorm"), op("silu"), op("residual", **{"from": 1}), linear()],
           {"name": "sgd", "momentum": 0.7, "nesterov": True, "weight_decay": 0.1}),
    listed("tied", [linear(50), op("rmsnorm"), op("sigmoid"), op("dropout", p=0.3), linear(19), op("relu"),
                    linear(tied=True)],
           {"name": "adamw", "weight_decay": 0.1, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3}, embedding=19),
    listed("positions", [op("flatten", positions=2), linear(37, bias=False), op("batchnorm"), op("leaky_relu"),
                         op("flatten", positions=3), linear(71), op("gelu_tanh"), op("layernorm"), linear(),
                         op("rmsnorm")], {"name": "sgd", "momentum": 0.6}, context=6),
    # More rows than are computed together, in three parts of unequal sizes; two panels, the second with padding; what two
    # residuals add is a value in the middle of a layer.
    listed("in-parts", [op("flatten", positions=2), linear(37), op("gelu"), op("layernorm"), op("dropout", p=0.2),
                        op("flatten", positions=2), linear(71), op("sigmoid"), linear(71), op("tanh"),
                        op("residual", **{"from": 6}), linear(71), op("residual", **{"from": 6}), op("sigmoid"),
                        linear()],
           context=4, batch=263),
]

# A network of the operations that none of these has: activations, which need no options.
OTHERS = sorted({name for path in MANUAL.glob("*/steps.cpp")
                 for name in re.findall(r"^extern HandOperation (\w+)_operation", path.read_text(), re.MULTILINE)}
                - {"embedding", "cross_entropy"}
                - {one["op"] for r in RECIPES for one in r["network"].get("layers", [])})
if OTHERS:  # before the last, which also runs on threads
    RECIPES.insert(-1, listed("others", [one for name in OTHERS for one in (linear(37), op(name))] + [linear()]))

# Also on two processes, in three parts of the rows of unequal sizes: with the sums of these, of widths that are multiples
# of a panel's, masks whose first row is not the batch's, and moments that are added up; and with products looked up.
SHARED = [
    listed("on-two-processes", [linear(48), op("batchnorm"), op("gelu"), op("dropout", p=0.3), linear(32),
                                op("layernorm"), op("tanh"), linear()], batch=19),
    listed("positions-on-two-processes", [op("flatten", positions=2), linear(16), op("dropout", p=0.3),
                                          op("flatten", positions=2), linear(11), op("tanh"), linear()],
           context=4, batch=19),
    recipe("by-character-on-two-processes", [71], {}, batch=350),
]


class Check:
    """A command. It passes with exit code 0 and, if there are reference figures, the same figures."""
    def __init__(self, name, arguments, against=None):
        self.name, self.arguments = name, arguments
        self.against = against  # the arguments for LibTorch's figures
        self.figures = None     # those, once they are known
        self.seconds = 600      # at most


def checks_in(folder):
    """Checks of the steps, the most sensitive ones first."""
    checks = []
    for r in RECIPES:
        path = folder / (r["name"] + ".json")
        path.write_text(json.dumps(r))
        checks.append(Check(f"compare, {r['name']}", ["compare", "--recipe", str(path), "--model",
                                                      "stepwise,collapsed,fused", "--steps", "2"]))
    for r in SHARED:
        path = folder / (r["name"] + ".json")
        path.write_text(json.dumps(r))
        checks.append(Check(f"compare, {r['name']}", ["compare", "--recipe", str(path), "--model",
                                                      "stepwise,collapsed,fused", "--steps", "2", "--ranks", "2",
                                                      "--parts", "3"]))
    for r in RECIPES[:4]:
        checks.append(Check(f"gradcheck, {r['name']}", ["gradcheck", "--recipe", str(folder / (r["name"] + ".json")),
                                                        "--elements", "8"]))
    return checks


def evaluation_checks_in(folder, names):
    """Checks of evaluation.cpp, which no training step runs: the losses of a model over a data set, with the running
    statistics and with those of the whole training part, compared with LibTorch's module. With few names, so that n and
    n - 1 differ visibly."""
    data = folder / "names.txt"
    data.write_text("".join(line + "\n" for line in names.read_text().split()[:60]))
    checks = []
    for r in RECIPES:
        has_batch_norm = any(rule["parameter"] == "bngain" for rule in r["initial"]["rules"]) and \
            r["network"]["norm"].get("place") != "none"
        for figures in ("running", "training-set") if has_batch_norm else ("running",):
            path = folder / f"{r['name']}-{figures}.json"
            path.write_text(json.dumps(dict(r, network=dict(r["network"], norm=dict(r["network"]["norm"],
                                                                                    evaluation=figures)))))
            arguments = ["train", "--recipe", str(path), "--data", str(data), "--steps", "3", "--no-save", "--json"]
            checks.append(Check(f"train, {r['name']}, {figures}", [*arguments, "--model", "fused"],
                                [*arguments, "--model", "torch"]))
    # On several threads: conflicting reads and writes.
    checks.append(Check(f"train, {r['name']}, on threads", [*arguments, "--model", "fused", "--threads", "4"],
                        [*arguments, "--model", "torch"]))
    return checks


# The relative difference of losses; both are means over some hundred rows in float, of logits that differ by rounding.
LOSSES_DIFFER = 1e-6


def same_figures(text, figures):
    final = json.loads(text)["final"]
    return all(abs(final[part] - figures[part]) <= LOSSES_DIFFER * abs(figures[part]) for part in figures)


# ---- building and running one ----

# Faults that no verdict can detect, because they do not always change a number: out-of-bounds accesses, data races.
ADDRESS, THREAD = "-fsanitize=address", "-fsanitize=thread"
SANITIZERS = {None: "", ADDRESS: ", under AddressSanitizer", THREAD: ", under ThreadSanitizer"}
WITH_THREADS = "fast/fused.cpp", "fast/fused_forward.cpp", "fast/fused_backward.cpp"


class Workshop:
    """Builds programs from changed sources with the build folder's commands."""

    def __init__(self, root, build, folder):
        self.root, self.build = root, build
        commands = json.loads((build / "compile_commands.json").read_text())
        self.compile = {f"{name}/{c['file'][len(str(root / folder)) + 1:]}": shlex.split(c["command"])
                        for name, folder in FOLDERS.items() for c in commands
                        if c["file"].startswith(f"{root / folder}/") and "/tests/" not in c["file"]}
        self.link = subprocess.run(["ninja", "-C", str(build), "-t", "commands", "byhand"], check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip().split("\n")[-1]
        self.steps = checks_in(folder)
        self.evaluation = evaluation_checks_in(folder, root / "data/names.txt")

    def checks(self, file, sanitizer=None):
        """No compared step runs evaluation.cpp, its list in stepwise.cpp, a norm's evaluation, and what the fused step does
        when it keeps only what training needs."""
        if sanitizer == THREAD:
            return self.evaluation[-1:] if file in WITH_THREADS else []
        both = self.steps + self.evaluation
        if file == "manual/evaluation.cpp":
            return self.evaluation
        return both if file.startswith("fast/fused") or file in ("manual/stepwise.cpp", "manual/batchnorm/steps.cpp") else self.steps

    def sources_that_include(self, file):
        """The sources of both folders that a change of this file affects."""
        reached, grown = {file}, True
        texts = {f"{name}/{p.relative_to(self.root / folder).as_posix()}": p.read_text()
                 for name, folder in FOLDERS.items()
                 for p in (self.root / folder).rglob("*") if p.suffix in (".h", ".cpp")}
        while grown:
            more = {name for name, text in texts.items() if name not in reached and
                    any(f'#include "{r}"' in text for r in reached)}
            reached |= more
            grown = bool(more)
        return sorted(name for name in reached if name in self.compile)

    def variants(self, file):
        """Additional compiler flags; a mutant is caught if it is caught with any of them. The kernels have one path for CPUs
        whose vectors support masked memory accesses, and one for others: these flags select both."""
        if file.startswith("fast/simd/"):
            return [["-DHWY_COMPILE_ONLY_STATIC", "-march=native"], ["-DHWY_COMPILE_ONLY_STATIC"]]
        return [[]]

    def make(self, file, text, flags, folder, sanitizer=None):
        """Builds the program with `text` in place of the file; False if that does not compile."""
        instrument = [sanitizer] if sanitizer else []
        shutil.rmtree(folder, ignore_errors=True)
        changed = folder / file
        changed.parent.mkdir(parents=True)
        changed.write_text(text)
        objects = []
        # ThreadSanitizer reports a race if it misses a synchronization: every source must be instrumented.
        for source in self.compile if sanitizer == THREAD else self.sources_that_include(file):
            path = str(changed) if source == file else str(self.root / place_of(source))
            command = [word for word in self.compile[source] if not re.match(r"-O\d$|-W", word)]
            at = command.index("-o")
            objects.append(str(folder / (source.replace("/", "_") + ".o")))
            command[at:] = ["-o", objects[-1], "-c", path]
            command[1:1] = [f"-I{folder}"]  # before the original sources
            command += ["-O0", "-w", *flags, *instrument]
            if subprocess.run(command, cwd=self.build, stderr=subprocess.DEVNULL).returncode != 0:
                return False
        inputs = " ".join(map(shlex.quote, [*objects, *instrument]))
        link = self.link.replace(" -o byhand ", f" {inputs} -o {shlex.quote(str(folder))}/byhand ")
        subprocess.run(link, shell=True, cwd=self.build, check=True)
        (folder / "lib").symlink_to(self.build / "lib")
        return True

    def run(self, folder, arguments, seconds, sanitizer=None):
        """The exit code, negative for a signal, None after a timeout; and the output."""
        def at_most():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if not sanitizer:  # they reserve terabytes
                resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33))
        environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", NO_COLOR="1",
                           ASAN_OPTIONS="detect_leaks=0:abort_on_error=1", TSAN_OPTIONS="halt_on_error=1")
        try:
            done = subprocess.run([str(folder / "byhand"), *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  timeout=seconds, env=environment, preexec_fn=at_most)
            return done.returncode, done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, ""

    def caught_by(self, file, folder, sanitizer):
        """The check that finds the program in the folder wrong, or None."""
        for check in self.checks(file, sanitizer):
            code, output = self.run(folder, check.arguments, check.seconds, sanitizer)
            if code is None:
                return f"{check.name}: timeout"
            if code < 0:
                return f"{check.name}: crash (signal {-code})"
            if code > 1:
                return f"{check.name}: error (exit {code})"
            if code == 1:
                told = re.search(r"(first divergence|culprit)[ :]+(?!and)([^\s,;:]+)", output)
                return check.name + (f": {told[1]} {told[2]}" if told else "")
            if check.figures and not same_figures(output, check.figures):
                return check.name
        return None

    def see_the_right_program_pass(self, files, folder):
        """Every check must pass on unchanged sources, built like the mutants; its duration determines its time limit."""
        made = [(file, flags, None) for file in files for flags in self.variants(file)]
        for file, flags, sanitizer in [*made, *((file, [], THREAD) for file in files if file in WITH_THREADS)]:
            if not self.make(file, (self.root / place_of(file)).read_text(), flags, folder, sanitizer):
                fail(f"{file} does not compile unchanged")
            for check in self.checks(file, sanitizer):
                if check.against and not check.figures:
                    check.figures = json.loads(self.run(folder, check.against, 600)[1])["final"]
                start = time.monotonic()
                code, output = self.run(folder, check.arguments, 600, sanitizer)
                if code != 0 or (check.figures and not same_figures(output, check.figures)):
                    shown = " ".join(map(shlex.quote, check.arguments))
                    fail(f"the unchanged program does not pass (exit {code}): byhand {shown}")
                taken = 10 + 10 * (time.monotonic() - start)
                check.seconds = taken if check.seconds == 600 else max(check.seconds, taken)


# ---- all of them ----

def equivalents(root):
    """Maps (file, changed line) to the reason."""
    known = {}
    path = root / "scripts/mutants_equivalent"
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if line and not line.startswith("#"):
            parts = line.split("\t")
            if len(parts) != 3 or not parts[2].strip():
                fail(f"{path}:{number}: wants the file, the changed line and the reason, parted by tabs")
            known[parts[0], parts[1]] = parts[2]
    return known


def main():
    parser = argparse.ArgumentParser(prog="mutate")
    parser.add_argument("root", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, default=MUTANTS, metavar="N", help=f"so many mutants in all [{MUTANTS}]")
    parser.add_argument("--boundary", action="store_true", help="only those at the boundary of a size or a value")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="at a time [one a core]")
    parser.add_argument("--list", action="store_true", help="print them, make none")
    parser.add_argument("places", nargs="*", metavar="FILE | FILE:LINE",
                        help="only of these files; every mutant of a line")
    options = parser.parse_intermixed_args()

    known = equivalents(options.root)
    made = {file: mutants_of(options.root, file) for file in FILES}
    everything = {m.key for all in made.values() for _, m in all}
    if options.boundary:
        made = {file: mutants_of(options.root, file, True) for file in FILES}
    stale = ["\t".join(key) for key in known if key not in everything]
    if stale:
        fail("these lines of scripts/mutants_equivalent match no mutant; correct or remove them:\n" + "\n".join(stale))

    counts = choose(made, options.only)
    queues = {file: [m for _, m in all] for file, all in made.items()}
    if options.places:
        asked = {}
        for place in options.places:
            name, _, number = place.partition(":")
            name = next((file for file in FILES if place_of(file) == name), None)
            if not name:
                fail(f"{place} is none of {', '.join(map(place_of, FILES))}")
            asked.setdefault(name, set()).update({int(number)} if number else ())
        queues = {f: [m for m in queues[f] if not asked[f] or m.number in asked[f]] for f in asked}
        counts = {f: len(queues[f]) if asked[f] else counts[f] for f in asked}
    if options.list:
        for file, queue in queues.items():
            for mutant in queue[:counts[file]]:
                print(f"{mutant.where}: {mutant.shown}")
        return 0

    lock = threading.Lock()
    outcomes = []

    with tempfile.TemporaryDirectory(prefix="byhand-mutants-") as folder:
        folder = pathlib.Path(folder)
        workshop = Workshop(options.root, options.build, folder)
        seen = ("manual/batchnorm/formulas.h", "fast/simd/kernels.cpp", "manual/evaluation.cpp", "manual/stepwise.cpp", "fast/fused.h",
                "fast/fused.cpp")
        workshop.see_the_right_program_pass([f for f in seen if f in queues or f == "manual/batchnorm/formulas.h"], folder / "right")
        free = [folder / f"worker{i}" for i in range(options.workers)]

        def judge(mutant, place):
            lines = (options.root / place_of(mutant.file)).read_text().split("\n")
            lines[mutant.number - 1] = mutant.line
            compiled = False
            for sanitizer, by in SANITIZERS.items():
                if not workshop.checks(mutant.file, sanitizer):
                    continue
                for flags in workshop.variants(mutant.file):
                    if workshop.make(mutant.file, "\n".join(lines), flags, place, sanitizer):
                        compiled = True
                        caught = workshop.caught_by(mutant.file, place, sanitizer)
                        if caught:
                            return caught + by
                if not compiled:
                    return "does not compile"
            return None

        def one_of(file):
            """Tries the file's next mutants until one compiles."""
            with lock:
                place = free.pop()
            try:
                while True:
                    with lock:
                        if not queues[file]:
                            return
                        mutant = queues[file].pop(0)
                    caught = judge(mutant, place)
                    if caught == "does not compile":
                        continue
                    why = known.get(mutant.key)
                    verdict = f"caught by {caught}" if caught else f"equivalent: {why}" if why else "SURVIVED"
                    if caught and why:
                        verdict += ", and yet scripts/mutants_equivalent has it"
                    with lock:
                        outcomes.append((mutant, caught, why))
                        print(f"{mutant.where}: {mutant.shown}: {verdict}", flush=True)
                    return
            finally:
                with lock:
                    free.append(place)

        tasks = [file for file in queues for _ in range(counts[file])]
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            for result in [pool.submit(one_of, file) for file in tasks]:
                result.result()

    caught = sum(1 for _, by, _ in outcomes if by)
    equivalent = sum(1 for _, by, why in outcomes if not by and why)
    survived = len(outcomes) - caught - equivalent
    wrongly_listed = sum(1 for _, by, why in outcomes if by and why)
    print(f"{len(outcomes)} mutants: {caught} caught, {equivalent} equivalent, {survived} survived")
    return 1 if survived or wrongly_listed else 0


try:
    sys.exit(main())
except BrokenPipeError:
    sys.exit(1)  # the reader has closed the pipe
