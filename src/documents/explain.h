// What there is to say of the values of a network as a document: docs/formats.md has the fields.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "byhand/view.h"
#include "documents/presentation.h"
#include "harness/explain.h"
#include "report/document.h"

namespace byhand {

// A row of the batch that is followed through the network.
struct FollowedRow {
    std::size_t row = 0;
    std::string words;  // "row 3 (`..e → m`)"
};

// A row for each value, in order: what is made, by which function, from what; those of the operation named, or all if
// `operation` is empty. `values` are the numbers of those that have some, on a batch of `how.rows` rows. With
// `followed` the symbol of the notes and the numbers of that row of the batch stand in the place of what it is made
// from.
Document explain_document(const std::vector<Explanation>& all, const std::string& operation,
                          const std::vector<View>& values, const Presentation& how,
                          const std::optional<FollowedRow>& followed = std::nullopt);

// Everything of one value: what it is, formula, function and line, what it reads and what reads it, what people get
// wrong; and how its numbers look, where there are some. With `followed` also the symbol and the numbers of that row,
// if it has rows.
Document explain_document(const Explanation& one, const std::vector<View>& values, const Presentation& how,
                          const std::optional<FollowedRow>& followed = std::nullopt);

// Formula, function and line, what it reads and what reads it; and the mistakes that people make in its step.
Table facts_of(const Explanation& one, const Presentation& how);
Table mistakes_of(const Explanation& one);

// ---- The words of reports that are not everyday English, and what they mean ----

struct ReportWord {
    std::string word;     // "of limit"
    std::string meaning;  // a few sentences
    bool is_explained;    // where it appears, be it in a paragraph, where it has no other sense
};

// Null if it is not one of them.
const ReportWord* find_word(const std::string& word);

// Adds what undecided, vacuous and out-of-range mean, where the document has them, and which words explain_word
// explains.
void add_legend(Document& document);

Document explain_word(const ReportWord& word);

}  // namespace byhand
