#include "documents/page/parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <iterator>
#include <span>

#include "report/writers.h"

namespace byhand::report {
namespace {

Section section_of(const ModelReport& report, const PageContents& shown, const std::string& id_before) {
    Section section{report, {}, {}};
    for (const auto& [model, against, value, finding] : findings(report)) {
        const Verdict verdict = finding.verdict;
        const Mark mark = verdict == Verdict::exact       ? Mark::exact
                          : verdict == Verdict::not_given ? Mark::none
                                                          : mark_of(verdict, shown.summary.allowed);
        const auto [place, is_new] = section.places.try_emplace(value.name, section.entries.size());
        if (is_new) {
            section.entries.push_back({&report, &value, id_before + value.name, verdict, mark});
        } else if (Entry& entry = section.entries[place->second]; mark < entry.mark) {
            entry.verdict = verdict;
            entry.mark = mark;
        }
    }
    for (Entry& entry : section.entries) {
        const Role::Kind role = entry.value->role.kind;
        entry.mark = role == Role::Kind::culprit                                ? Mark::culprit
                     : role == Role::Kind::inherited && entry.mark == Mark::bad ? Mark::inherited
                                                                                : entry.mark;
        entry.listed = shown.how.shows(entry.name()) && entry.mark != Mark::none;
    }
    return section;
}

}  // namespace

std::string Entry::words() const {
    return mark == Mark::culprit || mark == Mark::inherited ? to_string(value->role)
           : said.empty()                                   ? to_string(verdict)
                                                            : said;
}

double Scale::at(double share) const {
    if (!(share > 0)) {
        return share <= 0 ? 1 : 99;
    }
    const double along = (std::log10(share) - first) / (last - first);
    return 1 + 98 * std::clamp(along, 0.0, 1.0);
}

Scale scale_of(const std::vector<double>& shares) {
    Scale scale;
    for (const double share : shares) {
        if (share > 0 && std::isfinite(share)) {
            scale.first = std::clamp(static_cast<int>(std::floor(std::log10(share))), -3, scale.first);
            scale.last = std::clamp(static_cast<int>(std::ceil(std::log10(share))), scale.last, 9);
        }
    }
    return scale;
}

PageContents page_contents(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps,
                           const Graph& network) {
    const ComparedStep& step = steps[shown_step(steps, summary.allowed)];
    PageContents shown{how, summary, steps, network, step, wording(how, step), {}, {}};
    std::vector<double> used;
    for (const ModelReport& model : step.models) {
        Section section = section_of(model, shown, shown.sections.empty() ? "" : model.model + ":");
        for (const Entry& entry : section.entries) {
            used.push_back(entry.result().used.value_or(0));
        }
        if (!section.entries.empty()) {
            shown.sections.push_back(std::move(section));
        }
    }
    shown.scale = scale_of(used);
    return shown;
}

std::string in_short(const std::optional<double>& value) {
    return !value ? "–" : *value == 0 ? "0" : fmt::format("{:.1e}", *value);
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
    const bool is_one = entry != nullptr && entry->listed && name.find_first_of(" [`") == std::string::npos;
    return is_one ? fmt::format("[{}](#{})", name, entry->id) : name;
}

std::string linked(const Section& section, const std::string& words) {
    const auto is_of_name = [](char c) {
        return c == '_' || c == '.' || std::isalnum(static_cast<unsigned char>(c)) != 0;
    };
    std::string text;
    for (std::size_t at = 0; at < words.size();) {
        const std::size_t begin = at;
        if (words[at] == '`') {  // code
            at = std::min(words.find('`', at + 1), words.size() - 1) + 1;
        } else {
            while (at < words.size() && is_of_name(words[at])) {
                ++at;
            }
            at = std::max(at, begin + 1);
        }
        text += link(section, words.substr(begin, at - begin));
    }
    return text;
}

std::pair<Mark, double> rank_of(Mark mark, const std::optional<double>& used) {
    return {std::min(mark, Mark::open), -used.value_or(0)};
}

void add_drawings(Document& document, const std::map<std::string, Images>& images, std::size_t at_least) {
    constexpr std::size_t kLargest = 1'950'000;  // bytes
    std::vector<std::pair<const Images*, Details*>> wanted;
    for (Block& block : document.blocks) {
        auto* const table = std::get_if<Table>(&block);
        for (Details& details : table != nullptr ? std::span(table->details) : std::span<Details>()) {
            if (const auto found = images.find(details.id); found != images.end()) {
                wanted.emplace_back(&found->second, &details);
            }
        }
    }
    if (wanted.empty()) {
        return;
    }
    std::ranges::stable_sort(wanted, {}, [](const auto& one) { return one.first->rank; });
    std::size_t room = std::max(kLargest - std::min(to_html(document).size(), kLargest), at_least);
    for (const auto& [one, details] : wanted) {
        std::vector<Block> drawn = one->drawn();
        const std::size_t size = to_html(drawn).size();
        if (size > room) {
            break;
        }
        room -= size;
        details->blocks.insert(details->blocks.erase(details->blocks.begin() + 1),
                               std::make_move_iterator(drawn.begin()), std::make_move_iterator(drawn.end()));
    }
}

}  // namespace byhand::report
