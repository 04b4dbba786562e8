#include "harness/isolated/draws.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/hash.h"
#include "base/value.h"

namespace byhand {
namespace {

using Generator = std::mt19937_64;

// Moved into the range by its sign, or by its distance from the nearer end.
float within(const ValueRange& range, float x) {
    const auto low = static_cast<float>(range.low), high = static_cast<float>(range.high);
    if (x < low && (-x <= high || low >= 0)) {
        x = -x;
    }
    if (x > high && -x >= low) {
        x = -x;
    }
    if (x < low && high == std::numeric_limits<float>::infinity()) {
        x = low + x;  // a sum of probabilities, at least 1
    }
    return std::clamp(x, low, high);
}

// A magnitude from 1/16 to 1 and a sign. (The standard library's distributions differ between machines.)
float random_number(Generator& generator) {
    const std::uint64_t bits = generator();
    const float magnitude = 1.0F / 16 + 15.0F / 16 * (static_cast<float>(bits >> 40) * 0x1p-24F);
    return bits % 2 == 1 ? -magnitude : magnitude;
}

std::size_t random_below(std::size_t count, Generator& generator) {
    return static_cast<std::size_t>(generator() >> 11) % count;
}

std::vector<float> random_numbers(std::size_t count, float scale, const ValueRange& range, Generator& generator) {
    std::vector<float> numbers(count);
    std::ranges::generate(numbers, [&] { return within(range, scale * random_number(generator)); });
    return numbers;
}

// Binary exponents, on both signs.
struct Octaves {
    int low, high;

    std::size_t count() const { return 2 * static_cast<std::size_t>(high - low + 1); }
    // Of the exponent and sign number `i`: a random mantissa.
    float number(std::size_t i, Generator& generator) const {
        const std::size_t which = i % count();
        const float mantissa = 1 + static_cast<float>(generator() >> 41) * 0x1p-23F;
        const float magnitude = std::ldexp(mantissa, low + static_cast<int>(which / 2));
        return which % 2 == 0 ? magnitude : -magnitude;
    }
};
constexpr Octaves kNear{-10, 10}, kAll{-40, 40};

Octaves octaves_of(Drawn how) {
    return how == Drawn::octaves || how == Drawn::differences ? kNear : kAll;
}

bool is_difference(Drawn how) {
    return how == Drawn::differences || how == Drawn::all_differences;
}

bool has_lines(Drawn how) {
    return how == Drawn::lines || is_difference(how);
}

// A way of drawing in reports, and the scale of its random numbers.
struct Way {
    const char* text = "";
    Drawn how = Drawn::random;
    float scale = 1;
};
constexpr Way kWays[] = {
    {"random values", Drawn::random},
    {"values around 1e-6", Drawn::small, 0x1p-20F},
    {"values around 1e6", Drawn::large, 0x1p20F},
    {"values around 1e-30", Drawn::minute, 0x1p-100F},
    {"values around 1e12", Drawn::vast, 0x1p40F},
    {"values around 1e18", Drawn::huge, 0x1p60F},
    {"values around 1e35", Drawn::enormous},
    {"values close to each other", Drawn::close},
    {"values from 1e-3 to 1e3", Drawn::octaves},
    {"values from 1e-12 to 1e12", Drawn::all_octaves},
    {"that differ by 1e-3 to 1e3", Drawn::differences},
    {"that differ by 1e-12 to 1e12", Drawn::all_differences},
    {"zeros, subnormal and saturated values", Drawn::special},
    {"all negative, equal, one-hot, with ties", Drawn::lines},
    {"some NaN", Drawn::nan},
    {"some ±∞", Drawn::infinite},
    {"every index", Drawn::every},
    {"index 0 only", Drawn::first},
    {"the last index only", Drawn::last},
    {"index 0 only in", Drawn::first_in_row},
    {"the last index only in", Drawn::last_in_row},
};

static_assert(std::size(kWays) == static_cast<std::size_t>(Drawn::last_in_row) + 1);

const Way& way_of(Drawn how) {
    return *std::ranges::find(kWays, how, &Way::how);
}

// At random places.
std::vector<float> octave_numbers(std::size_t count, const ValueRange& range, const Draw& draw, Generator& generator) {
    const Octaves octaves = octaves_of(draw.how);
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) {
        numbers[i] = within(range, octaves.number(draw.from + i, generator));
        std::swap(numbers[i], numbers[random_below(i + 1, generator)]);
    }
    return numbers;
}

// The lines of an array along an axis, counted from the last: element i of line l is at place(l, i).
struct Lines {
    std::size_t count = 0, width = 0, stride = 1;

