#include "harness/isolated/battery.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "base/hash.h"
#include "base/value.h"

namespace byhand {
namespace {

// Rows, hidden width, vocabulary, context, embedding.
struct Extents {
    std::size_t rows, hidden, vocabulary, context, embedding;
};

// The first has room for every kind of Drawn::lines along both axes of a matrix.
constexpr Extents kExtents[] = {
    {29, 15, 17, 2, 3},
    {1, 3, 5, 2, 3},
    {2, 5, 3, 1, 4},
    {3, 1, 2, 3, 1},
    {5, 8, 7, 1, 7},
    {7, 17, 9, 3, 2},
    {13, 9, 31, 1, 5},
    {15, 7, 33, 4, 2},
    {17, 33, 8, 2, 5},
    {31, 6, 11, 1, 3},
    {33, 31, 16, 3, 3},
    {65, 2, 6, 2, 1},
    // Multiples of blocks, beside sizes that are not.
    {3, 64, 6, 2, 11},
    {9, 16, 32, 5, 8},
    {64, 4, 96, 8, 2},
    {128, 5, 13, 1, 12},
    {2, 48, 64, 3, 16},
    // More than fit a byte, of each.
    {261, 2, 3, 1, 1},
    {4, 258, 3, 2, 1},
    {6, 3, 300, 2, 1},
};
// More than 1,024 of each, which a block or a stack's buffer may hold.
constexpr Extents kLong[] = {{2051, 3, 5, 1, 2}, {5, 1027, 3, 1, 2}, {3, 2, 1031, 2, 3}};
// More than 65,536 elements, which no index of 16 bits counts: of a row for each example and a column for each unit, of
// one for each class, and of matrices of weights.
constexpr Extents kWide[] = {{2051, 33, 2, 1, 33}, {67, 3, 1031, 1, 2}, {2, 1027, 67, 1, 67}};
constexpr std::size_t kManyElements = 65536;
// The elements that a step reads and makes there, and its multiplications, at most. Long cases are kept: a deep network
// has hundreds of steps.
constexpr std::size_t kMostOfLong = 24000, kMostOfWide = 140000, kMostWork = 150000;

constexpr std::size_t kForKinds = 0;
constexpr std::size_t kMostTurns = 4;  // for a vector

// Every class can be a target with this many rows times draws.
constexpr std::size_t kClassRows = 61, kClassDraws = 16;

NetworkConfig sized(NetworkConfig network, const Extents& extents) {
    network.vocabulary = extents.vocabulary;
    // Tied, a linear that reads the whole context is as wide as the embedding.
    const std::vector<OperationConfig*> linears = hidden_linears(network);
    const bool is_alone = linears.empty() && layers(network).back().is_tied;
    network.context = flattens_by_parts(network) || is_alone ? network.context : extents.context;
    network.embedding = extents.embedding;
    const std::vector<std::size_t> first = first_as_wide(network);
    std::size_t others = 0;  // widths of their own so far
    for (std::size_t l = 0; l < linears.size(); ++l) {
        if (first[l] == l) {
            linears[l]->outputs = extents.hidden + others++ % 3 * (extents.hidden % 16 == 0 ? 16 : 1);
        }
    }
    share_widths(network);
    return network;
}

bool divides_by_nothing(const NetworkConfig& network, std::size_t rows) {
    return rows == 1 && !running_figures(network).empty() &&
           (network.norm.batch_divisor == Divisor::n_minus_1 || network.norm.running_divisor == Divisor::n_minus_1);
}

// An upper bound of the multiplications of a step with these operands, its result among them, that visits each
// combination of their indices once: the product of their extents, each as often as one of them has it.
std::size_t work_of(const std::vector<TensorSpec>& operands) {
    std::map<std::size_t, std::size_t> times;
    for (const TensorSpec& operand : operands) {
        for (const std::size_t extent : operand.shape) {
            const auto own = static_cast<std::size_t>(std::ranges::count(operand.shape, extent));
            times[extent] = std::max(times[extent], own);
        }
    }
    std::size_t work = 1;
    for (const auto& [extent, own] : times) {
        for (std::size_t i = 0; i < own && work <= kMostWork; ++i) {
            work *= extent;
        }
    }
    return work;
}

}  // namespace

std::vector<NetworkSize> battery_sizes(const NetworkConfig& network) {
    std::vector<NetworkSize> sizes;
    for (const auto some : std::initializer_list<std::span<const Extents>>{kExtents, kLong, kWide}) {
        for (const Extents& extents : some) {
            if (!divides_by_nothing(network, extents.rows)) {
                sizes.push_back({sized(network, extents), extents.rows});
            }
        }
    }
    const std::size_t V = network.vocabulary;
    const std::size_t rows = std::min(V + 2, kClassRows);
    sizes.push_back({sized(network, {rows, 3, V, 2, 2}), rows});
    return sizes;
}

Battery::Battery(const NetworkConfig& network, std::uint64_t seed, Form form)
    : sizes_(battery_sizes(network)), seed_(seed), form_(std::move(form)) {}

const SizedForm& Battery::at(std::size_t size) {
    const auto [place, is_new] = forms_.try_emplace(size);
    if (is_new) {
        place->second = form_.at(sizes_[size].network, sizes_[size].rows);
    }
    return place->second;
}

std::size_t Battery::first_wide() const {
    return sizes_.size() - 1 - std::size(kWide);
}

std::size_t Battery::first_long() const {
    return first_wide() - std::size(kLong);
}

void Battery::add(std::vector<BatteryCase>& cases, std::size_t size, const Draw& drawn, const std::string& name,
                  const std::vector<std::string>& reads, bool in_double) {
    const SizedForm& form = at(size);
    const std::vector<std::string> known = form.reference_operations->names();
    const Step* right = find_step(form.graph, name);
    if (right == nullptr || std::ranges::find(known, name) == known.end()) {
        return;
    }
    const std::vector<TensorSpec> specs = read_by(*right, reads, *form.reference_operations, form.shapes);
    if (size >= first_long() && size + 1 < sizes_.size()) {
        std::vector<TensorSpec> operands = {{name, right->shape}};
        for (const std::string& read : std::set<std::string>(reads.begin(), reads.end())) {
            operands.push_back({read, form.shapes.at(read)});
        }
        const auto elements = [](const TensorSpec& spec) { return count(spec.shape); };
        const auto sum = [&](std::size_t all, const TensorSpec& spec) { return all + elements(spec); };
        const bool is_many = elements(std::ranges::max(operands, {}, elements)) > kManyElements;
        const bool is_wide = size >= first_wide();
        if ((is_wide && !is_many) || work_of(operands) > kMostWork ||
            std::accumulate(operands.begin(), operands.end(), std::size_t{0}, sum) >
                (is_wide ? kMostOfWide : kMostOfLong)) {
            return;
        }
    }
    const NetworkSize& at = sizes_[size];
    Tensors<double> values =
        draw(specs, form.graph.ranges, drawn, at.network.vocabulary, mixed(stream_of(name, seed_) + cases.size()));
    if (in_double) {
        values = with_digits_of_doubles(std::move(values));
    }
    cases.push_back({size, std::to_string(at.rows) + (at.rows == 1 ? " row: " : " rows: ") + describe(drawn),
                     make_step_input(*right, *form.reference_operations,
                                     std::make_shared<const Tensors<double>>(std::move(values)))});
}

void Battery::draw_indices(const std::string& read, const AddCase& add_case) const {
    add_case(kForKinds, {Drawn::first, read});
    add_case(kForKinds, {Drawn::last, read});
    for (std::size_t row = 0; row < kRowsInTurn; ++row) {
        add_case(kForKinds, {Drawn::first_in_row, read, row});
        add_case(kForKinds, {Drawn::last_in_row, read, row});
    }
    const auto most =
        std::ranges::max_element(sizes_, {}, [](const NetworkSize& size) { return size.network.vocabulary; });
    add_case(static_cast<std::size_t>(most - sizes_.begin()), {Drawn::last, read});
    const std::size_t V = sizes_.back().network.vocabulary, rows = sizes_.back().rows;
    for (std::size_t from = 0; from < std::min(V, rows * kClassDraws); from += rows) {
        add_case(sizes_.size() - 1, {Drawn::every, read, from});
    }
}

void Battery::draw_numbers(const std::string& read, bool in_double, const AddCase& add_case) {
    add_case(kForKinds, {Drawn::minute, read});
    add_case(kForKinds, {Drawn::enormous, read});
    const SizedForm& form = at(kForKinds);
    const Shape& shape = form.shapes.at(read);
    const auto known = form.graph.ranges.find(read);
    const ValueRange range = known != form.graph.ranges.end() ? known->second : ValueRange{};
    const std::size_t specials = special_numbers(range);
    for (std::size_t from = 0; from < specials; from += count(shape)) {
        add_case(kForKinds, {Drawn::special, read, from});
    }
    add_case(kForKinds, {.how = Drawn::octaves, .only = read});
    if (!in_double) {
        add_case(kForKinds, {Drawn::nan, read});
    }
    if (!in_double && (std::isinf(range.low) || std::isinf(range.high))) {
        add_case(kForKinds, {Drawn::infinite, read});
    }
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        add_case(kForKinds, {.how = Drawn::differences, .only = read, .axis = axis});
        for (const Draw& lines : each_in_turn({.how = Drawn::lines, .only = read, .axis = axis}, shape, kMostTurns)) {
            add_case(kForKinds, lines);
        }
    }
}

