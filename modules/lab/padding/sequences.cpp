// Sequences as text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "lab/padding/padding.h"

namespace byhand::lab {
namespace {

constexpr std::string_view kPadding = "pad";

struct Row {
    std::string word;
    std::vector<double> numbers;  // none: padding
};
using Sequence = std::vector<Row>;

// A line of a file.
struct Line {
    std::string where;
    std::size_t number = 0;  // from 1

    [[noreturn]] void refuse(const std::string& what) const {
        throw InputError(fmt::format("{}:{}: {}", where, number, what));
    }
};

// The whole item, or nothing. What a double can't hold, being too large or too small, counts as infinite.
std::optional<double> number_of(std::string_view item) {
    double value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (end != item.data() + item.size() || error == std::errc::invalid_argument) {
        return std::nullopt;
    }
    return error == std::errc() ? value : HUGE_VAL;
}

std::string quoted(std::string_view item) {
    constexpr std::size_t kMost = 40;
    return "\"" + excerpt(item, kMost) + "\"";
}

void check_bytes(std::string_view text, const Line& line) {
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = first_code_point(text.substr(at));
        if (c.size == 0) {
            line.refuse(fmt::format("byte {} is not UTF-8; save the file as UTF-8", at + 1));
        }
        if (is_control(c.value) && c.value != U'\t') {
            line.refuse(fmt::format("byte {} is a control character ({}); take it out", at + 1,
                                    printable(text.substr(at, c.size))));
        }
        at += c.size;
    }
}

std::vector<std::string_view> items_of(std::string_view text, const Line& line) {
    std::vector<std::string_view> items;
    bool after_comma = false;
    for (std::size_t at = 0; (at = text.find_first_not_of(" \t", at)) != std::string_view::npos;) {
        if (text[at] == ',') {
            if (items.empty() || after_comma) {
                line.refuse("a comma with no number before it; write the number");
            }
            after_comma = true;
            ++at;
            continue;
        }
        const std::size_t end = std::min(text.find_first_of(" \t,", at), text.size());
        items.push_back(text.substr(at, end - at));
        after_comma = false;
        at = end;
    }
    if (after_comma) {
        line.refuse("a comma with no number after it; write the number, or take the comma out");
    }
    return items;
}

// Precondition: there is an item.
Row row_of(std::vector<std::string_view> items, const Line& line) {
    constexpr std::string_view kBeginsNumber = "0123456789+-.";
    Row row;
    if (kBeginsNumber.find(items.front().front()) == std::string_view::npos && !number_of(items.front())) {
        row.word = items.front();
        items.erase(items.begin());
    }
    if (row.word.size() > kLongestWord) {
        line.refuse(fmt::format("the word {} is longer than {} bytes; shorten it", quoted(row.word), kLongestWord));
    }
    if (row.word == kPadding && !items.empty()) {
        line.refuse("a row of padding is zeros and has no numbers of its own; write pad alone");
    }
    if (row.word != kPadding && items.empty()) {
        line.refuse(
            fmt::format("{} has no numbers after it; write them, or pad for a row of padding", quoted(row.word)));
    }
    for (const std::string_view item : items) {
        const std::optional<double> number = number_of(item);
        if (!number) {
            line.refuse(quoted(item) + " is not a number; write one like -1.5 or 2e3");
        }
        if (!(std::abs(*number) <= kLargestNumber)) {
            line.refuse(quoted(item) + " is out of range; write 0, or a number between 1e-300 and 1e9 in size");
        }
        row.numbers.push_back(*number);
    }
    return row;
}

SequenceBatch padded(std::vector<Sequence> sequences, std::size_t width, const std::string& where) {
    SequenceBatch batch{.sequences = sequences.size(), .width = width, .words = {}, .mask = {}, .x = {}};
    for (const Sequence& sequence : sequences) {
        batch.length = std::max(batch.length, sequence.size());
    }
    if (batch.sequences * batch.length > kMostBatchNumbers / width) {
        throw InputError(
            fmt::format("{}: {} sequences, padded to {} rows of {} numbers each, are more than {} "
                        "numbers; give fewer or shorter ones",
                        where, batch.sequences, batch.length, width, kMostBatchNumbers));
    }
    for (Sequence& sequence : sequences) {
        sequence.resize(batch.length, {std::string(kPadding), {}});
        for (Row& row : sequence) {
            batch.mask.push_back(row.numbers.empty() ? 0 : 1);
            row.numbers.resize(width);
            batch.x.insert(batch.x.end(), row.numbers.begin(), row.numbers.end());
            batch.words.push_back(std::move(row.word));
        }
    }
    return batch;
}

}  // namespace

SequenceBatch read_sequences(std::string_view text, const std::string& where) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    Line line{printable(where)};
    text.remove_prefix(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    std::vector<Sequence> sequences(1);                       // the last is being read
    std::size_t rows = 0, real = 0, width = 0, its_line = 0;  // the first row of numbers sets the width
    while (!text.empty()) {
        std::string_view row_text = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(row_text.size() + 1, text.size()));
        row_text.remove_suffix(row_text.ends_with('\r') ? 1 : 0);
        ++line.number;
        check_bytes(row_text, line);
        const std::vector<std::string_view> items = items_of(row_text, line);
        if (items.empty()) {
            if (!sequences.back().empty()) {
                sequences.emplace_back();
            }
            continue;
        }
        Row row = row_of(items, line);
        if (!row.numbers.empty() && real++ == 0) {
            width = row.numbers.size();
            its_line = line.number;
        }
        if (!row.numbers.empty() && row.numbers.size() != width) {
            line.refuse(fmt::format("numbers: {}, where line {} has {}; give every row as many", row.numbers.size(),
                                    its_line, width));
        }
        if (row.word.empty()) {
            row.word = fmt::format("{}.{}", sequences.size(), sequences.back().size() + 1);
        }
        sequences.back().push_back(std::move(row));
        if (++rows > kMostBatchNumbers / std::max<std::size_t>(1, width)) {
            line.refuse(fmt::format("more than {} numbers; give fewer or shorter sequences", kMostBatchNumbers));
        }
    }
    if (sequences.back().empty()) {
        sequences.pop_back();
    }
    if (real < 2) {
        throw InputError(line.where + (real == 0 ? ": no row of numbers; give a row a line, and an empty line between "
                                                   "sequences"
                                                 : ": one row of numbers, and a deviation takes two; give more"));
    }
    return padded(std::move(sequences), width, line.where);
}

}  // namespace byhand::lab
