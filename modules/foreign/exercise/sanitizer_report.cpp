#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "foreign/exercise/build.h"

namespace byhand::exercise {
namespace {

namespace fs = std::filesystem;

// The reports in the order of their names; their files are removed.
std::string taken(const fs::path& log) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(log.parent_path(), error)) {
        if (entry.path().filename().string().starts_with(log.filename().string() + ".")) {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    std::string text;
    for (const fs::path& file : files) {
        std::ifstream stream(file, std::ios::binary);
        text.append(std::istreambuf_iterator<char>(stream), {});
        fs::remove(file, error);
    }
    return text;
}

// Of "SUMMARY: AddressSanitizer: heap-buffer-overflow …/mine.cpp:42 in …" what went wrong; of "mine.cpp:42:7:
// runtime error: signed integer overflow: …" that.
std::string what_of(std::string_view report) {
    const auto rest_of_line = [&](std::string_view mark, std::size_t after) -> std::string_view {
        const std::size_t at = report.find(mark, after);
        if (at == std::string_view::npos) {
            return {};
        }
        const std::string_view rest = report.substr(at + mark.size());
        return rest.substr(0, rest.find('\n'));
    };
    if (const std::string_view error = rest_of_line("runtime error: ", 0); !error.empty()) {
        return std::string(error);
    }
    const std::string_view summary = rest_of_line("Sanitizer: ", std::min(report.find("SUMMARY: "), report.size()));
    return std::string(summary.substr(0, summary.find(" /")));
}

// "mine.cpp:42", from the first mention of the file with a line; "" without one.
std::string place_in(std::string_view report, const std::string& name) {
    const std::size_t at = report.find(name + ":");
    if (at == std::string_view::npos) {
        return "";
    }
    const std::size_t digits = at + name.size() + 1;
    return std::string(report.substr(at, report.find_first_not_of("0123456789", digits) - at));
}

}  // namespace

std::string sanitizer_log(const std::string& library) {
    return fs::path(library).parent_path() / "sanitizer";
}

std::function<std::string()> sanitizer_reports(const std::string& library, const std::string& source,
                                               const std::function<void(const std::string&)>& print) {
    return [log = sanitizer_log(library), name = fs::path(source).filename().string(), print,
            told = std::make_shared<bool>(false)] {
        const std::string report = taken(log);
        const std::string what = what_of(report), place = place_in(report, name);
        if (!report.empty() && !*told) {
            *told = true;
            print(report.ends_with('\n') ? report : report + "\n");
        }
        return what.empty() ? std::string()
                            : printable(": " + what + (place.empty() ? "" : fmt::format(" at {}", place)));
    };
}

}  // namespace byhand::exercise
