#include "harness/isolated/hints.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <vector>

namespace byhand {
namespace {

// An explanation leaves at most this share of the error (root mean square); one that explains less is a coincidence.
constexpr double kLeft = 1.0 / 16;

// A limit may be 0 if the right step does not round; the wrong one may round a few times.
constexpr double kOwnRounding = 0x1p-22;

// "1 + 3e-08" if five digits would show less.
std::string short_number(double value) {
    constexpr double kNearOne = 1e-3;
    if (value != 1 && std::abs(value - 1) < kNearOne) {
        return (value < 1 ? "1 − " : "1 + ") + short_number(std::abs(value - 1));
    }
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::general, 5);
    return {digits.data(), end.ptr};
}

struct Elements {
    std::span<const double> ours, exact, limits;
    std::vector<std::size_t> which;  // positions
};

// All of them; none if one is not finite.
std::optional<Elements> all_finite(std::span<const double> ours, std::span<const double> exact,
                                   std::span<const double> limits) {
    Elements all{ours, exact, limits, {}};
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (!std::isfinite(ours[i]) || !std::isfinite(exact[i]) || !std::isfinite(limits[i])) {
            return std::nullopt;
        }
        all.which.push_back(i);
    }
    return all;
}

// Whether expected(i) explains ours at every position: within rounding, and much nearer than the exact value.
bool explained(const Elements& e, const std::function<double(std::size_t)>& expected,
               const std::function<double(std::size_t)>& limit) {
    double left = 0, error = 0;
    for (const std::size_t i : e.which) {
        const double wanted = expected(i), residue = std::abs(e.ours[i] - wanted);
        if (!(residue <= 2 * limit(i) + kOwnRounding * std::abs(wanted))) {
            return false;
        }
        left += residue * residue;
        error += (e.ours[i] - e.exact[i]) * (e.ours[i] - e.exact[i]);
    }
    return error > 0 && left <= kLeft * kLeft * error;
}

bool is_multiple(const Elements& e, double factor) {
    const double growth = std::max(1.0, std::abs(factor));
    return explained(
        e, [&](std::size_t i) { return factor * e.exact[i]; }, [&](std::size_t i) { return growth * e.limits[i]; });
}

// The factors of typical mistakes.
std::optional<std::string> named_factor(const Elements& e, std::int64_t rows) {
    struct Named {
        double factor;
        std::string text;
    };
    const auto n = static_cast<double>(rows);
    const std::string N = std::to_string(rows), less = std::to_string(rows - 1);
    std::vector<Named> all = {
        {-1, "the negative of the right answer"}, {2, "twice the right answer"}, {0.5, "half the right answer"}};
    if (rows > 2) {  // with 2 rows n − 1 is 1, and n is 2
        const auto add = [&](double factor, const std::string& text) {
            all.push_back({factor, "off by the factor " + text});
        };
        const std::string by_deviation = ": a deviation by n against one by n − 1";
        add((n - 1) / n, less + "/" + N + " = (n − 1)/n: n against n − 1");
        add(n / (n - 1), N + "/" + less + " = n/(n − 1): n against n − 1");
        add(n, N + " = n: a 1/n is missing");
        add(1 / n, "1/" + N + " = 1/n: a 1/n too many");
        add(std::sqrt((n - 1) / n), "√(" + less + "/" + N + ") = √((n − 1)/n)" + by_deviation);
        add(std::sqrt(n / (n - 1)), "√(" + N + "/" + less + ") = √(n/(n − 1))" + by_deviation);
    }
    const auto found = std::ranges::find_if(all, [&](const Named& named) { return is_multiple(e, named.factor); });
    return found != all.end() ? std::optional(found->text) : std::nullopt;
}

