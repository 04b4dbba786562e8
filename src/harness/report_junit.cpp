#include <fmt/format.h>

#include <algorithm>

#include "harness/report.h"
#include "harness/report_parts.h"

// Ant's schema of JUnit reports lets the root have no attributes, wants id, package, hostname and timestamp of every
// suite, properties before its test cases and system-out and system-err after them. Jenkins' own takes all of that.

namespace byhand {
namespace {

struct Character {
    std::string_view bytes;
    bool fits = false;  // UTF-8, and what XML may hold; no control characters
};

// How many bytes the character has that begins with this one; 0: none does.
std::size_t size_by(unsigned lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xc2 || lead >= 0xf5) {
        return 0;
    }
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

bool fits_xml(unsigned value) {
    const bool control = (value < 0x20 && value != '\n') || (value >= 0x7f && value < 0xa0);
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    return !control && !surrogate && value != 0xfffe && value != 0xffff && value <= 0x10ffff;
}

// The character that `text` begins with, or one byte that is none.
Character first_character(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = at(0);
    const std::size_t size = size_by(lead);
    if (size == 0 || size > text.size()) {
        return {text.substr(0, 1), false};
    }
    unsigned value = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xc0U) != 0x80U) {
            return {text.substr(0, 1), false};
        }
        value = value << 6U | (at(i) & 0x3fU);
    }
    const bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    return {text.substr(0, size), !overlong && fits_xml(value)};
}

// For an attribute or between tags. What XML can't hold becomes U+FFFD.
std::string escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto [bytes, fits] = first_character(text);
        text.remove_prefix(bytes.size());
        if (!fits) {
            out += "\xef\xbf\xbd";
        } else if (bytes == "&") {
            out += "&amp;";
        } else if (bytes == "<") {
            out += "&lt;";
        } else if (bytes == ">") {
            out += "&gt;";
        } else if (bytes == "\"") {
            out += "&quot;";
        } else if (bytes == "\n") {
            out += "&#10;";
        } else {
            out += bytes;
        }
    }
    return out;
}

enum class Outcome { passed, failed, skipped };

struct Case {
    std::string classname, name;
    Outcome outcome = Outcome::passed;
    std::string type;     // of a failure: the verdict
    std::string message;  // in a line
    std::string text;     // all figures
};

// What is allowed although it is no agreement, and what the chain can't decide, is skipped: nothing was shown.
Outcome outcome_of(Verdict verdict, const Summary& summary) {
    return agrees(verdict)                                 ? Outcome::passed
           : report::contradicts(verdict, summary.allowed) ? Outcome::failed
                                                           : Outcome::skipped;
}

std::string figures(const TensorResult& r) {
    std::string text = r.note.empty() ? "" : r.note + "\n";
    const auto add = [&](const char* what, const std::optional<double>& value) {
        if (value) {
            text += fmt::format("{}: {}\n", what, *value);
        }
    };
    add("largest difference from LibTorch", r.max_abs_diff);
    if (r.max_ulp) {
        text += fmt::format("largest difference in ULP: {}\n", *r.max_ulp);
    }
    add("our error against the oracle", r.error_manual);
    add("LibTorch's error against the oracle", r.error_torch);
    add("largest magnitude", r.scale);
    add("limit at the worst element", r.limit);
    add("share of the limit used", r.used);
    if (r.worst) {
        add("worst element, by hand", r.worst->manual);
        add("worst element, by LibTorch", r.worst->torch);
        add("worst element, by the oracle", r.worst->oracle);
    }
    return text;
}

Case case_of(const ComparedTensor& tensor, const ComparedStep& step, const Wording& wording, const Summary& summary) {
    const TensorResult& r = tensor.result;
    Case one{tensor.model + "." + tensor.witness,
             r.name,
             outcome_of(r.verdict, summary),
             to_string(r.verdict),
             "",
             figures(r)};
    const std::string place = report::where(r, wording), role = report::role(step, tensor.model, r.name);
    one.message = one.type + ": " + (place.empty() ? r.name : place);
    if (!role.empty()) {
        one.message += ", " + role;
    }
    return one;
}

