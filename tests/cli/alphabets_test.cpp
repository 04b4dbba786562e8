#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// Names with accents and in other alphabets, in a file with CR LF.

namespace cli_test {
namespace {

// The characters of UTF-8, as texts.
std::vector<std::string> characters_of(const std::string& text) {
    std::vector<std::string> all;
    for (const char byte : text) {
        if ((static_cast<unsigned char>(byte) & 0xc0) != 0x80) {
            all.emplace_back();
        }
        all.back() += byte;
    }
    return all;
}

struct Trained : Folder {
    Outcome outcome;
    explicit Trained(const std::string& steps = "2000") {
        write("имена.txt", file_of(world_names(), "\r\n"));
        outcome = byhand(*this, {"train", "--data", "имена.txt", "--steps", steps, "--hidden", "30"});
        REQUIRE(outcome.code == 0);
    }
};

}  // namespace

TEST_CASE("accents and other alphabets are characters, and CR LF is no part of a name") {
    const Trained place("20");
    CHECK(place.outcome.err.find("имена.txt: ") != std::string::npos);
    CHECK(place.outcome.err.find("72") != std::string::npos);
    std::set<std::string> expected;
    for (const std::string& name : world_names()) {
        for (const std::string& character : characters_of(name)) {
            expected.insert(character);
        }
    }
    std::string vocabulary = ".";
    for (const std::string& character : expected) {  // in UTF-8, bytes sort as code points do
        vocabulary += character;
    }
    const StoredFile file = read_stored(place.file("byhand.safetensors"));
    CHECK(file.metadata.at("vocabulary") == vocabulary);
    CHECK(file.tensors.at("C").shape == std::vector<std::size_t>{expected.size() + 1, 2});
}

TEST_CASE("a file with LF alone makes the same model") {
    const Trained crlf("20"), again("20");
    again.write("имена.txt", file_of(world_names()));
    REQUIRE(byhand(again, {"train", "--data", "имена.txt", "--steps", "20", "--hidden", "30"}).code == 0);
    const StoredFile a = read_stored(crlf.file("byhand.safetensors")),
                     b = read_stored(again.file("byhand.safetensors"));
    for (const auto& [name, tensor] : a.tensors) {
        CHECK(tensor.bytes == b.tensors.at(name).bytes);
    }
}

TEST_CASE("sampled names are of the alphabet, and new ones are told from given ones") {
    const Trained place;
    const Json j = json_of(byhand(place, {"sample", "--json", "-n", "200"}));
    const std::vector<std::string> given = world_names();
    REQUIRE(j["names"].size() == 200);
    std::size_t known = 0;
    for (const Json& entry : j["names"]) {
        const std::string name = entry["name"].get<std::string>();
        const bool is_given = std::find(given.begin(), given.end(), name) != given.end();
        CHECK(entry["new"] == !is_given);
        known += is_given ? 1 : 0;
    }
    // It has learnt: chance alone would hit none of the 72.
    CHECK(known > 20);
    CHECK(known < 200);

    const Outcome text = byhand(place, {"sample", "-n", "200"});
    const std::vector<std::string> lines = lines_of(text.out);
    REQUIRE(lines.size() == 200);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        CHECK(lines[i].starts_with(j["names"][i]["name"].get<std::string>()));
        CHECK((lines[i].find("(in the data)") == std::string::npos) == j["names"][i]["new"].get<bool>());
    }
    CHECK(text.err.find(std::to_string(200 - known) + " of 200 are new") != std::string::npos);
}

TEST_CASE("a prefix of such characters") {
    const Trained place;
    for (const std::string prefix : {"É", "Бо", "김", "čüß", "ê"}) {
        const Json j = json_of(byhand(place, {"sample", "--json", "-n", "9", "--prefix", prefix}));
        for (const Json& entry : j["names"]) {
            CHECK(entry["name"].get<std::string>().starts_with(prefix));
        }
    }
    // The letter alone, or with the accent as a character of its own, is another one.
    check_refused(byhand(place, {"sample", "--prefix", "E"}), "the model has no character 'E'");
    check_refused(byhand(place, {"sample", "--prefix", "e\xcc\x81"}), "the model has no character 'e'");
    check_refused(byhand(place, {"sample", "--prefix", "Ω"}), "the model has no character 'Ω'");
}

TEST_CASE("eval takes names of the same characters, and names the one that it does not know") {
    const Trained place("20");
    CHECK(byhand(place, {"eval", "--data", "имена.txt"}).code == 0);
    place.write("others", file_of(plain_names()));
    const Outcome outcome = byhand(place, {"eval", "--data", "others"});
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(lines_of(outcome.err).back().starts_with("byhand: others: 'n' in the name ana"));
}

}  // namespace cli_test
