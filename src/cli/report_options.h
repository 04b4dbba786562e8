// The report of a command: --format and --output; plots by gnuplot, a separate program.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/files.h"
#include "cli/options.h"
#include "report/document.h"
#include "report/writers.h"

namespace byhand::cli {

struct ReportOptions {
    std::string format = "table";
    bool json = false;  // --json, the same as --format json
    OutputPath output;
};

// Adds --format (table, json, csv or html; junit and sarif if results pass or fail), --json and --output, and returns
// them.
enum class Judged { no, yes };
std::vector<Option> add_report_options(const Command& command, ReportOptions& options, Judged judged = Judged::no);

// $COLUMNS, else the width of the terminal of the descriptor, else 80.
std::size_t terminal_width(int descriptor);

// The file of the report. It is opened before the work, so that a path that can't be written is rejected at once.
class ReportFile {
public:
    // Throws InputError as TextFile does.
    explicit ReportFile(const ReportOptions& options);

    bool is_file() const { return file_.has_value(); }
    const std::string& format() const { return format_; }

    // The text to write. A table fits the terminal, and has colours if it goes to a terminal with colour.
    std::string text_of(const Document& document) const;

    // Throw InputError if they fail.
    void write(const std::string& text) const;
    void write(const Document& document) const { write(text_of(document)); }
    // And the conclusion on standard error, if the report is a file.
    void write(const Document& document, const Text& conclusion) const;

private:
    std::string format_;
    std::optional<TextFile> file_;
    Terminal terminal_;
};

// The output of gnuplot for these commands, without the user's settings; none if it is not installed. Throws InputError
// with its error message if it fails.
std::optional<std::string> gnuplot(const std::string& commands);
inline constexpr const char* kNoGnuplot = "gnuplot is not installed (Debian: gnuplot-nox)";

// The file of --svg; none if the path is empty. Throws InputError as TextFile does, and if gnuplot is not installed.
std::optional<TextFile> svg_file(const OutputPath& path);

}  // namespace byhand::cli
