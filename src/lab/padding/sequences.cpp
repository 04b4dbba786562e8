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
constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct Row {
    std::string word;
    std::vector<double> numbers;  // none: padding
};
using Sequence = std::vector<Row>;

// The whole item, or nothing. What a double can't hold, being too large or too small, counts as infinite.
std::optional<double> number_of(std::string_view item) {
    double value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (end != item.data() + item.size() || error == std::errc::invalid_argument) {
        return std::nullopt;
    }
    return error == std::errc() ? value : HUGE_VAL;
}

bool is_word(std::string_view item) {
    constexpr std::string_view kBeginsNumber = "0123456789+-.";
    return kBeginsNumber.find(item.front()) == std::string_view::npos && !number_of(item);
}

std::string quoted(std::string_view item) {
    constexpr std::size_t kMost = 40;
    return "\"" + printable(item.substr(0, kMost)) + (item.size() > kMost ? "…\"" : "\"");
}

class Reader {
public:
    explicit Reader(const std::string& where) : where_(printable(where)) {}

    void take(std::string_view line);
    SequenceBatch finish();

private:
    void check_bytes(std::string_view line) const;
    std::vector<std::string_view> items_of(std::string_view line) const;
    Row row_of(const std::vector<std::string_view>& items);
    void end_sequence() {
        if (!current_.empty()) {
            sequences_.push_back(std::exchange(current_, {}));
        }
    }
    [[noreturn]] void refuse(const std::string& what) const {
        throw InputError(fmt::format("{}:{}: {}", where_, line_, what));
    }
    [[noreturn]] void refuse_all(const std::string& what) const { throw InputError(where_ + ": " + what); }

    std::string where_;
    std::size_t line_ = 0;                  // in hand, from 1
    std::size_t rows_ = 0, real_rows_ = 0;  // so far
    std::size_t width_ = 0;                 // 0: no row of numbers so far
    std::size_t first_ = 0;                 // the line of the row that set it
    Sequence current_;
    std::vector<Sequence> sequences_;
};

void Reader::check_bytes(std::string_view line) const {
    for (std::size_t at = 0; at < line.size();) {
        const CodePoint c = first_code_point(line.substr(at));
        if (c.size == 0) {
            refuse(fmt::format("byte {} is not UTF-8; save the file as UTF-8", at + 1));
        }
        if (is_control(c.value) && c.value != U'\t') {
            refuse(fmt::format("byte {} is a control character ({}); take it out", at + 1,
                               printable(line.substr(at, c.size))));
        }
        at += c.size;
    }
}

std::vector<std::string_view> Reader::items_of(std::string_view line) const {
    std::vector<std::string_view> items;
    bool wanted = false;  // after a comma
    for (std::size_t at = 0; (at = line.find_first_not_of(kBlanks, at)) != std::string_view::npos;) {
        if (line[at] == ',') {
            if (items.empty() || wanted) {
                refuse("a comma with no number before it; write the number");
            }
            wanted = true;
            ++at;
            continue;
        }
        const std::size_t end = std::min(line.find_first_of(" \t,", at), line.size());
        items.push_back(line.substr(at, end - at));
        wanted = false;
        at = end;
    }
    if (wanted) {
        refuse("a comma with no number after it; write the number, or take the comma out");
    }
    return items;
}

// Precondition: there is an item.
Row Reader::row_of(const std::vector<std::string_view>& items) {
    Row row;
    std::size_t next = 0;
    if (is_word(items.front())) {
        row.word = items.front();
        ++next;
    }
    if (row.word.size() > kLongestWord) {
        refuse(fmt::format("the word {} is longer than {} bytes; shorten it", quoted(row.word), kLongestWord));
    }
    if (row.word == kPadding) {
        if (items.size() > 1) {
            refuse("a row of padding is zeros and has no numbers of its own; write pad alone");
        }
        return row;
    }
    if (next == items.size()) {
        refuse(fmt::format("{} has no numbers after it; write them, or pad for a row of padding", quoted(row.word)));
    }
    row.numbers.reserve(items.size() - next);
    for (; next < items.size(); ++next) {
        const std::optional<double> number = number_of(items[next]);
        if (!number) {
            refuse(quoted(items[next]) + " is not a number; write one like -1.5 or 2e3");
        }
        if (!(std::abs(*number) <= kLargestNumber)) {
            refuse(quoted(items[next]) + " is out of range; write 0, or a number between 1e-300 and 1e9 in size");
        }
        row.numbers.push_back(*number);
    }
    return row;
}

void Reader::take(std::string_view line) {
    ++line_;
    if (line_ == 1 && line.starts_with(kByteOrderMark)) {
        line.remove_prefix(kByteOrderMark.size());
    }
    if (line.ends_with('\r')) {
        line.remove_suffix(1);
    }
    check_bytes(line);
    const std::vector<std::string_view> items = items_of(line);
    if (items.empty()) {
        end_sequence();
        return;
    }
    Row row = row_of(items);
    const bool is_real = !row.numbers.empty();
    real_rows_ += is_real ? 1 : 0;
    if (is_real && width_ == 0) {
        width_ = row.numbers.size();
        first_ = line_;
    }
    if (is_real && row.numbers.size() != width_) {
        refuse(fmt::format("numbers: {}, where line {} has {}; give every row as many", row.numbers.size(), first_,
                           width_));
    }
    if (row.word.empty()) {
        row.word = fmt::format("{}.{}", sequences_.size() + 1, current_.size() + 1);
    }
    current_.push_back(std::move(row));
    if (++rows_ > kMostBatchNumbers / std::max<std::size_t>(1, width_)) {
        refuse(fmt::format("more than {} numbers; give fewer or shorter sequences", kMostBatchNumbers));
    }
}

SequenceBatch Reader::finish() {
    end_sequence();
    if (width_ == 0) {
        refuse_all("no row of numbers; give a row a line, and an empty line between sequences");
    }
    if (real_rows_ < 2) {
        refuse_all("one row of numbers, and a deviation takes two; give more");
    }
    SequenceBatch batch{.sequences = sequences_.size(), .width = width_, .words = {}, .mask = {}, .x = {}};
    for (const Sequence& sequence : sequences_) {
        batch.length = std::max(batch.length, sequence.size());
    }
    const std::size_t rows = batch.sequences * batch.length;
    if (rows > kMostBatchNumbers / batch.width) {
        refuse_all(
            fmt::format("{} sequences, padded to {} rows of {} numbers each, are more than {} numbers; give "
                        "fewer or shorter ones",
                        batch.sequences, batch.length, batch.width, kMostBatchNumbers));
    }
    batch.x.resize(rows * batch.width);
    for (Sequence& sequence : sequences_) {
        sequence.resize(batch.length, {std::string(kPadding), {}});
        for (Row& row : sequence) {
            std::ranges::copy(row.numbers,
                              batch.x.begin() + static_cast<std::ptrdiff_t>(batch.words.size() * batch.width));
            batch.mask.push_back(row.numbers.empty() ? 0 : 1);
            batch.words.push_back(std::move(row.word));
        }
    }
    return batch;
}

}  // namespace

SequenceBatch read_sequences(std::string_view text, const std::string& where) {
    Reader reader(where);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        reader.take(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return reader.finish();
}

}  // namespace byhand::lab
