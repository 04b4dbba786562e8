// The result of a command, as plain data: written as text, as a page, as CSV, as JUnit XML and as plots by
// writers.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace byhand {

// What a verdict says, shown as a colour, and in pages as a sign too: disagreement (of a root cause, inherited from
// one, or neither), nothing for or against, agreement (within a limit, or to the bit).
enum class Mark { culprit, inherited, bad, open, good, exact, none };

inline bool is_bad(Mark mark) {
    return mark <= Mark::bad;
}

// A page shows conclusions under its title; text shows them, like headings, as paragraphs in their place.
enum class TextRole { paragraph, conclusion, heading };

// A paragraph. Its line breaks are kept, and long lines are wrapped. `lead` stands before the words, in the mark's
// colour; `code` below them, its lines as they are.
struct Text {
    std::string words;
    std::string lead = {};
    Mark mark = Mark::none;
    std::string code = {};
    TextRole role = TextRole::paragraph;
};

Text as_conclusion(std::string words, std::string lead = {}, Mark mark = Mark::none);

// One cell of a table: its text for people, and its value for programs. A page shows the image, if there is one, in the
// place of the text.
struct Cell {
    std::string shown;
    Json value;
    Mark mark = Mark::none;
    std::string svg = {};

    Cell(std::string words);  // NOLINT(google-explicit-constructor): rows are written as lists of words and figures
    Cell(const char* words);  // NOLINT(google-explicit-constructor)
    Cell(std::string words, Json number, Mark its_mark = Mark::none);
};

// A number with this many decimals; "1.2e-07" if `digits` significant digits are more precise. Not finite: "nan",
// "inf".
Cell fixed(double value, int decimals);
Cell significant(double value, int digits);
// "1.25e-03", whatever its size; none() where it is not known.
Cell scientific(const std::optional<double>& value, int decimals);
Cell whole(std::size_t value);
// "7.3 %" of 0.073.
Cell percent(double share, int decimals = 1);
// What is not known: "–", null.
Cell none();
Json text_or_null(const std::string& text);  // null if it is empty

enum class Align {
    left,
    right,
    below,   // to the left, and in text on separate lines under the row: for long texts
    hidden,  // for programs only
};

// A column by its title, and by its key for programs, which is by default the title in lower case, with "_" for
// everything except letters and digits. A column with an empty key is for people only. A key "worst.index" is the
// member "index" of an object "worst" in JSON, and "worst_index" in CSV. A page shows the image in the place of the
// title.
struct Column {
    std::string title, key;
    Align align = Align::right;  // ignored for the first column, which is aligned to the left
    // Text drops columns of a table that is wider than the terminal, in this order, from 1; never those of 0.
    std::size_t drop_order = 0;
    std::string svg = {};

    Column(const char* its_title);  // NOLINT(google-explicit-constructor): columns are written as lists of titles
    Column(std::string its_title);  // NOLINT(google-explicit-constructor)
    Column(std::string its_title, std::string its_key, Align its_align = Align::right, std::size_t its_drop_order = 0);
};

struct Block;

// Blocks that a page shows when their line is opened, which a link to `id` does too; text has only the line.
struct Details {
    std::string summary;  // the line
    std::vector<Block> blocks;
    std::string id = {};
    bool is_open = false;
    std::string group = {};  // of a row of a table: a heading stands above the first row of each group
};

// Without titles of columns it has no heading; with hidden columns alone it is for programs only.
struct Table {
    std::string title;
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;  // each with as many cells as there are columns
    bool worst_first = false;             // in text and pages: rows with a bad cell first, those with an open one last
    std::vector<Details> details = {};    // in pages: of each row, which is their line; or empty
};

// The indices of the rows in the order in which people read them.
std::vector<std::size_t> order_of_rows(const Table& table);

// An object for each row: the values by the columns' keys. An object within it is null where all its members are.
Json json_of_rows(const Table& table);

inline bool is_left(const Table& table, std::size_t column) {
    return column == 0 || table.columns[column].align != Align::right;
}

// A function of src/manual, with the comment that is its formula and its location, "src/manual/tanh/formulas.h:12".
struct ShownFormula {
    std::string function;
    std::string formula, place;

    ShownFormula(const char* name) : function(name) {}  // NOLINT(google-explicit-constructor): lists of names
    ShownFormula(std::string name) : function(std::move(name)) {}  // NOLINT(google-explicit-constructor)
};

struct Formulas {
    std::vector<ShownFormula> formulas;
};

// An image in SVG, or several beside one another, with a note below; or the note alone. Text has none.
struct Figure {
    std::string caption, svg;
    std::string note = {};
};

struct Block : std::variant<Text, Table, Formulas, Figure, Details> {
    using variant::variant;
};

enum class Style { line, points, both };

// A curve. With `low` and `high`, a band between the two is drawn behind it. All of x's size, or empty.
struct Series {
    std::string name;
    std::vector<double> x, y;
    std::vector<double> low, high;
    Style style = Style::line;
};

struct Plot {
    std::string title, x_label, y_label;
    std::vector<Series> series;
    bool log_x = false, log_y = false;
};

namespace report {

enum class Outcome { passed, failed, skipped };

// A test case of JUnit's XML.
struct Case {
    std::string classname, name;
    Outcome outcome = Outcome::passed;
    std::string type;        // of a failure: the verdict
    std::string message;     // in one line
    std::string text;        // all figures
    std::string place = {};  // of what is at fault: "net.py:41"; may be empty
};

struct Suite {
    std::string name, package;
    std::vector<std::pair<std::string, std::string>> properties;
    std::vector<Case> cases;
};

}  // namespace report

struct Document {
    std::string subject = {};  // the command: "lab undo", "eval"
    std::string note = {};     // displayed beside it, if not empty: "note 3"
    std::string title = {};
    std::vector<Block> blocks = {};
    std::vector<Plot> plots = {};
    Json data = Json::object();  // for --format json
    // False if what is compared differs by more than rounding allows.
    bool agrees = true;
    // For --format junit, of what passes or fails.
    std::vector<report::Suite> suites = {};
};

}  // namespace byhand
