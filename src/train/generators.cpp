#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <random>
#include <sstream>
#include <string_view>

#include "train/saved_model.h"

namespace byhand {
namespace {

constexpr std::size_t kWordDigits = 8, kDoubleDigits = 16;
constexpr const char* kNone = "none";

// A number that spans the whole text and has no sign.
template <class Number>
std::optional<Number> number(std::string_view text, int base) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

constexpr std::size_t kWords = std::mt19937::state_size;

// libstdc++ writes and reads the words of the state and, after them, the index of the next.
std::string text_of(const std::mt19937& bits) {
    std::stringstream all;
    all << bits;
    std::string text;
    for (std::size_t i = 0; i <= kWords; ++i) {
        std::uint32_t word = 0;
        all >> word;
        text += i < kWords ? fmt::format("{:08x}", word) : " " + std::to_string(word);
    }
    return text;
}

std::optional<std::mt19937> bits_of(std::string_view text) {
    constexpr std::size_t kDigits = kWords * kWordDigits;
    if (text.size() <= kDigits || text[kDigits] != ' ') {
        return std::nullopt;
    }
    std::stringstream all;
    for (std::size_t i = 0; i < kWords; ++i) {
        const auto word = number<std::uint32_t>(text.substr(i * kWordDigits, kWordDigits), 16);
        if (!word) {
            return std::nullopt;
        }
        all << *word << ' ';
    }
    const auto next = number<std::size_t>(text.substr(kDigits + 1), 10);
    if (!next || *next > kWords) {
        return std::nullopt;
    }
    std::mt19937 bits;
    all << *next;
    all >> bits;
    return bits;
}

}  // namespace

std::string to_text(const PythonGenerator& generator) {
    return text_of(generator.bits);
}

std::string to_text(const TorchGenerator& generator) {
    const std::string normal =
        generator.next_normal ? fmt::format("{:016x}", std::bit_cast<std::uint64_t>(*generator.next_normal)) : kNone;
    return text_of(generator.bits) + " " + normal;
}

std::optional<PythonGenerator> python_from_text(const std::string& text) {
    const std::optional<std::mt19937> bits = bits_of(text);
    return bits ? std::optional(PythonGenerator{*bits}) : std::nullopt;
}

std::optional<TorchGenerator> torch_from_text(const std::string& text) {
    const std::size_t blank = text.rfind(' ');
    if (blank == std::string::npos) {
        return std::nullopt;
    }
    const std::optional<std::mt19937> bits = bits_of(std::string_view(text).substr(0, blank));
    const std::string_view normal = std::string_view(text).substr(blank + 1);
    const auto kept = normal.size() == kDoubleDigits ? number<std::uint64_t>(normal, 16) : std::nullopt;
    if (!bits || (!kept && normal != kNone)) {
        return std::nullopt;
    }
    TorchGenerator generator{*bits, std::nullopt};
    if (kept) {
        generator.next_normal = std::bit_cast<double>(*kept);
    }
    return generator;
}

}  // namespace byhand
