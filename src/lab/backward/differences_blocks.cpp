// That the three forms are the same: on the same data, and beside LibTorch.
#include <fmt/format.h>

#include "lab/backward/accuracy.h"
#include "lab/backward/blocks.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 128, kColumns = 7;
constexpr double kEpsilon = 1e-5;

template <class T>
void add_differences(Table& table, const NormData& data, std::uint64_t seed) {
    for (const Divisor divisor : kDivisors) {
        const Differences found = differences(three_forms(as<T>(drawn(data, seed)), norm_with(divisor, kEpsilon)));
        table.rows.push_back({fmt::format("{}, {}", type_name<T>(), words_of(divisor)),
                              significant(found.chain_steps, 2), significant(found.chain_line, 2),
                              significant(found.steps_line, 2), significant(found.scale, 3)});
    }
}

}  // namespace

void tell_differences(Document& document, const BackwardOptions& options, const Setting& setting) {
    const NormData easy{kRows, kColumns, 1, 1};
    const std::uint64_t seed = options.seeds.first;
    Table table{fmt::format("The same data by the three forms: {} rows, {} columns, mean 1, deviation 1; the largest "
                            "differences",
                            kRows, kColumns),
                {"", "chain−steps", "chain−line", "steps−line", "largest |dx|"},
                {}};
    add_differences<float>(table, easy, seed);
    add_differences<double>(table, easy, seed);
    document.blocks.emplace_back(table);
    for (const Divisor divisor : kDivisors) {
        if (setting.torch == nullptr) {
            break;
        }
        const std::vector<Agreement> found = agreements(easy, norm_with(divisor, kEpsilon), seed, setting);
        document.blocks.emplace_back(lab::table_of(
            fmt::format("Against LibTorch in double, {}: the forms in float, and long double by hand by limits for "
                        "double",
                        words_of(divisor)),
            found));
        document.agrees = document.agrees && all_hold(found);
    }
}

}  // namespace byhand::lab