    Lines(const Shape& shape, std::size_t axis) {
        if (axis < shape.size()) {
            width = shape[shape.size() - 1 - axis];
            for (std::size_t a = 0; a < axis; ++a) {
                stride *= shape[shape.size() - 1 - a];
            }
            count = width == 0 ? 0 : byhand::count(shape) / width;
        }
    }
    std::size_t place(std::size_t line, std::size_t i) const {
        return line / stride * stride * width + line % stride + i * stride;
    }
};

// In each line one element lies above all others, or below, by an octave each. Adjacent lines differ in which. `from`
// is twice the first octave, and one more to exchange above and below.
std::vector<float> differing_numbers(const Shape& shape, const ValueRange& range, const Draw& draw,
                                     Generator& generator) {
    const Octaves octaves = octaves_of(draw.how);
    const Lines lines(shape, draw.axis);
    std::vector<float> numbers(count(shape));
    std::size_t next[] = {draw.from / 2, draw.from / 2};
    for (std::size_t line = 0; line < lines.count; ++line) {
        const float end = draw.how == Drawn::differences ? random_number(generator) : 0;
        const bool below = (line + draw.from) % 2 == 0;
        const std::size_t here = random_below(lines.width, generator);
        for (std::size_t i = 0; i < lines.width; ++i) {
            const float off = i == here ? 0 : octaves.number(2 * next[below ? 0 : 1]++, generator);
            numbers[lines.place(line, i)] = within(range, below ? end - off : end + off);
        }
    }
    return numbers;
}

// tanh is 1 in float from 9.011 on, exp overflows at 88.73 and underflows at −103.98.
constexpr float kSpecial[] = {0,       1,        0x1p-149F, 0x1p-127F, 0x1p-126F, 0x1p-24F, 0x1p-12F, 0.5F,
                              0.9999F, 1.00001F, 3,         9,         9.1F,      20,       87.9F,    89.1F,
                              103,     105,      151,       999.5F,    0x1p20F,   0x1p-60F, 0x1p40F,  0.999999F};

// Every other row is all negative: its maximum lies below any initial value of a search.
std::vector<float> enormous_numbers(const Shape& shape, const ValueRange& range, Generator& generator) {
    const std::size_t columns = shape.empty() ? 1 : shape.back();
    std::vector<float> numbers = random_numbers(count(shape), 0x1p118F, {}, generator);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = within(range, i / columns % 2 == 0 ? -std::abs(numbers[i]) : numbers[i]);
    }
    return numbers;
}

std::vector<float> close_numbers(std::size_t count, const ValueRange& range, Generator& generator) {
    std::vector<float> numbers(count);
    std::ranges::generate(numbers, [&] { return within(range, 1000 + 0x1p-10F * random_number(generator)); });
    return numbers;
}

std::vector<float> special_choice(const ValueRange& range) {
    std::vector<float> choice;
    for (const float x : kSpecial) {
        choice.push_back(within(range, x));
        choice.push_back(within(range, -x));
    }
    for (const double end : {range.low, range.high}) {
        if (std::isfinite(end)) {
            const auto at = static_cast<float>(end), inside = end == range.low ? at + 1 : at - 1;
            const float beside = std::nextafter(at, inside);
            // Half of all values at the ends: a saturated unit.
            for (std::size_t i = 0; i < std::size(kSpecial) / 2; ++i) {
                choice.push_back(i % 3 == 0 ? at : i % 3 == 1 ? beside : std::nextafter(beside, inside));
            }
        }
    }
    return choice;
}

// All of them if there is room.
std::vector<float> special_draw(std::size_t count, const ValueRange& range, const Draw& draw, Generator& generator) {
    std::vector<float> choice = special_choice(range);
    if (count < choice.size() && !draw.only.empty()) {
        std::ranges::rotate(choice, choice.begin() + static_cast<std::ptrdiff_t>(draw.from % choice.size()));
        return {choice.begin(), choice.begin() + static_cast<std::ptrdiff_t>(count)};
    }
    std::vector<float> numbers(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t from = i % choice.size();
        std::swap(choice[from], choice[from + random_below(choice.size() - from, generator)]);
        numbers[i] = choice[from];
    }
    return numbers;
}

constexpr std::size_t kPatterns = 15;

