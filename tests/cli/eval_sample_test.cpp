#include <fmt/core.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <iterator>
#include <ranges>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

struct Place : NamesFolder {
    void train(const Arguments& more) const { succeeds(*this, "train --data n" + more); }
    std::vector<std::string> names(const Arguments& more) const {
        std::vector<std::string> all;
        const Json j = json_of(byhand(*this, "sample --json" + more));
        for (const Json& entry : j["names"]) {
            all.push_back(entry["name"].get<std::string>());
        }
        return all;
    }
};

}  // namespace

TEST_CASE("eval prints the losses that training printed, for every model") {
    const Place place;
    for (const std::string& model : models()) {
        for (const std::string recipe : {"notes", "makemore-ninja", "makemore-deep"}) {
            const Arguments network = {"--recipe", recipe, "--model", model, "--save", "m"};
            const Json trained = json_of(byhand(place, "train --data n --steps 60 --hidden 20 --json" + network)),
                       j = json_of(byhand(place, "eval m --data n --json"));
            CAPTURE(model, recipe);
            for (const std::string part : {"train", "val", "test"}) {
                CHECK(std::abs(j["loss"][part].get<double>() - trained["final"][part].get<double>()) < 1e-6);
            }
            CHECK(j["recipe"] == recipe);
            CHECK(j["model"] == model);
            CHECK(j["steps"] == 60);
        }
    }
}

TEST_CASE("eval counts names, and bigram counts are a baseline, in every format") {
    const Place place;
    place.train("--steps 3");
    const Json j = json_of(byhand(place, "eval --data n --json"));
    CHECK(j["names"] == Json{{"train", 48}, {"val", 6}, {"test", 6}});
    CHECK(j["also_in_train"] == Json{{"val", 0}, {"test", 0}});
    const std::string text = byhand(place, "eval --data n").out;
    for (const std::string part : {"train", "val", "test"}) {
        CHECK(contains(text, fmt::format("{:.4f}", j["loss"][part].get<double>())));
    }
    CHECK(byhand(place, "eval").out == text);  // on the names of the training
    const std::string csv = byhand(place, "eval --data n --format csv").out;
    CHECK(csv.starts_with("part,names,loss,bigram_loss,also_in_train,share_also_in_train\r\ntrain,48,"));
    CHECK(contains(csv, ",,,\r\nval,6,"));  // the training part has no bigram counts beside it
    CHECK(byhand(place, "eval --data n --format html --output page.html").out.empty());
    CHECK(contains(place.read("page.html"), "bigram counts"));
    // A report never goes to the model or the names that it reads, named or not.
    const std::string model = place.read("byhand.safetensors"), names = place.read("n");
    check_refused(place, {{"eval --output byhand.safetensors", "would overwrite the input of MODEL"},
                          {"eval --output n", "would overwrite the input of --data"}});
    CHECK(place.read("byhand.safetensors") == model);
    CHECK(place.read("n") == names);
}

TEST_CASE("--skip-bad-lines: training, eval and sample read the same names") {
    const NamesFolder folder;
    folder.write("dots", "st.john\n" + folder.read("n") + ".\nb.c\nlast.\n");
    const std::string what =
        "dots:1: has a '.', which marks where a name begins and ends; leave out "
        "4 lines with a '.' (1, 62, 63, …) with --skip-bad-lines, or train with another --mark";
    check_refused(byhand(folder, "train --data dots --steps 3 --hidden 5"), what);
    succeeds(folder, "train --data n --save m --steps 3 --hidden 5");
    const Outcome trained = succeeds(folder, "train --data dots --skip-bad-lines --save d --steps 3 --hidden 5");
    const std::string told = "dots: 4 lines with a '.' (1, 62, 63, …) were left out\n";
    CHECK(trained.err.starts_with(told));
    const Outcome eval = succeeds(folder, "eval d");
    CHECK(eval.out == byhand(folder, "eval m").out);
    CHECK(eval.err == told);
    CHECK(byhand(folder, "sample d").out == byhand(folder, "sample m").out);
    succeeds(folder, "train --resume d --steps 5");
    check_refused(byhand(folder, "eval m --data dots"), what);
    CHECK(byhand(folder, "eval m --data dots --skip-bad-lines").out == eval.out);
    succeeds(folder, "gradcheck --data dots --skip-bad-lines --hidden 5");
}