// Nothing of a trial that there was not.
std::string figures(const char* on, const Trial& trial) {
    if (trial.verdict == Verdict::not_given) {
        return "";
    }
    std::string text = fmt::format("{}: {}; error {}, limit {}, share of the limit used {}\n", on,
                                   to_string(trial.verdict), trial.error, trial.limit, trial.used);
    for (const std::string& more : {trial.note, trial.hint}) {
        text += more.empty() ? "" : more + "\n";
    }
    return text;
}

Case case_of(const StepAlone& step, const std::string& model, const Wording& wording, const Summary& summary,
             const Presentation& how) {
    Case one{model + ".alone",
             step.makes,
             outcome_of(step.verdict(), summary),
             to_string(step.verdict()),
             report::verdict_in_words(step),
             figures("on this batch", step.real) + figures("on random values", step.probe)};
    const Trial& trial = step.wrong() ? *step.telling() : step.real;
    if (step.only_in_double()) {
        one.text += figures("in double", trial);
    }
    one.message += ": " + report::where(step.makes, step.shape, trial, step.only_on_probe(), wording);
    if (!trial.hint.empty()) {
        one.message += ", " + trial.hint;
    }
    const SourceLine line = report::source_line(how, step.function);
    one.text += fmt::format("{} {}\n{}\n", step.function, line.place, line.formula);
    return one;
}

// The faults of the lists are no step's own: a step that nobody makes, or one that runs too early.
Case case_of(const Culprit& fault, const std::string& model) {
    return {model + ".order", fault.name, Outcome::failed, "mismatch", fault.name + " " + fault.why, ""};
}

std::string written(const Case& one) {
    const std::string text =
        fmt::format(R"(    <testcase classname="{}" name="{}" time="0")", escaped(one.classname), escaped(one.name));
    switch (one.outcome) {
        case Outcome::passed:
            return text + "/>\n";
        case Outcome::skipped:
            return text + fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(one.message));
        case Outcome::failed:
            break;
    }
    return text + fmt::format(">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                              escaped(one.type), escaped(one.message), escaped(one.text));
}

std::vector<Case> cases_of(const ComparedStep& step, const Summary& summary, const Presentation& how) {
    const Wording wording = report::wording(how, step);
    std::vector<Case> cases;
    for (const ComparedTensor& tensor : step.tensors) {
        if (how.shows(tensor.result.name)) {
            cases.push_back(case_of(tensor, step, wording, summary));
        }
    }
    for (const Blamed& blamed : step.blamed) {
        for (const StepAlone& alone : blamed.alone) {
            if (how.shows(alone.makes)) {
                cases.push_back(case_of(alone, blamed.model, wording, summary, how));
            }
        }
        for (const Culprit& culprit : blamed.culprits) {
            if (!culprit.trial && how.shows(culprit.name)) {
                cases.push_back(case_of(culprit, blamed.model));
            }
        }
    }
    return cases;
}

}  // namespace

std::string to_junit(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps) {
    std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    std::size_t id = 0;
    for (const ComparedStep& step : steps) {
        const std::vector<Case> cases = cases_of(step, summary, how);
        const auto having = [&](Outcome outcome) {
            return std::ranges::count_if(cases, [=](const Case& one) { return one.outcome == outcome; });
        };
        text += fmt::format(
            "  <testsuite name=\"step {}\" package=\"byhand.compare\" id=\"{}\" tests=\"{}\" "
            "failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"0\" timestamp=\"1970-01-01T00:00:00\" "
            "hostname=\"localhost\">\n",
            step.step, id++, cases.size(), having(Outcome::failed), having(Outcome::skipped));
        text += fmt::format(
            "    <properties>\n      <property name=\"recipe\" value=\"{}\"/>\n"
            "      <property name=\"torch\" value=\"{}\"/>\n    </properties>\n",
            escaped(how.recipe), escaped(how.torch_version));
        for (const Case& one : cases) {
            text += written(one);
        }
        text += "    <system-out></system-out>\n    <system-err></system-err>\n  </testsuite>\n";
    }
    return text + "</testsuites>\n";
}

}  // namespace byhand
