#include <fmt/format.h>

#include "report/writers.h"

namespace byhand {

report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why) {
    using report::Outcome;
    report::Case one{class_name, "", Outcome::skipped, "", "", ""};
    for (std::size_t i = 0; i < row.size(); ++i) {
        const Cell& cell = row[i];
        const std::string& key = table.columns[i].key;
        if (key == "name") {
            const auto name = cell.value.get<std::string>();
            one.name = name.empty() ? "\"\"" : name;
        } else if (key == "verdict") {
            one.outcome = cell.mark == Mark::good ? Outcome::passed
                          : is_bad(cell.mark)     ? Outcome::failed
                                                  : Outcome::skipped;
            one.type = cell.value.get<std::string>();
            one.message = cell.shown + (why.empty() ? "" : ": " + why);
        } else if (!key.empty() && !cell.value.is_null()) {
            one.text += fmt::format("{}: {}\n", key, field_of(cell.value));
        }
    }
    return one;
}

}  // namespace byhand
