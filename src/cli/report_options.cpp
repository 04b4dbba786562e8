#include "cli/report_options.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/nearest.h"
#include "base/process.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "report/writers.h"

namespace byhand::cli {

namespace {

constexpr std::size_t kUnknownWidth = 80, kMostColumns = 10'000;

}  // namespace

std::vector<Option> add_report_options(const Command& command, ReportOptions& options, Judged judged) {
    std::vector<std::string> formats = {"table", "json", "csv", "html"};
    if (judged == Judged::yes) {
        formats.insert(formats.end(), {"junit", "sarif"});
    }
    const Option format = command.option("--format", options.format, "Format of the report: " + listed(formats, "or"))
                              .one_of(formats)
                              .shows_default();
    const Option json = command.flag("--json", options.json, "Same as --format json").excludes(format);
    const Option output =
        command.option("--output", options.output, "Write the report to this file [standard output]").not_empty();
    return {format, json, output};
}

std::size_t terminal_width(int descriptor) {
    const char* const columns = std::getenv("COLUMNS");
    if (const auto width = parse_whole_number(columns == nullptr ? "" : columns); width && *width > 0) {
        return std::min<std::size_t>(*width, kMostColumns);
    }
    winsize size{};
    return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUnknownWidth;
}

ReportFile::ReportFile(const ReportOptions& options)
    : format_(options.json ? "json" : options.format), file_(text_file(options.output)) {
    terminal_ = {.width = terminal_width(file_ ? -1 : STDOUT_FILENO), .colour = !file_ && wants_colour(STDOUT_FILENO)};
}

std::string ReportFile::text_of(const Document& document) const {
    return format_ == "json"    ? printed_json(document.data, 2) + "\n"
           : format_ == "csv"   ? to_csv(document)
           : format_ == "html"  ? to_html(document)
           : format_ == "junit" ? report::junit(document.suites)
           : format_ == "sarif" ? report::sarif(document.suites)
                                : to_text(document, terminal_);
}

void ReportFile::write(const std::string& text) const {
    if (file_) {
        file_->write(text);
    } else {
        fmt::print("{}", text);
    }
}

void ReportFile::write(const Document& document, const Text& conclusion) const {
    write(document);
    if (is_file()) {
        say("{}{}\n", conclusion.lead, conclusion.words);
    }
}

std::optional<std::string> gnuplot(const std::string& commands) {
    const std::optional<ProgramRun> run = run_and_read({"gnuplot", "-d", "-"}, commands);
    if (!run) {
        return std::nullopt;
    }
    if (run->exit_code != 0) {
        throw InputError("gnuplot failed: " + run->err);
    }
    return run->out;
}

std::optional<TextFile> svg_file(const OutputPath& path) {
    std::optional<TextFile> file = text_file(path);
    if (file && !gnuplot("")) {
        throw InputError(std::string("--svg: ") + kNoGnuplot);
    }
    return file;
}

}  // namespace byhand::cli