TEST_CASE("--mark: names may contain a '.', and the model keeps its mark") {
    const NamesFolder folder;
    folder.write("dots", "st.john\n" + folder.read("n") + ".\nb.c\nlast.\n");
    const Arguments options = "train --data dots --steps 3 --hidden 5";
    succeeds(folder, options + "--mark | --save m");
    CHECK(succeeds(folder, "eval m").err.empty());
    CHECK(contains(byhand(folder, "sample m -n 50").out, "."));
    succeeds(folder, "train --resume m --steps 5");
    check_refused(byhand(folder, "train --resume m --steps 6 --mark ."),
                  "--mark: the training that is resumed has another one");
    for (const char* mark : {"ab", "", "\n", "\xff"}) {
        check_refused(byhand(folder, options + Arguments{"--mark", mark}), "--mark: expected one character in UTF-8");
    }
    // As plain text it is the same network.
    const Arguments same = "train --data n --steps 3 --hidden 5 --json --no-save";
    CHECK(json_of(byhand(folder, same))["final"] == json_of(byhand(folder, same + "--mark *"))["final"]);
}

TEST_CASE("eval and train show on a terminal how far they have measured") {
    const Folder folder;
    succeeds(folder, "train --steps 2 --hidden 300,300 --save m");
    for (const Arguments command : {"eval m", "train --resume m --steps 3"}) {
        const Outcome shown = byhand_on_terminal(folder, command, {{"TERM", "xterm"}}, true);
        CHECK(shown.code == 0);
        CHECK(contains(shown.out, "measuring "));
        CHECK(contains(shown.out, " examples/s"));
    }
    CHECK(byhand(folder, "eval m").err.empty());
}

TEST_CASE("eval says when the names are not those of the training") {
    const Place place;
    place.train("--steps 3");
    std::vector<std::string> names = plain_names();
    names.pop_back();
    place.write("fewer", file_of(names));
    const Outcome outcome = succeeds(place, "eval --data fewer");
    CHECK(contains(outcome.err, "fewer is not the file that the model was trained on"));
    CHECK(lines_of(outcome.err).size() == 1);
}

TEST_CASE("sample: the seed and the temperature determine the names, and --unique leaves out repeated ones") {
    const Place place;
    place.train("--steps 500");
    const std::vector<std::string> twenty = place.names({});
    CHECK(twenty.size() == 20);
    CHECK(place.names({}) == twenty);
    CHECK(place.names("--seed 1") != place.names("--seed 2"));
    CHECK(place.names("--seed 2147483657") == twenty);  // the recipe's
    CHECK(place.names("--temperature 1") == twenty);
    CHECK(place.names("-n 5") == std::vector<std::string>(twenty.begin(), twenty.begin() + 5));
    // At 0.3 some are drawn twice: the first of each are the unique ones.
    const std::vector<std::string> all = place.names("-n 50 --temperature 0.3");
    std::vector<std::string> first;
    std::ranges::copy_if(all, std::back_inserter(first),
                         [&](const auto& name) { return std::ranges::count(first, name) == 0; });
    REQUIRE(first.size() < 50);
    const std::vector<std::string> unique = place.names("-n 50 --temperature 0.3 --unique");
    CHECK(std::set<std::string>(unique.begin(), unique.end()).size() == 50);
    CHECK(std::ranges::equal(first, unique | std::views::take(first.size())));
    check_refused(byhand(place, "sample --temperature 0.001 --unique --json"),
                  "--unique: found 1 different names, and no other in");
}

