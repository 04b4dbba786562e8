#include "base/source_file.h"

#include <fstream>
#include <iterator>

namespace text {

std::string source_path(const std::string& path) {
    return BYHAND_SOURCES "/" + path;
}

std::string source_file(const std::string& path) {
    std::ifstream file(source_path(path), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string test_recipe(const std::string& name) {
    return source_path("tests/recipe/recipes/" + name + ".json");
}

}  // namespace text