// Each size once, n − 1 and n + 1 among them, without 1 and 2, which are ambiguous.
std::vector<Extent> telling(const std::vector<Extent>& extents) {
    std::vector<Extent> all;
    const auto add = [&](std::int64_t size, const std::string& name) {
        if (size > 2 && std::ranges::find(all, size, &Extent::size) == all.end()) {
            all.push_back({size, name});
        }
    };
    const std::int64_t n = extents.front().size;
    add(n, "n");
    add(n - 1, "(n − 1)");
    add(n + 1, "(n + 1)");
    for (const Extent& extent : extents) {
        add(extent.size, extent.name);
    }
    return all;
}

// "31/33 = (n − 1)/(n + 1)" for 0.93939…; none if it is not such a fraction.
// NOLINTNEXTLINE(readability-function-cognitive-complexity): two loops over pairs and single ones
std::optional<std::string> fraction(double factor, const std::vector<Extent>& extents) {
    constexpr double kSame = 2e-6;        // of a factor measured on floats
    constexpr std::int64_t kTelling = 7;  // 3/4 is not T/4
    const double size = std::abs(factor);
    const std::string sign = factor < 0 ? "−" : "";
    const auto is_near = [size](double exact) { return std::abs(size - exact) <= kSame * exact; };
    const auto text = [&](const std::string& a, const std::string& b, const std::string& c, const std::string& d) {
        return sign + a + (b.empty() ? "" : "/" + b) + " = " + sign + c +
               (d.empty()                          ? ""
                : d.find("·") == std::string::npos ? "/" + d
                                                   : "/(" + d + ")");
    };
    for (const Extent& a : extents) {
        for (const Extent& b : extents) {
            if (a.size != b.size && is_near(static_cast<double>(a.size) / static_cast<double>(b.size))) {
                return text(std::to_string(a.size), std::to_string(b.size), a.name, b.name);
            }
        }
    }
    for (const Extent& extent : extents) {
        const auto whole = static_cast<double>(extent.size);
        const std::int64_t above = std::llround(std::min(size * whole, 1e9)),
                           below = std::llround(std::min(whole / size, 1e9));
        const auto is_irreducible = [&](std::int64_t other) {
            return other == 1 || (other > 0 && other < 2 * extent.size && extent.size >= kTelling &&
                                  std::gcd(other, extent.size) == 1);
        };
        if (is_irreducible(above) && is_near(static_cast<double>(above) / whole)) {
            return text(std::to_string(above), std::to_string(extent.size), std::to_string(above), extent.name);
        }
        if (is_irreducible(below) && is_near(whole / static_cast<double>(below))) {
            const std::string under = below == 1 ? "" : std::to_string(below);
            return text(std::to_string(extent.size), under, extent.name, under);
        }
    }
    return std::nullopt;
}

// A property that holds at all of these positions.
std::string relation(const Elements& e, const std::vector<Extent>& extents) {
    if (std::ranges::all_of(e.which, [&](std::size_t i) { return e.ours[i] == 0; })) {
        return kAllZero;
    }
    if (const auto named = named_factor(e, extents.front().size)) {
        return *named;
    }
    if (e.which.size() < 3) {
        return "";  // one or two numbers are easily a multiple of others
    }
    double product = 0, square = 0, difference = 0;
    for (const std::size_t i : e.which) {
        product += e.ours[i] * e.exact[i];
        square += e.exact[i] * e.exact[i];
        difference += (e.ours[i] - e.exact[i]) / static_cast<double>(e.which.size());
    }
    const double factor = square > 0 ? product / square : 0;
    if (factor != 0 && is_multiple(e, factor)) {
        for (const int bits : {32, 64}) {
            if (is_multiple(e, -std::ldexp(1.0, bits))) {
                return "off by the factor −2^" + std::to_string(bits) + ": an unsigned −1";
            }
        }
        const std::optional<std::string> known = fraction(factor, telling(extents));
        return known ? "off by the factor " + *known : "off by one factor, " + short_number(factor);
    }
    const auto limit = [&](std::size_t i) { return e.limits[i]; };
    const auto shifted = [&](std::size_t i) { return e.exact[i] + difference; };
    if (explained(e, shifted, limit)) {
        return "off by the same amount everywhere, " + short_number(difference);
    }
    return "";
}

