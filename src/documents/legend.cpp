#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "documents/explain.h"

namespace byhand {
namespace {

bool shows(const Block& block, const ReportWord& word) {
    if (const auto* text = std::get_if<Text>(&block)) {
        return word.is_explained && text->words.find(word.word) != std::string::npos;
    }
    const auto* table = std::get_if<Table>(&block);
    for (std::size_t i = 0; table != nullptr && !table->rows.empty() && i < table->columns.size(); ++i) {
        const auto is_in = [&](const std::vector<Cell>& row) { return row[i].shown == word.word; };
        if (table->columns[i].align != Align::hidden &&
            (table->columns[i].title == word.word || std::ranges::any_of(table->rows, is_in))) {
            return true;
        }
    }
    return false;
}

const std::vector<ReportWord>& report_words() {
    static const std::vector<ReportWord> kWords = {
        {"exact", "The verdict on a value that is equal to LibTorch's in float, to the bit.", false},
        {"within",
         "The verdict on a value that differs from the right one by no more than rounding explains: every element is "
         "within its limit.",
         false},
        {"undecided",
         "The verdict on a value that consists of little but rounding, such as a sum that is 0 in exact arithmetic: no "
         "element exceeds its limit, but the limit is so wide that a wrong formula could stay within it, too. It "
         "counts neither for nor against; the isolated step, on random values, decides.",
         true},
        {"vacuous",
         "The verdict on a value that is all zero, or all equal, in both implementations: a wrong formula could have "
         "produced the same. It is no agreement, unless --allow vacuous accepts it.",
         true},
        {"out-of-range",
         "The verdict on a value that may leave the range of float: by overflow, or by a division by zero. It is no "
         "agreement, unless --allow out-of-range accepts it.",
         true},
        {"mismatch",
         "The verdict on a value with an element whose error exceeds its limit: rounding cannot explain it.", false},
        {"of limit",
         "The largest share of its limit that the error of an element takes up. The limit is what rounding explains at "
         "most; up to 100 % is agreement. A single operation that is rounded correctly may take up 100 %, and a sum of "
         "many terms takes up little, because its errors cancel.",
         false},
        {"catches",
         "The smallest error that is detected wherever it occurs, relative to the largest element of the value: with "
         "2.4e-07 a relative error of 2.4e-07 in any one element is a mismatch. The smaller, the stricter the check.",
         false},
        {"isolated",
         "How a step is checked on its own: it computes its value from the right inputs, which LibTorch provides, and "
         "from random ones. An error is then its own, and not inherited.",
         false},
        {"end to end",
         "How a value is compared in the whole network: computed from the results of all steps before it. An error may "
         "be inherited from one of them.",
         false},
    };
    return kWords;
}

}  // namespace

const ReportWord* find_word(const std::string& word) {
    const auto found = std::ranges::find(report_words(), word, &ReportWord::word);
    return found == report_words().end() ? nullptr : &*found;
}

void add_legend(Document& document) {
    std::vector<std::string> shown;
    Table explained{"", {"", {"", "", Align::left}}, {}};
    for (const ReportWord& word : report_words()) {
        if (std::ranges::any_of(document.blocks, [&](const Block& block) { return shows(block, word); })) {
            shown.push_back(word.word.find(' ') == std::string::npos ? word.word : '"' + word.word + '"');
            explained.rows.push_back({word.word, word.meaning});
            document.blocks.emplace_back(Text{word.is_explained ? word.word + ": " + word.meaning : ""});
        }
    }
    if (!shown.empty()) {
        const std::string command = fmt::format("byhand explain WORD explains {}", fmt::join(shown, ", "));
        document.blocks.emplace_back(Details{command, {std::move(explained)}});
    }
}

Document explain_word(const ReportWord& word) {
    return {.subject = "explain",
            .title = word.word + ", in a report",
            .blocks = {Text{word.meaning}, Text{"more: docs/verdicts.md"}},
            .data = {{"word", word.word}, {"meaning", word.meaning}}};
}

}  // namespace byhand