// One row, or one column, of `width` numbers.
std::vector<float> pattern(std::size_t which, std::size_t width, Generator& generator) {
    std::vector<float> row = random_numbers(width, 1, {}, generator);
    const std::size_t here = random_below(width, generator);
    const std::size_t there = width > 1 ? (here + 1 + random_below(width - 1, generator)) % width : here;
    const float x = random_number(generator);
    switch (which % kPatterns) {
        case 0:  // all negative
            std::ranges::transform(row, row.begin(), [](float y) { return -std::abs(y); });
            break;
        case 1:  // all positive
            std::ranges::transform(row, row.begin(), [](float y) { return std::abs(y); });
            break;
        case 2:  // two maxima
            row[here] = row[there] = 1.25F;
            break;
        case 3:  // two maxima, all negative
            std::ranges::transform(row, row.begin(), [](float y) { return -std::abs(y) - 2; });
            row[here] = row[there] = -1.5F;
            break;
        case 4:  // all equal
            std::ranges::fill(row, x);
            break;
        case 5:  // one-hot
            std::ranges::fill(row, 0.0F);
            row[here] = 1;
            break;
        case 6:
            std::ranges::fill(row, 0.0F);
            break;
        case 7:  // 0 and −0
            std::ranges::transform(row, row.begin(), [](float y) { return std::copysign(0.0F, y); });
            break;
        case 8:  // neighbours
            std::ranges::fill(row, x);
            row[here] = std::nextafter(x, 2.0F);
            break;
        case 9:  // one far above the others
            row[here] += 200;
            break;
        case 10:              // one far below
            row[here] -= 80;  // its exp is not yet 0
            break;
        case 11:  // descending: the maximum is the first
            std::ranges::sort(row, std::greater<>());
            break;
        case 12:  // ascending: it is the last
            std::ranges::sort(row);
            break;
        case 13:  // all negative, in the millions
            std::ranges::transform(row, row.begin(), [](float y) { return -0x1p20F * (1 + std::abs(y)); });
            break;
        default:  // far from zero, all on one side
            std::ranges::transform(row, row.begin(), [x](float y) { return std::copysign(150.0F, x) + y; });
    }
    return row;
}

std::vector<float> patterned(const Shape& shape, const ValueRange& range, const Draw& draw, Generator& generator) {
    const Lines lines(shape, draw.axis);
    std::vector<float> numbers(count(shape));
    for (std::size_t line = 0; line < lines.count; ++line) {
        const std::vector<float> one = pattern(draw.from + line, lines.width, generator);
        for (std::size_t i = 0; i < one.size(); ++i) {
            numbers[lines.place(line, i)] = within(range, one[i]);
        }
    }
    return numbers;
}

// Random numbers, with these at random places instead, in turn.
std::vector<float> with_some(std::vector<float> numbers, const std::vector<float>& others, const ValueRange& range,
                             Generator& generator) {
    constexpr std::size_t kEvery = 32;
    for (std::size_t i = 0; i < numbers.size(); i += kEvery) {
        numbers[random_below(numbers.size(), generator)] = within(range, others[i / kEvery % others.size()]);
    }
    return numbers;
}

std::vector<float> numbers_of(const TensorSpec& spec, const ValueRange& range, const Draw& draw, Generator& generator) {
    const std::size_t elements = count(spec.shape);
    if (elements == 0) {
        return {};
    }
    const auto scaled = [&](float scale) { return random_numbers(elements, scale, range, generator); };
    if (has_lines(draw.how) && Lines(spec.shape, draw.axis).width < 2) {
        return scaled(1);
    }
    switch (draw.how) {
        case Drawn::enormous:
            return enormous_numbers(spec.shape, range, generator);
        case Drawn::octaves:
        case Drawn::all_octaves:
            return octave_numbers(elements, range, draw, generator);
        case Drawn::differences:
        case Drawn::all_differences:
            return differing_numbers(spec.shape, range, draw, generator);
        case Drawn::close:
            return close_numbers(elements, range, generator);
        case Drawn::nan:
            return with_some(scaled(1), {std::numeric_limits<float>::quiet_NaN()}, range, generator);
        case Drawn::infinite:
            return with_some(scaled(1),
                             {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}, range,
                             generator);
        case Drawn::special:
            return special_draw(elements, range, draw, generator);
        case Drawn::lines:
            return patterned(spec.shape, range, draw, generator);
        default:
            return scaled(way_of(draw.how).scale);
    }
}

// The index in a single row is in none of the others.
std::vector<std::int64_t> indices_of(const TensorSpec& spec, const Draw& draw, std::size_t vocabulary,
                                     Generator& generator) {
    std::vector<std::int64_t> indices(count(spec.shape));
    const std::size_t rows = spec.shape.empty() ? 1 : spec.shape.front();
    const std::size_t row = draw.from * (rows - 1) / (kRowsInTurn - 1);  // of first_in_row and last_in_row
    for (std::size_t i = 0; i < indices.size(); ++i) {
        const std::size_t random = random_below(vocabulary, generator),
                          other = random % std::max<std::size_t>(1, vocabulary - 1);
        const bool here = i / (indices.size() / rows) == row;
        indices[i] = static_cast<std::int64_t>([&] {
            switch (draw.how) {
                case Drawn::every:
                    return (draw.from + i) % vocabulary;
                case Drawn::first:
                    return std::size_t{0};
                case Drawn::last:
                    return vocabulary - 1;
                case Drawn::first_in_row:
                    return here ? 0 : other + 1;
                case Drawn::last_in_row:
                    return here ? vocabulary - 1 : other;
                default:
                    return random;
            }
        }());
    }
    return indices;
}

