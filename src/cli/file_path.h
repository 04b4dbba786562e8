// Paths on the command line. An option of one of these types protects its file: see files.h.
#pragma once

#include <string>
#include <utility>

namespace byhand::cli {

enum class FileUse { reads, writes };

template <FileUse kUse>
struct FilePath {
    std::string path;

    FilePath() = default;
    FilePath(std::string text) : path(std::move(text)) {}  // NOLINT(google-explicit-constructor)
    FilePath(const char* text) : path(text) {}             // NOLINT(google-explicit-constructor)
    operator const std::string&() const { return path; }   // NOLINT(google-explicit-constructor)
    bool empty() const { return path.empty(); }
};

using InputPath = FilePath<FileUse::reads>;  // or the name of a shipped recipe
using OutputPath = FilePath<FileUse::writes>;

}  // namespace byhand::cli