// A tensor as rows and columns: the first axis, and the last.
struct Grid {
    std::size_t rows = 1, columns = 1, elements = 1;

    std::size_t row(std::size_t i) const { return i / (elements / rows); }
    std::size_t column(std::size_t i) const { return i % columns; }
};

std::string ordinal(const std::string& what, std::size_t i, std::size_t of) {
    if (i == 0 || i + 1 == of) {
        return std::string("only the ") + (i == 0 ? "first " : "last ") + what + " is off";
    }
    return "only " + what + " " + std::to_string(i) + " is off";
}

// "only the last row is off"; empty if the error is in more than one.
std::string only_one(const Grid& grid, const Shape& shape, const std::vector<std::size_t>& off) {
    if (grid.elements > 1 && off.size() == 1) {
        if (shape.size() == 1) {
            return ordinal("element", off[0], grid.elements);
        }
        return "only one element is off, " + element_of("", shape, off[0]);
    }
    if (shape.size() < 2) {
        return "";
    }
    const auto same = [&](auto place) {
        return std::ranges::all_of(off, [&](std::size_t i) { return place(i) == place(off[0]); });
    };
    if (grid.rows > 1 && same([&](std::size_t i) { return grid.row(i); })) {
        return ordinal("row", grid.row(off[0]), grid.rows);
    }
    if (grid.columns > 1 && same([&](std::size_t i) { return grid.column(i); })) {
        return ordinal("column", grid.column(off[0]), grid.columns);
    }
    return "";
}

// Whether ours is the exact result with its elements moved: source(i) is the former position of the element at i, none
// if it has none.
bool moved(const Elements& e, const std::function<std::optional<std::size_t>(std::size_t)>& source) {
    Elements there = e;
    std::erase_if(there.which, [&](std::size_t i) { return !source(i); });
    return !there.which.empty() && explained(
                                       there, [&](std::size_t i) { return e.exact[*source(i)]; },
                                       [&](std::size_t i) { return std::max(e.limits[i], e.limits[*source(i)]); });
}

using Source = std::optional<std::size_t>;

// Of lines, rows or columns, that are shifted by one: element i is in line(i), and `step` elements after its place in
// the line before. (The line shifted in may have any value.)
template <class Line>
std::string shifted(const Elements& e, std::size_t lines, std::size_t step, Line line) {
    if (lines > 2 && moved(e, [&](std::size_t i) { return line(i) > 0 ? Source(i - step) : std::nullopt; })) {
        return "stand one too far on";
    }
    if (lines > 2 && moved(e, [&](std::size_t i) { return line(i) + 1 < lines ? Source(i + step) : std::nullopt; })) {
        return "stand one too early";
    }
    return "";
}

std::string rearrangement(const Elements& e, const Grid& grid, const Shape& shape) {
    if (shape.size() == 2 && grid.rows > 1 && grid.columns > 1 &&
        moved(e, [&](std::size_t i) -> Source { return i % grid.rows * grid.columns + i / grid.rows; })) {
        return "equals the transpose of the right answer";
    }
    const bool flat = shape.size() < 2;
    const std::size_t width = grid.elements / grid.rows;
    std::string rows = shifted(e, grid.rows, width, [&](std::size_t i) { return grid.row(i); });
    if (rows.empty() && grid.rows > 2 &&
        moved(e, [&](std::size_t i) -> Source { return (grid.rows - 1 - grid.row(i)) * width + i % width; })) {
        rows = "stand in reverse";
    }
    if (!rows.empty()) {
        return (flat ? "the elements " : "the rows ") + rows;
    }
    const auto column = [&](std::size_t i) { return grid.column(i); };
    const std::string columns = flat ? "" : shifted(e, grid.columns, 1, column);
    return columns.empty() ? "" : "the columns " + columns;
}

}  // namespace

