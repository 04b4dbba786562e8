"""Compares printed text with a document's, for scripts/check_docs.

Words are compared, so lines may be wrapped elsewhere. Whole numbers and all text must be equal. Of numbers with a point or
an exponent, those with a unit of time and percentages may be anything; those with an exponent, which are rounding errors,
may differ by a factor of 10; others, such as losses, by 1 %. VARIES has what depends on the processor besides. "…" stands
for any words, within a word for any characters, and at its end for both.
"""
import fnmatch
import re

from check_docs_table import VARIES

NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
UNITS = ("%", "s", "ms", "µs", "ns", "×", "%)", "%);", "s,")


def words_of(lines, first):
    """Pairs of a word and its line. What varies by processor is replaced first."""
    pairs, before = [], ""
    text = "\n".join(lines)
    for pattern, other in VARIES:
        # A match may span lines, whose number must not change.
        text = re.sub(pattern.replace(" ", r"\s+"), lambda found: found.expand(other) + "\n" * found[0].count("\n"), text)
    for number, line in enumerate(text.split("\n"), first):
        pairs += [(word, number) for word in line.split()]
    return pairs


def equal_numbers(want, got, unit):
    if not any(mark in want + got for mark in ".e"):
        return want.lstrip("+") == got.lstrip("+")
    a, b = float(want.replace(",", "")), float(got.replace(",", ""))
    if unit in UNITS or a == b:
        return True
    if a * b <= 0:
        return False
    return max(a / b, b / a) <= (10 if "e" in want + got else 1.01)


def equal(want, got, unit):
    if want == got or ("…" in want and fnmatch.fnmatchcase(got, want.replace("[", "[[]").replace("…", "*"))):
        return True
    if NUMBER.split(want) != NUMBER.split(got):
        return False
    rest = NUMBER.split(want)[1:]
    return all(equal_numbers(a, b, after or unit)
               for a, b, after in zip(NUMBER.findall(want), NUMBER.findall(got), rest))


def run_length(want, got, at):
    """How many words of `want` are those of `got` from `at` on."""
    for count, (word, _) in enumerate(want):
        unit = want[count + 1][0] if count + 1 < len(want) else ""
        if at + count >= len(got) or not equal(word, got[at + count][0], unit):
            return count
    return len(want)


def difference(output, first, printed):
    """None, or the line of the document, what it has, and what was printed there."""
    parts, got, begins = [[]], words_of(printed, 0), 0
    for word, line in words_of(output, first):
        if word == "…":
            parts.append([])
        else:
            parts[-1].append((word, line))
            if word.endswith("…"):
                parts.append([])
    for index, part in enumerate(parts):
        if index == 0:
            starts = [0]
        elif index == len(parts) - 1 and part:
            starts = [max(begins, len(got) - len(part))]  # up to the end
        else:
            starts = range(begins, len(got) + 1)
        best, at = max(((run_length(part, got, start), -start) for start in starts), default=(0, 0))
        if best < len(part):
            if index == len(parts) - 1:  # the closest place, to say what differs
                best, at = max((run_length(part, got, start), -start) for start in range(begins, len(got) + 1))
            word, line = part[min(best, len(part) - 1)]
            place = -at + best
            there = printed[got[place][1]].strip() if place < len(got) else "nothing more"
            return line, word, there
        begins = -at + len(part)
    if len(parts) == 1 and begins < len(got):
        return parts[0][-1][1] if parts[0] else first, "the end", printed[got[begins][1]].strip()
    return None
