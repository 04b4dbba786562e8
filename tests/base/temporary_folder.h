// A new, empty folder for a test, removed with the object.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

// Outside byhand's namespace: the program's tests have a function of that name.
namespace temporary {

class Folder {
public:
    Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder();

    const std::filesystem::path& path() const { return path_; }
    std::string file(const std::string& name) const;
    bool has(const std::string& name) const;

    // The file names, sorted.
    std::vector<std::string> files() const;

    void write(const std::string& name, const std::string& bytes) const;
    std::string read(const std::string& name) const;

private:
    std::filesystem::path path_;
};

}  // namespace temporary
