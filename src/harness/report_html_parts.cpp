#include "harness/report_html_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace byhand::report {
namespace {

// From what contradicts to what is exact.
int badness(Verdict verdict, const std::set<Verdict>& allowed) {
    return contradicts(verdict, allowed) ? 3 : !agrees(verdict) ? 2 : verdict == Verdict::within ? 1 : 0;
}

Mark mark_of(Verdict verdict, const std::string& role, const std::set<Verdict>& allowed) {
    if (role == "culprit") {
        return Mark::culprit;
    }
    if (contradicts(verdict, allowed)) {
        return role.empty() ? Mark::off : Mark::inherited;
    }
    switch (verdict) {
        case Verdict::exact:
            return Mark::exact;
        case Verdict::within:
            return Mark::within;
        case Verdict::undecided:
            return Mark::undecided;
        case Verdict::not_given:
            return Mark::not_given;
        default:
            return Mark::shows_nothing;
    }
}

const Blamed* blamed_of(const ComparedStep& step, const std::string& model) {
    const auto found = std::ranges::find(step.blamed, model, &Blamed::model);
    return found != step.blamed.end() ? &*found : nullptr;
}

// The share of each tensor in each step, by model and name.
using Shares = std::map<std::pair<std::string, std::string>, std::vector<double>>;

Shares shares_of(const std::vector<ComparedStep>& steps) {
    Shares all;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (const ComparedTensor& tensor : steps[i].tensors) {
            std::vector<double>& shares = all[{tensor.model, tensor.result.name}];
            shares.resize(steps.size(), -1);
            shares[i] = std::max(shares[i], tensor.result.used.value_or(-1));
        }
    }
    return all;
}

void add_entries(Section& section, const Shown& shown, Shares& shares, const std::string& id_before) {
    for (const ComparedTensor& tensor : shown.step.tensors) {
        const std::string& name = tensor.result.name;
        if (tensor.model != section.model) {
            continue;
        }
        const auto [place, is_new] = section.places.try_emplace(name, section.entries.size());
        if (is_new) {
            section.entries.push_back(
                {.name = name, .id = id_before + name, .against = {}, .from = {}, .over_steps = {}});
            section.entries.back().listed = shown.how.shows(name);
            section.entries.back().verdict = tensor.result.verdict;
            section.entries.back().over_steps = std::move(shares[{section.model, name}]);
        }
        Entry& entry = section.entries[place->second];
        entry.against.push_back(&tensor);
        if (badness(tensor.result.verdict, shown.summary.allowed) > badness(entry.verdict, shown.summary.allowed)) {
            entry.verdict = tensor.result.verdict;
        }
    }
}

// What else is known of each.
void complete(Section& section, const Shown& shown) {
    const Blamed* blamed = blamed_of(shown.step, section.model);
    for (Entry& entry : section.entries) {
        const std::string role = report::role(shown.step, section.model, entry.name);
        constexpr std::string_view kFrom = "inherited from ";
        entry.mark = mark_of(entry.verdict, role, shown.summary.allowed);
        entry.listed = entry.listed && entry.mark != Mark::not_given;
        entry.from = role.starts_with(kFrom) ? role.substr(kFrom.size()) : "";
        const auto explained = std::ranges::find(shown.page.explanations, entry.name, &Explanation::name);
        entry.explanation = explained != shown.page.explanations.end() ? &*explained : nullptr;
        if (blamed != nullptr) {
            const auto alone = std::ranges::find(blamed->alone, entry.name, &StepAlone::makes);
            entry.alone = alone != blamed->alone.end() ? &*alone : nullptr;
        }
    }
    for (const Entry& entry : section.entries) {
        for (const std::string& read : entry.reads()) {
            section.read_by[read].push_back(entry.name);
        }
    }
}

// From the smallest share to the largest, of those that are finite and not nothing: at least from a tenth of the limit
// to ten limits, at most from 10^-3 to 10^9.
Scale scale_of(const std::vector<Section>& sections) {
    Scale scale;
    for (const Section& section : sections) {
        for (const Entry& entry : section.entries) {
            const double share = entry.result().used.value_or(0);
            if (share > 0 && std::isfinite(share)) {
                scale.first = std::clamp(static_cast<int>(std::floor(std::log10(share))), -3, scale.first);
                scale.last = std::clamp(static_cast<int>(std::ceil(std::log10(share))), scale.last, 9);
            }
        }
    }
    return scale;
}

}  // namespace

