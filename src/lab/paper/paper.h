// The report of an experiment as plain data: written to the terminal, as a page and as JSON by text.h, html.h and
// json.h.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/json.h"

namespace byhand::lab {

// A paragraph. Line breaks in it are kept, long lines are broken anew.
struct Text {
    std::string words;
};

// One cell of a table: as people read it, and its value for programs.
struct Cell {
    std::string shown;
    Json value;

    Cell(std::string words);  // NOLINT(google-explicit-constructor): rows are written as lists of words and figures
    Cell(const char* words);  // NOLINT(google-explicit-constructor)
};

// A number with so many decimals; "1.2e-07" where `digits` significant ones say more. Not finite: "nan", "inf".
Cell fixed(double value, int decimals);
Cell significant(double value, int digits);
Cell whole(std::size_t value);
// "7.3 %" of 0.073.
Cell percent(double share, int decimals = 1);
// "2.41 ± 0.02": a mean and its spread. The value is {"mean", "deviation"}.
Cell with_spread(const std::vector<double>& values, int decimals);

// The first column is set to the left, the others to the right.
struct Table {
    std::string title;
    std::vector<std::string> columns;
    std::vector<std::vector<Cell>> rows;  // as many cells each as there are columns
};

// Formulas that the experiment shows, by the functions of src/manual that compute them: their comments are the text.
struct Formulas {
    std::vector<std::string> functions;
};

using Block = std::variant<Text, Table, Formulas>;

enum class Style { line, points, both };

// A curve. With `low` and `high` a band from the one to the other lies behind it. All of x's size, or empty.
struct Series {
    std::string name;
    std::vector<double> x, y;
    std::vector<double> low, high;  // NOLINT(readability-redundant-member-init)
    Style style = Style::line;
};

struct Plot {
    std::string title, x_label, y_label;
    std::vector<Series> series;
    bool log_x = false, log_y = false;
    bool same_scale = false;  // one unit is as long on both axes
};

struct Paper {
    std::string experiment;
    std::string note;  // the notes it comes from: "note 3"
    std::string title;
    std::vector<Block> blocks;
    std::vector<Plot> plots;
    Json data = Json::object();  // fields of its own for --json
    // False where what is computed by hand and what LibTorch computes are not the same, by the bounds of rounding.
    bool agrees = true;
};

}  // namespace byhand::lab
