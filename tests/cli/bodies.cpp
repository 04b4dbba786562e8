#include "cli/bodies.h"

#include <catch2/catch_test_macros.hpp>
#include <cstddef>

#include "base/source_file.h"
#include "base/text.h"

namespace cli_test {

Bodies right_bodies() {
    Bodies bodies;
    std::string name;
    for (const std::string& line : text::lines_of(text::source_file("tests/cli/solution.txt"))) {
        if (line.starts_with("== ")) {
            name = line.substr(3);
        } else if (!name.empty() && !line.empty()) {
            bodies[name] += line + "\n";
        }
    }
    return bodies;
}

Bodies with(Bodies bodies, const std::string& name, const std::string& line, const std::string& other) {
    std::string& body = bodies.at(name);
    const std::size_t at = body.find(line);
    REQUIRE(at != std::string::npos);
    REQUIRE(body.find(line, at + 1) == std::string::npos);
    body.replace(at, line.size(), other);
    return bodies;
}

Bodies counted_by_int(Bodies bodies) {
    for (auto& [name, body] : bodies) {
        const std::string loop = "for (std::size_t ";
        for (std::size_t at = body.find(loop); at != std::string::npos; at = body.find(loop, at)) {
            body.replace(at, loop.size(), "for (int ");
        }
    }
    return bodies;
}

std::string filled_in(const Bodies& bodies) {
    std::string text = text::source_file("exercise/backward.cpp");
    for (const auto& [name, body] : bodies) {
        const std::size_t begins = text.find("void " + name + "(");
        REQUIRE(begins != std::string::npos);
        const std::size_t at = text.find("{}", begins);
        REQUIRE(at != std::string::npos);
        text.replace(at, 2, "{\n" + body + "}");
    }
    return text;
}

}  // namespace cli_test
