// The figures of several ranks as a document, and as lines of a sweep.
#pragma once

#include <cstddef>
#include <string>

#include "bench/machine.h"
#include "bench/ranks.h"
#include "report/document.h"

namespace byhand::bench {

// `changed_norm` as in Result (report.h). A table with a row for each number of ranks; its data has the fields of
// docs/formats.md.
Document document_of(const Machine& machine, const std::string& recipe, bool changed_norm, const RankResult& result);

// The rows of the first table as lines of CSV, with the value of the size that is swept before them.
std::string csv_lines(std::size_t value, const RankResult& result, bool with_header);

}  // namespace byhand::bench
