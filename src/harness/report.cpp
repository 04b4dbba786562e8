#include "harness/report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace byhand {
namespace {

std::string colour_of(Verdict verdict) {
    return agrees(verdict) ? "\x1b[32m" : "\x1b[1;31m";
}

std::string painted(const std::string& text, const std::string& escape, bool colour) {
    return colour ? escape + text + "\x1b[0m" : text;
}

double used(const TensorResult& result) {
    return result.used.value_or(0);
}

bool contradicts(Verdict verdict, const std::set<Verdict>& allowed) {
    return !agrees(verdict) && verdict != Verdict::undecided && !allowed.contains(verdict);
}

// "[3, 17]  0.01234567 | 0.01234566", or what there is to say instead.
std::string worst_text(const TensorResult& result) {
    if (!result.note.empty()) {
        return result.note;
    }
    if (!result.worst || result.verdict == Verdict::exact) {
        return "";
    }
    return fmt::format("[{}]  {:.8g} | {:.8g}", fmt::join(index_of(result.shape, result.worst->position), ", "),
                       result.worst->manual, result.worst->torch);
}

template <class T>
std::string or_dash(const std::optional<T>& value, const char* format) {
    return value ? fmt::format(fmt::runtime(format), *value) : "-";
}

struct Row {
    std::string name, shape, count, bit_equal, difference, ulp, used, verdict, worst;
    Verdict kind = Verdict::exact;
};

Row row_of(const TensorResult& r) {
    const bool figures = r.max_abs_diff.has_value();
    return {.name = r.name,
            .shape = to_string(r.shape),
            .count = std::to_string(count(r.shape)),
            .bit_equal = figures ? (r.bit_equal ? "yes" : "no") : "-",
            .difference = or_dash(r.max_abs_diff, "{:.2e}"),
            .ulp = or_dash(r.max_ulp, "{}"),
            .used = figures ? fmt::format("{:.2f} %", 100 * used(r)) : "-",
            .verdict = to_string(r.verdict),
            .worst = worst_text(r),
            .kind = r.verdict};
}

}  // namespace

void add(Summary& summary, const ComparedStep& step) {
    ++summary.steps;
    for (const ComparedTensor& tensor : step.tensors) {
        ++summary.compared;
        if (contradicts(tensor.result.verdict, summary.allowed)) {
            summary.agree = false;
            ++summary.disagreeing;
            if (!summary.first_divergence) {
                summary.first_divergence = tensor.result.name;
            }
        } else if (used(tensor.result) > summary.largest_use) {
            summary.largest_use = used(tensor.result);
            summary.largest_use_name = tensor.result.name;
            summary.largest_use_step = step.step;
        }
    }
    for (const Blamed& blamed : step.blamed) {
        for (const StepAlone& alone : blamed.alone) {
            const double most = std::max(alone.real.used, alone.probe.used);
            if (!alone.wrong() && most > summary.largest_use_alone) {
                summary.largest_use_alone = most;
                summary.largest_use_alone_name = alone.makes;
            }
            if (alone.probe.catches > summary.largest_catch) {
                summary.largest_catch = alone.probe.catches;
                summary.largest_catch_name = alone.makes;
            }
        }
        const auto add_new = [](auto& list, const auto& more) {
            for (const auto& item : more) {
                if (std::ranges::none_of(list, [&](const auto& known) { return known.name == item.name; })) {
                    list.push_back(item);
                }
            }
        };
        add_new(summary.culprits, blamed.culprits);
        add_new(summary.victims, blamed.victims);
    }
    summary.agree = summary.agree && summary.culprits.empty();
    if (!summary.first_divergence && !summary.culprits.empty()) {
        summary.first_divergence = summary.culprits.front().name;
    }
}

