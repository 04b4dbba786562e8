#include "documents/phrases.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "harness/mistake.h"

namespace byhand::report {

Mark mark_of(Verdict verdict, const std::set<Verdict>& allowed) {
    return agrees(verdict) ? Mark::good : contradicts(verdict, allowed) ? Mark::bad : Mark::open;
}

std::optional<double> in_ulp(const std::optional<double>& error, const std::optional<double>& scale) {
    if (!error || !scale || !(*scale > 0) || !std::isfinite(*scale)) {
        return std::nullopt;
    }
    return *error / std::ldexp(1.0, std::ilogb(*scale) - 23);
}

std::string share(double used) {
    constexpr double kMostPercent = 10, kMostDigits = 1e7;  // in units of the limit
    return used < kMostPercent  ? fmt::format("{:.1f} %", 100 * used)
           : used < kMostDigits ? grouped(static_cast<std::size_t>(std::lround(used))) + "×"
                                : fmt::format("{:.1e}×", used);
}

std::string grouped(std::size_t n) {
    std::string text = std::to_string(n);
    for (std::size_t i = text.size(); i > 3; i -= 3) {
        text.insert(i - 3, ",");
    }
    return text;
}

Wording wording(const Presentation& how, const ComparedStep& step) {
    return {how.network, how.glossary, how.characters, step.X, step.Y, how.whose};
}

std::string where(const std::string& name, const Finding& finding, const Wording& wording) {
    return finding.worst ? in_words(name, index_of(finding.shape, finding.worst->position), wording) : "";
}

std::string where(const std::string& name, const Shape& shape, const Trial& trial, bool not_on_batch,
                  const Wording& wording) {
    const std::size_t worst = trial.worst.value_or(Worst()).position;
    if (!trial.shape.empty()) {  // of a network of another size
        return name + to_string(index_of(trial.shape, worst));
    }
    if (worst >= count(shape)) {
        return name;
    }
    Wording said = wording;
    if (not_on_batch) {
        said.X.clear();
        said.Y.clear();
    }
    return in_words(name, index_of(shape, worst), said);
}

std::string verdict_in_words(const IsolatedStep& step) {
    return (step.not_on_batch() ? "wrong, not on this batch: "
            : step.wrong()      ? "wrong: "
                                : "") +
           to_string(step.verdict()) + (step.only_in_double() ? " in double" : "");
}

std::optional<double> catches(const IsolatedStep& step) {
    for (const Trial* trial : {&step.on_random(), &step.on_batch()}) {
        if (trial->scale > 0.0) {
            return trial->catches;
        }
    }
    return std::nullopt;
}

std::string numbers_of(const std::string& place, const Finding& finding, Whose whose, bool in_double) {
    const Worst worst = finding.worst.value_or(Worst());
    const double right = worst.right.value_or(0);
    std::string ours = fmt::format("{:.8g}", worst.ours), expected = fmt::format("{:.8g}", right);
    if (in_double || ours == expected) {
        ours = fmt::format("{:.17g}", worst.ours);
        expected = fmt::format("{:.17g}", right);
    }
    if (!std::isfinite(worst.ours)) {
        ours = std::isnan(worst.ours) ? "NaN" : worst.ours > 0 ? "∞" : "−∞";
    }
    return fmt::format("{}: {} {}, expected {}", place, in_words(whose), ours, expected);
}

std::string error_of(const Finding& finding) {
    const Worst worst = finding.worst.value_or(Worst());
    return fmt::format("error {:.3g}, rounding explains at most {:.3g}", std::abs(worst.ours - worst.right.value_or(0)),
                       finding.limit.value_or(0));
}

std::string figures_of(const ValueReport& culprit, const Wording& wording) {
    const Trial* evidence = culprit.evidence();
    if (evidence == nullptr || !evidence->note.empty()) {
        return culprit.why();
    }
    const Trial& trial = *evidence;
    const bool not_on_batch = culprit.isolated->not_on_batch();
    const std::string place = where(culprit.name, culprit.shape, trial, not_on_batch, wording);
    if (trial.verdict != Verdict::mismatch) {
        return fmt::format("{}, {}: {}", to_string(trial.verdict), culprit.why(), place);
    }
    return fmt::format("wrong {}{}: {}\n  {}", culprit.why(), not_on_batch ? ", not on this batch" : "",
                       error_of(trial), numbers_of(place, trial, wording.whose, trial.in_double));
}

const char* in_words(Whose whose) {
    return whose == Whose::yours ? "yours" : whose == Whose::given ? "given" : "by hand";
}

std::string made_by(const Mistake& mistake) {
    return fmt::format("the known mistake {} produces these numbers: {}", mistake.name, mistake.what);
}

std::vector<std::string> hints_of(const Trial& trial) {
    std::vector<std::string> hints;
    if (!trial.hint.empty()) {
        hints.push_back(trial.hint);
    }
    if (trial.mistake != nullptr) {
        hints.push_back(made_by(*trial.mistake));
    }
    return hints;
}

std::string few_of(const std::vector<std::string>& names, std::size_t few) {
    const std::string text = fmt::format("{}", fmt::join(std::span(names).first(std::min(few, names.size())), ", "));
    return names.size() <= few ? text : fmt::format("{}, … ({})", text, names.size());
}

bool gives_loss(const ComparedStep& step) {
    return std::ranges::none_of(findings(step), [](const ChainFinding& found) {
        return found.value.name == "loss" && found.finding.verdict == Verdict::not_given;
    });
}

std::string place_in_words(const Presentation& how, const SourceLine& line) {
    return line.place.empty() ? "no source" : (how.whose == Whose::given ? "byhand's own: " : "") + line.place;
}

}  // namespace byhand::report
