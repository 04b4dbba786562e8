#include "report/junit.h"

#include <fmt/format.h>

#include "report/csv.h"

namespace byhand {

report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why) {
    using report::Outcome;
    const auto name = row.at(0).value.get<std::string>();
    report::Case one{class_name, name.empty() ? "\"\"" : name, Outcome::skipped, "", "", ""};
    for (std::size_t i = 1; i < row.size(); ++i) {
        const auto& [shown, value, mark] = row[i];
        const std::string& key = table.columns[i].key;
        if (key == "verdict") {
            one.outcome = mark == Mark::good ? Outcome::passed : mark == Mark::bad ? Outcome::failed : Outcome::skipped;
            one.type = value.get<std::string>();
        } else if (!key.empty() && !value.is_null()) {
            one.text += fmt::format("{}: {}\n", key, field_of(value));
        }
    }
    one.message = one.type + (why.empty() ? "" : ": " + why);
    return one;
}

}  // namespace byhand
