// The words of reports that are not everyday English, and what they mean.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/document.h"

namespace byhand {

struct ReportWord {
    std::string word;     // "of limit"
    std::string meaning;  // a few sentences
    bool in_text;         // a legend also looks for it in paragraphs, where it has no other sense
};

const std::vector<ReportWord>& report_words();

// "byhand explain WORD explains undecided, within, "of limit"": those that the document shows. None if it shows none.
std::optional<Text> legend_of(const Document& document);

// The meaning of a word; none if it is not one of them.
std::optional<Document> explain_word(const std::string& word);

}  // namespace byhand