// "rows ", "columns ", "lines along axis −3 "
std::string lines_of(const Draw& draw) {
    return !has_lines(draw.how) ? ""
           : draw.axis == 0     ? "rows "
           : draw.axis == 1     ? "columns "
                                : "lines along axis −" + std::to_string(draw.axis + 1) + " ";
}

// " the last row"
const char* row_of(const Draw& draw) {
    constexpr const char* kRows[kRowsInTurn] = {" the first row", " a middle row", " the last row"};
    return draw.how == Drawn::first_in_row || draw.how == Drawn::last_in_row ? kRows[draw.from] : "";
}

double with_more_digits(double x) {
    constexpr std::uint64_t kFew = (std::uint64_t{1} << 41) - 1;  // bits that a number of 12 binary digits leaves 0
    const auto bits = std::bit_cast<std::uint64_t>(x);
    if ((bits & kFew) == 0 || !(std::abs(x) >= static_cast<double>(std::numeric_limits<float>::min()))) {
        return x;
    }
    // Off by 2^-27 to 2^-26 of it: a float is rounded from what is within 2^-25.
    const std::uint64_t random = mixed(bits);
    const double off = (1 + static_cast<double>(random >> 11) * 0x1p-53) * 0x1p-27;
    return x * (1 + (random % 2 == 0 ? off : -off));
}

}  // namespace

std::string describe(const Draw& draw) {
    return lines_of(draw) + way_of(draw.how).text + row_of(draw) +
           (draw.gradients      ? " in all gradients"
            : draw.only.empty() ? ""
                                : " in " + draw.only);
}

std::vector<Draw> each_in_turn(Draw draw, const Shape& shape, std::size_t most) {
    const Lines lines(shape, draw.axis);
    if (count(shape) == 0 || (has_lines(draw.how) && lines.width < 2)) {
        return {};
    }
    const bool differ = is_difference(draw.how);
    // A single line lies below, or above.
    const std::size_t alone = differ && lines.count == 1 ? 2 : 1;
    const std::size_t kinds = draw.how == Drawn::lines ? kPatterns : octaves_of(draw.how).count() / (differ ? 2 : 1);
    const std::size_t at_once = draw.how == Drawn::lines ? lines.count
                                : differ                 ? std::max<std::size_t>(1, lines.count / 2) * (lines.width - 1)
                                                         : count(shape);
    const std::size_t needed = alone * ((kinds + at_once - 1) / at_once), draws = std::min(needed, most);
    std::vector<Draw> all;
    for (std::size_t i = 0; i < draws; ++i) {
        const std::size_t first = draws == needed ? i / alone * at_once : i * kinds / draws;
        draw.from = differ ? 2 * first + i % alone : first;
        all.push_back(draw);
    }
    return all;
}

std::size_t special_numbers(const ValueRange& range) {
    return special_choice(range).size();
}

Tensors<double> draw(const std::vector<TensorSpec>& specs, const std::map<std::string, ValueRange>& ranges,
                     const Draw& draw, std::size_t vocabulary, std::uint64_t seed,
                     const std::set<std::string>& indices) {
    Generator generator(seed);
    Tensors<double> values;
    for (const TensorSpec& spec : specs) {
        const bool is_meant = draw.gradients ? value_of(spec.name).kind == ValueKind::gradient
                                             : draw.only.empty() || draw.only == spec.name;
        Draw own = is_meant ? draw : Draw{};
        if (own.how == Drawn::lines && draw.only.empty()) {
            own.from += 4 * values.views().size();  // lines of several values are of several kinds
        }
        if (indices.contains(spec.name)) {
            values.put(spec, indices_of(spec, own, vocabulary, generator));
            continue;
        }
        const auto known = ranges.find(spec.name);
        values.put(spec, numbers_of(spec, known != ranges.end() ? known->second : ValueRange{}, own, generator));
    }
    return values;
}

Tensors<double> with_digits_of_doubles(Tensors<double> values) {
    values.change_numbers([](double x, std::size_t) { return with_more_digits(x); });
    return values;
}

}  // namespace byhand