TEST_CASE("sample --continue draws with the generator of the training's batches, from where it ended") {
    const Folder folder;
    folder.write("n", file_of(world_names()));
    const auto sampled = [&](const std::string& steps, const Arguments& how) {
        succeeds(folder, "train --data n --hidden 9 --save m --steps " + steps);
        const Json json = json_of(byhand(folder, "sample m -n 5 --json" + how));
        CHECK(json["seed"].is_null() == (how.size() == 1));
        return json["names"];
    };
    const Json names = sampled("20", {"--continue"});
    CHECK(sampled("20", {"--continue"}) == names);
    CHECK(json_of(byhand(folder, "sample m -n 5 --json"))["names"] != names);  // the recipe's seed
    CHECK(sampled("20", {"--seed", "7"}) != names);
    check_refused(byhand(folder, "sample m --continue --seed 7"), "--seed");
}

TEST_CASE("which names are new can't be said when the data is gone") {
    const Place place;
    place.train("--steps 3");
    place.write("n", "other\n");
    const Outcome outcome = byhand(place, "sample --json -n 3");
    CHECK(contains(outcome.err, "is missing or has changed"));
    const Json j = json_of(outcome);
    for (const Json& entry : j["names"]) {
        CHECK(entry["new"].is_null());
    }
    CHECK_FALSE(contains(byhand(place, "sample -n 3").out, "in the data"));
}

TEST_CASE("a model from another machine finds the shipped names, where those are the same") {
    const Folder folder;
    succeeds(folder, "train --hidden 3 --steps 3 --save m");
    const std::string told = byhand(folder, "eval m").out;
    StoredFile moved = read_stored(folder.file("m"));
    moved.metadata["data"] = "/nowhere/names.txt";
    write_stored(folder.file("moved"), moved.tensors, moved.metadata);
    const Outcome outcome = succeeds(folder, "eval moved");

    CHECK(outcome.err.empty());
    CHECK(outcome.out == told);
    CHECK(contains(byhand(folder, "sample moved -n 3").err, " are new, that is, not in "));
    succeeds(folder, "train --resume moved --steps 4 --no-save");

    moved.metadata["data_hash"] = "1";
    write_stored(folder.file("moved"), moved.tensors, moved.metadata);
    const std::string advice = "; give the names it was trained on with --data";
    check_refused(folder, {{"eval moved", advice}, {"train --resume moved --steps 4", advice}});
}

TEST_CASE("the batch size of the training takes no memory in evaluation and sampling") {
    const Place place;
    place.train("--steps 3 --hidden 3 --save m");
    StoredFile file = read_stored(place.file("m"));
    Json recipe = parsed_json(file.metadata["recipe"]);
    recipe["batches"]["size"] = 20'000'000;
    file.metadata["recipe"] = byhand::printed_json(recipe, 0);
    write_stored(place.file("large"), file.tensors, file.metadata);
    for (const std::string command : {"eval", "sample"}) {
        const Outcome outcome = succeeds(place, {command, "large"}), expected = byhand(place, {command, "m"});
        CHECK(outcome.out == expected.out);
        CHECK(outcome.peak_bytes < 2 * expected.peak_bytes);
    }
}

// Names with accents and in other alphabets, in a file with CR LF.
TEST_CASE("names in other alphabets: trained on, sampled, told from new ones, evaluated") {
    const Folder place;
    const std::vector<std::string> given = world_names();
    place.write("имена.txt", file_of(given, "\r\n"));
    CHECK(contains(succeeds(place, "train --data имена.txt --steps 2000 --hidden 30").err, "имена.txt: 72"));

    const Json j = json_of(byhand(place, "sample --json -n 200"));
    const Outcome text = byhand(place, "sample -n 200");
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

    for (const std::string& line : lines_of(succeeds(place, "sample -n 9 --prefix čüß").out)) {
        CHECK(line.starts_with("čüß"));
    }
    check_refused(byhand(place, "sample --prefix E"), "the model has no character 'E'");
    succeeds(place, "eval --data имена.txt");
    place.write("others", file_of(plain_names()));
    const Outcome eval = byhand(place, "eval --data others");
    CHECK(eval.code == 2);
    CHECK(eval.out.empty());
    CHECK(lines_of(eval.err).back().starts_with("byhand: others: 'n' in the name ana"));
}

}  // namespace cli_test
