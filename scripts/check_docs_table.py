"""What scripts/check_docs does not run, or not as it stands, and what it does not compare."""
import collections

SAME = object()
# The first entry whose pattern is in a command applies. `run` is the command (SAME), None (it is not run), or what the
# pattern is replaced with; then the output is checked only if it is `compared`. `needs`: run it only if this shell command
# succeeds in the build folder. `long`: run it with --long only.
Entry = collections.namedtuple("Entry", "pattern reason run needs long compared", defaults=[None, None, False, False])

NUMPY = "/usr/bin/python3 -c 'import numpy'"
TABLE = [
    # Installing and building
    Entry(r"^scripts/(setup|test|build_cost|lint|fuzz)\b|^\.ci/run|^cmake ", "installs, or builds for minutes; .ci/run runs them"),
    Entry(r"^scripts/check_docs", "is this check; its self-test is a test"),
    Entry(r"^scripts/make_picture", "writes docs/report.png, and needs Chromium; the page is compared"),
    Entry(r"^docker ", "builds an image; docs/install.md says that it was not tried"),
    Entry(r"CMAKE_PREFIX_PATH|import torch", "PyTorch from pip; docs/install.md says that it was not tried"),
    # Minutes
    Entry(r"^scripts/mutate( --boundary)?$", "takes minutes; its list of mutants is made by .ci/run"),
    Entry(r"^(scripts/golden record) DIR", "takes minutes", r"\1 recorded", long=True),
    Entry(r"bench --ranks 1,2,4$", "15 rounds take minutes", "bench --ranks 1,2 --rounds 1"),
    Entry(r"(train --ranks 3)$", "200,000 steps, of which each takes milliseconds", r"\1 --steps 50"),
    Entry(r"bench (.*--output before.json)$", "30 rounds", r"bench --rounds 10 --no-as-installed \1"),
    Entry(r"bench (.*)--compare before.json$", "30 rounds; a slower step is exit code 1", r"bench --rounds 10 --no-as-installed \1--compare before.json || test $? = 1"),
    Entry(r"train --model exercise --steps 20000 --no-save$", "20,000 steps of bounds-checked functions", SAME, long=True),
    Entry(r"train --model exercise --steps 20000", "20,000 steps of bounds-checked functions, whose losses are those of stepwise",
          "train --model stepwise --steps 20000", compared=True),
    Entry(r"^(scripts/byhand train --model exercise)$", "200,000 steps, and functions that are filled in",
          r"solve dlogprobs..dC > exercise/backward.cpp && \1 --steps 200"),
    Entry(r"--recipe bigbatch", "20 seconds each", SAME, long=True),
    Entry(r"exercise --watch$", "ends by Ctrl-C; a test of the program does it"),
    Entry(r"(exercise (?:--sanitize address|--format html --output page.html))$", "its exit code is that of the file above",
          r"\1 >printed || test $? = 1"),
    Entry(r"exercise rows.cpp$", "what a write past the end of the heap does is not the same in every run", "exercise ./rows.cpp"),
    # Other machines, compilers and packages
    Entry(r"^RANK=", "two machines; modules/ranks/tests/machines has four"),
    Entry(r"^scripts/words$", "needs git", SAME, needs="git rev-parse"),
    Entry(r"^CXX=clang\+\+-19 ", "another compiler", SAME, needs="command -v clang++-19"),
    Entry(r"^build/release/tests/cli/test_cli 'bench\*'", "a minute; the tests run it",
          "build/release/tests/cli/test_cli 'bench*' --list-tests", needs="test -x tests/cli/test_cli"),
    Entry(r"layernorm.py", "NumPy", SAME, needs=NUMPY),
    Entry(r"\.py dump\.|--mine ", "NumPy", SAME, needs=NUMPY),
    # Names of the reader's
    Entry(r"^(scripts/byhand train) --resume FILE", "a run that has not ended",
          r"\1 --steps 200 --save part.safetensors && \1 --resume part.safetensors --steps 300"),
]

# Numbers in a text: (document, a pattern with one group, a command whose last word is that number). A blank is as below.
COUNTS = [
    ("README.md", r"injects one of (\d+) common mistakes", "byhand mistakes --json | grep -c '\"what\"'"),
    ("README.md", r"on the ([\d,]+) names in data/", "wc -l < data/names.txt"),
]

# (pattern, replacement): text that depends on the processor or on LibTorch's version, in documents and in what is printed.
# A blank matches any number of blanks and line ends.
VARIES = [
    (r"LibTorch \d+\.\d+(?:\.\d+)?", "LibTorch VERSION"),
    (r"nearest to its limit: \S+ at step (\d+)", r"nearest to its limit: NAME at step \1"),
    (r"\d[\d,]*×", "N×"),
    (r"\d+ (within its limit|equal to LibTorch's)", r"N \1"),
    (r"\(\S+ leads\)", "(NAME leads)"),
    (r"step\^\d+\.\d+", "step^EXPONENT"),
    (r"\b(yes|no) ([\d.]+e[-+]\d+) (\d+|[\d.]+e[-+]\d+)(?= )", r"\1 \2 ULP"),
]