std::string table(const ComparedStep& step, const Filter& filter, bool colour) {
    const Row header{"name",        "shape",        "count",
                     "bit-equal",   "largest diff", "ULP",
                     "of limit",    "verdict",      "worst element: by hand | LibTorch",
                     Verdict::exact};
    std::vector<Row> rows = {header};
    std::vector<std::string> sections;  // the heading before which row
    std::vector<std::size_t> section_rows;
    std::string last;
    for (const ComparedTensor& tensor : step.tensors) {
        if (!filter(tensor.result.name)) {
            continue;
        }
        const std::string section = tensor.model + " against LibTorch's " + tensor.witness;
        if (section != last) {
            sections.push_back(section);
            section_rows.push_back(rows.size());
            last = section;
        }
        rows.push_back(row_of(tensor.result));
    }

    const auto width = [&rows](std::string Row::* column) {
        std::size_t widest = 0;
        for (const Row& row : rows) {
            widest = std::max(widest, (row.*column).size());
        }
        return widest;
    };
    const auto line = [&](const Row& row) {
        return fmt::format("  {:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {}{}  {}", row.name,
                           width(&Row::name), row.shape, width(&Row::shape), row.count, width(&Row::count),
                           row.bit_equal, width(&Row::bit_equal), row.difference, width(&Row::difference), row.ulp,
                           width(&Row::ulp), row.used, width(&Row::used),
                           &row == rows.data() ? row.verdict : painted(row.verdict, colour_of(row.kind), colour),
                           std::string(width(&Row::verdict) - row.verdict.size(), ' '), row.worst);
    };
    std::string text =
        fmt::format("step {}: loss {:.6f} by hand, {:.6f} by LibTorch\n", step.step, step.loss_manual, step.loss_torch);
    std::size_t next_section = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        if (next_section < sections.size() && section_rows[next_section] == i) {
            text += painted(sections[next_section], "\x1b[1m", colour) + "\n" + line(rows[0]) + "\n";
            ++next_section;
        }
        std::string row = line(rows[i]);
        row.erase(row.find_last_not_of(' ') + 1);
        text += row + "\n";
    }
    return text;
}

std::string blame(const std::vector<Culprit>& culprits, const std::vector<Victim>& victims, const SourceOf& source,
                  bool colour) {
    std::string text;
    for (const Culprit& culprit : culprits) {
        const SourceLine line = source(culprit.function);
        const std::string effect = culprit.without_effect ? ", without effect on this network" : "";
        text += painted(fmt::format("{} is wrong{}", culprit.name, effect), "\x1b[1;31m", colour);
        text += fmt::format(": {} ({})\n", culprit.function, line.place.empty() ? "no source" : line.place);
        if (culprit.trial && std::isfinite(culprit.trial->ours) && culprit.trial->note.empty()) {
            text +=
                fmt::format("  off by {:.3g} where its own rounding comes to {:.3g} at most, {}\n",
                            std::abs(culprit.trial->ours - culprit.trial->answer), culprit.trial->limit, culprit.why);
        } else {
            const std::string verdict =
                culprit.trial && culprit.trial->note.empty() ? to_string(culprit.trial->verdict) + ", " : "";
            text += fmt::format("  {}{}\n", verdict, culprit.why);
        }
        if (!line.formula.empty()) {
            text += fmt::format("  it should be: {}\n", line.formula);
        }
        std::vector<std::string> heirs;
        for (const Victim& victim : victims) {
            if (victim.from == culprit.name) {
                heirs.push_back(victim.name);
            }
        }
        if (!heirs.empty()) {
            text += fmt::format("  inherited from {}: {}\n", culprit.name, fmt::join(heirs, ", "));
        }
    }
    std::vector<std::string> unexplained;
    for (const Victim& victim : victims) {
        if (victim.from.empty()) {
            unexplained.push_back(victim.name);
        }
    }
    if (!unexplained.empty()) {
        text += fmt::format("off in the chain, though no step that leads there is wrong alone: {}\n",
                            fmt::join(unexplained, ", "));
    }
    return text;
}

std::string conclusion(const Summary& summary, bool colour) {
    if (!summary.agree) {
        return fmt::format("{}: {} of {} tensors over {} step{}; the first is {}\n",
                           painted("they disagree", "\x1b[1;31m", colour), summary.disagreeing, summary.compared,
                           summary.steps, summary.steps == 1 ? "" : "s", *summary.first_divergence);
    }
    const std::string closest =
        summary.largest_use > 0
            ? fmt::format("closest to its limit came {} at step {}, with {:.2f} % of it", summary.largest_use_name,
                          summary.largest_use_step, 100 * summary.largest_use)
            : "no two values differ";
    return fmt::format("{}: {} tensors over {} step{}; {}\n", painted("they agree", "\x1b[1;32m", colour),
                       summary.compared, summary.steps, summary.steps == 1 ? "" : "s", closest);
}

}  // namespace byhand
