// Names with accents and in other alphabets, in a file with CR LF.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {

TEST_CASE("names in other alphabets: trained on, sampled, told from new ones, evaluated") {
    const Folder place;
    const std::vector<std::string> given = world_names();
    place.write("имена.txt", file_of(given, "\r\n"));
    const Outcome trained = byhand(place, {"train", "--data", "имена.txt", "--steps", "2000", "--hidden", "30"});
    REQUIRE(trained.code == 0);
    CHECK(contains(trained.err, "имена.txt: 72"));

    const Json j = json_of(byhand(place, {"sample", "--json", "-n", "200"}));
    const Outcome text = byhand(place, {"sample", "-n", "200"});
    const std::vector<std::string> lines = lines_of(text.out);
    REQUIRE(j["names"].size() == 200);
    REQUIRE(lines.size() == 200);
    std::size_t known = 0;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string name = j["names"][i]["name"].get<std::string>();
        const bool is_new = std::ranges::find(given, name) == given.end();
        CHECK(j["names"][i]["new"] == is_new);
        CHECK(lines[i].starts_with(name));
        CHECK(contains(lines[i], "(in the data)") == !is_new);
        known += is_new ? 0 : 1;
    }
    // It has learnt: chance alone would hit none of the 72.
    CHECK(known > 20);
    CHECK(known < 200);
    CHECK(contains(text.err, std::to_string(200 - known) + " of 200 are new"));

    for (const std::string prefix : {"É", "Бо", "김", "čüß", "ê"}) {
        const Json with_prefix = json_of(byhand(place, {"sample", "--json", "-n", "9", "--prefix", prefix}));
        for (const Json& entry : with_prefix["names"]) {
            CHECK(entry["name"].get<std::string>().starts_with(prefix));
        }
    }
    // The letter alone, or with the accent as a character of its own, is another one.
    check_refused(place, {{{"sample", "--prefix", "E"}, "the model has no character 'E'"},
                          {{"sample", "--prefix", "e\xcc\x81"}, "the model has no character 'e'"},
                          {{"sample", "--prefix", "Ω"}, "the model has no character 'Ω'"}});
    CHECK(byhand(place, {"eval", "--data", "имена.txt"}).code == 0);
    place.write("others", file_of(plain_names()));
    const Outcome eval = byhand(place, {"eval", "--data", "others"});
    CHECK(eval.code == 2);
    CHECK(eval.out.empty());
    CHECK(lines_of(eval.err).back().starts_with("byhand: others: 'n' in the name ana"));
}

}  // namespace cli_test