const std::vector<BatteryCase>& Battery::cases(const std::string& name, const std::vector<std::string>& reads,
                                               bool in_double) {
    std::vector<std::string> key = {name, in_double ? "double" : "float"};
    key.insert(key.end(), reads.begin(), reads.end());
    const auto [place, is_new] = cases_.try_emplace(std::move(key));
    std::vector<BatteryCase>& cases = place->second;
    if (!is_new) {
        return cases;
    }
    const auto add_case = [&](std::size_t size, const Draw& drawn) { add(cases, size, drawn, name, reads, in_double); };
    for (std::size_t size = 0; size < first_long(); ++size) {
        add_case(size, {});
    }
    for (const Drawn how : {Drawn::small, Drawn::large, Drawn::minute, Drawn::vast, Drawn::huge, Drawn::close,
                            Drawn::octaves, Drawn::all_octaves, Drawn::special}) {
        add_case(kForKinds, {.how = how});
    }
    for (const std::size_t axis : {0, 1}) {
        add_case(kForKinds, {.how = Drawn::differences, .axis = axis});
        add_case(kForKinds, {.how = Drawn::all_differences, .axis = axis});
    }
    const Step* right = find_step(at(kForKinds).graph, name);
    if (right != nullptr && !right->terms.empty()) {  // a term of one gradient is hidden by another that is larger
        add_case(kForKinds, {.how = Drawn::minute, .gradients = true});
    }
    // In double they cost as much again, and show a mistake of the same code.
    for (std::size_t size = first_long(); size < first_wide() && !in_double; ++size) {
        add_case(size, {});
    }
    const std::set<std::string> each(reads.begin(), reads.end());
    for (const std::string& read : each) {
        if (is_index(read)) {
            draw_indices(read, add_case);
        } else {
            draw_numbers(read, in_double, add_case);
        }
    }
    return cases;
}

std::vector<BatteryCase> Battery::wide_case(const std::string& name, const std::vector<std::string>& reads) {
    std::vector<BatteryCase> cases;
    for (std::size_t size = first_wide(); size + 1 < sizes_.size() && cases.empty(); ++size) {
        add(cases, size, {}, name, reads, false);
    }
    return cases;
}

}  // namespace byhand