std::string element_of(const std::string& name, const Shape& shape, std::size_t position) {
    std::string index;
    for (const std::size_t i : index_of(shape, position)) {
        index += (index.empty() ? "" : ", ") + std::to_string(i);
    }
    return index.empty() ? name : name + "[" + index + "]";
}

std::vector<Extent> extents_of(const NetworkConfig& network, std::size_t n) {
    std::vector<Extent> all;
    const auto add = [&](std::size_t size, const std::string& name) {
        all.push_back({static_cast<std::int64_t>(size), name});
    };
    add(n, "n");
    add(network.vocabulary, "V");
    const std::vector<Layer> all_layers = layers(network);
    for (const Layer& layer : all_layers) {
        if (!layer.is_output) {
            add(layer.outputs, all_layers.size() == 2 ? "H" : "H" + std::to_string(layer.number));
        }
    }
    add(network.context * network.embedding, "T·E");
    add(network.embedding, "E");
    add(network.context, "T");
    return all;
}

std::string unwritten_hint(std::span<const double> ours, const Shape& shape, std::vector<View> reads) {
    std::ranges::sort(reads, {}, &View::name);
    const auto is_unwritten = [](double x) { return std::isnan(x); };  // the pattern of memory is a NaN
    const auto first = static_cast<std::size_t>(std::ranges::find_if(ours, is_unwritten) - ours.begin());
    if (shape.size() != 1 || first == 0 || !std::ranges::all_of(ours.subspan(first), is_unwritten)) {
        return "";
    }
    for (const View& read : reads) {
        const bool is_rows = read.shape.size() == 2 && read.shape[0] == first && read.shape[1] == shape[0];
        if (is_rows || (read.shape.size() == 2 && read.shape[1] == first && read.shape[0] == shape[0])) {
            const std::string k = std::to_string(first);
            std::string text = "nothing is written from element " + k + " on, and ";
            text += read.name;
            text += " has " + k;
            return text + (is_rows ? " rows" : " columns") + ": a sum over the wrong axis?";
        }
    }
    return "";
}

std::string general_part(const std::string& hint) {
    constexpr std::string_view kEquals = " = ", kAmount = "off by the same amount everywhere";
    if (hint.starts_with(kAmount)) {
        return std::string(kAmount);
    }
    const std::size_t equals = hint.find(kEquals);
    const bool is_general = hint == kAllZero || hint.starts_with("off by ") || hint.ends_with(" the right answer");
    return !is_general ? "" : equals == std::string::npos ? hint : hint.substr(equals + kEquals.size());
}

std::string hint(std::span<const double> ours, std::span<const double> exact, std::span<const double> limits,
                 const Shape& shape, const std::vector<Extent>& extents) {
    const Grid grid{shape.empty() ? 1 : shape.front(), shape.empty() ? 1 : shape.back(), ours.size()};
    const std::optional<Elements> all = all_finite(ours, exact, limits);
    Elements off = all.value_or(Elements());
    std::erase_if(off.which, [&](std::size_t i) { return std::abs(ours[i] - exact[i]) <= limits[i]; });
    if (off.which.empty()) {
        return "";
    }
    const std::string where = only_one(grid, shape, off.which);
    if (!where.empty()) {
        const std::string how = relation(off, extents);
        return how.empty() ? where : where + ": " + how;
    }
    const std::string how = relation(*all, extents);
    return how.empty() ? rearrangement(*all, grid, shape) : how;
}

bool explains(std::span<const double> expected, std::span<const double> ours, std::span<const double> exact,
              std::span<const double> limits) {
    const std::optional<Elements> all = all_finite(ours, exact, limits);
    const auto at = [](std::span<const double> values) { return [values](std::size_t i) { return values[i]; }; };
    return all && std::ranges::all_of(expected, [](double x) { return std::isfinite(x); }) &&
           explained(*all, at(expected), at(limits));
}

}  // namespace byhand
