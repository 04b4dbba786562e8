// Columns of text under each other, for people, with colours for a terminal that shows them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/lines.h"

namespace byhand::report {

inline constexpr const char *kBold = "\x1b[1m", *kRed = "\x1b[1;31m", *kGreen = "\x1b[32m", *kYellow = "\x1b[33m";

inline std::string painted(const std::string& text, const std::string& escape, bool colour) {
    return colour ? escape + text + "\x1b[0m" : text;
}

inline std::string figure(const std::optional<double>& value) {
    return value ? fmt::format("{:.1e}", *value) : "-";
}

inline std::string whole(std::uint64_t n) {
    return n < 10'000'000 ? std::to_string(n) : fmt::format("{:.1e}", static_cast<double>(n));
}

// One line of a table, and what stands under it.
template <std::size_t Columns>
struct Row {
    std::array<std::string, Columns> cells;
    std::string escape;                   // of the verdict's cell
    std::vector<std::string> notes = {};  // NOLINT(readability-redundant-member-init): it may be left out
    int rank = 0;                         // culprits 0, what is no agreement 1, the rest 2
};

enum class Align { left, right };

template <std::size_t Columns>
class Table {
public:
    Table(std::array<std::string, Columns> header, std::array<Align, Columns> align, std::size_t verdict, bool colour)
        : header_(std::move(header)), align_(align), verdict_(verdict), colour_(colour) {}

    void begin(const std::string& title) { sections_.push_back({title, {}}); }
    void add(Row<Columns> row) { sections_.back().rows.push_back(std::move(row)); }

    // Culprits first, then what else is no agreement; one width for all sections.
    std::string text() {
        widths_ = {};
        measure(header_);
        for (Section& section : sections_) {
            std::ranges::stable_sort(section.rows, {}, &Row<Columns>::rank);
            for (const Row<Columns>& row : section.rows) {
                measure(row.cells);
            }
        }
        std::string text;
        for (const Section& section : sections_) {
            text += painted(section.title, kBold, colour_) + "\n" + line(header_, "");
            for (const Row<Columns>& row : section.rows) {
                text += line(row.cells, row.escape);
                for (const std::string& note : row.notes) {
                    text += "      " + note + "\n";
                }
            }
        }
        return text;
    }

private:
    struct Section {
        std::string title;
        std::vector<Row<Columns>> rows;
    };

    // The last column stands free: nothing is aligned after it.
    void measure(const std::array<std::string, Columns>& cells) {
        for (std::size_t i = 0; i < Columns; ++i) {
            widths_[i] = std::max(widths_[i], width_of(cells[i]));
        }
    }

    std::string line(const std::array<std::string, Columns>& cells, const std::string& escape) const {
        std::string text;
        std::size_t missing = 0;  // spaces that are written only where something follows
        for (std::size_t i = 0; i < Columns; ++i) {
            missing += 2;
            const std::size_t padding = widths_[i] - width_of(cells[i]);
            if (align_[i] == Align::right) {
                missing += padding;
            }
            if (!cells[i].empty()) {
                text.append(missing, ' ');
                text += i == verdict_ && !escape.empty() ? painted(cells[i], escape, colour_) : cells[i];
                missing = 0;
            }
            if (align_[i] == Align::left) {
                missing += padding;
            }
        }
        return text + "\n";
    }

    std::array<std::string, Columns> header_;
    std::array<Align, Columns> align_;
    std::size_t verdict_;
    bool colour_;
    std::vector<Section> sections_;
    std::array<std::size_t, Columns> widths_{};
};

}  // namespace byhand::report