MarkWords words_of(Mark mark) {
    constexpr std::array<MarkWords, kMarks> kWords = {{{"culprit", "✗", "culprit"},
                                                       {"heir", "↳", "inherited"},
                                                       {"off", "!", "off, nobody found to blame"},
                                                       {"nothing", "○", "shows nothing"},
                                                       {"open", "?", "undecided in the chain"},
                                                       {"ok", "✓", "within its limit"},
                                                       {"same", "=", "equal to LibTorch's to the bit"},
                                                       {"none", "–", "not given"}}};
    return kWords[static_cast<std::size_t>(mark)];
}

std::string Entry::function() const {
    return alone != nullptr ? alone->function : explanation != nullptr ? explanation->function : "";
}

const std::vector<std::string>& Entry::reads() const {
    static const std::vector<std::string> kNothing;
    return alone != nullptr ? alone->reads : explanation != nullptr ? explanation->reads : kNothing;
}

double Scale::at(double share) const {
    if (!(share > 0)) {
        return share <= 0 ? 1 : 99;
    }
    const double along = (std::log10(share) - first) / (last - first);
    return 1 + 98 * std::clamp(along, 0.0, 1.0);
}

Shown shown(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps, const Page& page) {
    const ComparedStep& step = steps[shown_step(steps, summary.allowed)];
    Shown shown{how, summary, steps, page, step, wording(how, step), {}, {}};
    Shares shares = shares_of(steps);
    for (const ComparedTensor& tensor : step.tensors) {
        if (std::ranges::find(shown.sections, tensor.model, &Section::model) == shown.sections.end()) {
            shown.sections.push_back({.model = tensor.model, .entries = {}, .places = {}, .read_by = {}});
        }
    }
    for (Section& section : shown.sections) {
        const bool first = &section == &shown.sections.front();
        add_entries(section, shown, shares, first ? "" : section.model + ":");
        complete(section, shown);
    }
    shown.scale = scale_of(shown.sections);
    return shown;
}

std::string in_short(const std::optional<double>& value) {
    return !value ? "–" : *value == 0 ? "0" : fmt::format("{:.1e}", *value);
}

std::string grouped(std::size_t n) {
    std::string text = std::to_string(n);
    for (std::size_t i = text.size(); i > 3; i -= 3) {
        text.insert(i - 3, ",");
    }
    return text;
}

std::string headroom(const std::optional<double>& share) {
    if (!share) {
        return "–";
    }
    if (*share == 0) {
        return "no error";
    }
    if (!std::isfinite(*share)) {
        return "none to spare";
    }
    const double times = *share <= 1 ? 1 / *share : *share;
    const std::string size = times < 99.5     ? fmt::format("{:.1f}", times)
                             : times < 9999.5 ? grouped(static_cast<std::size_t>(std::lround(times)))
                                              : fmt::format("{:.1e}", times);
    return *share <= 1 ? size + "×" : "over " + size + "×";
}

std::string power_of_ten(int exponent) {
    constexpr std::array<const char*, 10> kDigits = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    std::string text = exponent < 0 ? "10⁻" : "10";
    for (const char digit : std::to_string(std::abs(exponent))) {
        text += kDigits[static_cast<std::size_t>(digit - '0')];
    }
    return text;
}

std::string coordinate(double value) {
    return fmt::format("{:g}", std::round(value * 10) / 10);
}

std::string link(const Section& section, const std::string& name) {
    const Entry* entry = section.find(name);
    return entry != nullptr && entry->listed ? fmt::format("<a href=\"#{}\">{}</a>", escaped(entry->id), escaped(name))
                                             : escaped(name);
}

std::string links(const Section& section, const std::vector<std::string>& names, std::string_view none) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + link(section, name);
    }
    return text.empty() ? std::string(none) : text;
}

std::string badge(Mark mark) {
    const MarkWords words = words_of(mark);
    return fmt::format(R"(<span class="mark {}"><b aria-hidden="true">{}</b> {}</span>)", words.style, words.sign,
                       words.words);
}

}  // namespace byhand::report
