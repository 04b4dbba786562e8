#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cli/names.h"
#include "cli/program.h"

namespace cli_test {
namespace {

// Where every command here is run.
struct Place : NamesFolder {
    void refuses(const std::vector<Refusal>& all) const { check_refused(*this, all); }

    // Of train, with these flags.
    void refuses_training(std::vector<Refusal> all) const {
        for (auto& [flags, what] : all) {
            flags = "train --data n --steps 3" + flags;
        }
        check_refused(*this, all);
    }
};

}  // namespace

TEST_CASE("an unknown command, option, argument or name is refused with the nearest one") {
    const Place place;
    place.refuses({{"help trian", "there is no command trian; the nearest is train (byhand --help"},
                   {"trian --steps 3", "there is no command trian; the nearest is train (byhand --help"},
                   {{""}, "there is no command ''"},
                   {"--steps 3", "expected a command, not --steps"},
                   {"--steps 3 train", "--steps belongs after the command: byhand train --steps"},
                   {"train --stpes 3", "train has no --stpes; the nearest is --steps (byhand train --help"},
                   {"train --stpes=3", "train has no --stpes; the nearest is --steps"},
                   {"train --steps=3 extra more", "train: unexpected argument extra; see byhand train"},
                   {"recipes notes -- extra", "recipes: unexpected argument extra"},
                   {"sample a -- -b", "sample has no -b"},
                   {"lab padding --no-plott", "lab padding has no --no-plott; the nearest is --no-plot"},
                   {{"train", "--" + std::string(5000, 'a')}, "(byhand train --help lists them)"},
                   {{"train", "--stpes\x1b[2J"}, "train has no --stpes\\x1b[2J"},
                   {"explain dW", "no value or operation dW; the nearest are dW2 and dW1 (byhand explain lists"},
                   {"explain batchnrm", "no value or operation batchnrm; the nearest is batchnorm "},
                   {"explain layernorm", "the network has no value or operation layernorm; --recipe and the"},
                   {"exercise --hint dvarnv", "there is no gradient dvarnv; the nearest is dbnvar_inv"},
                   {"recipes mlp", "there is no recipe or file mlp; the nearest is mlp-relu-layernorm (the rec"},
                   {"mistakes --mistake dvar", "no mistake matches dvar; the nearest is dvar-path-forgotten"},
                   {"compare --model torch", "--model"},
                   {"compare --format poem", "--format"}});
    place.refuses_training({{"--norm sideways", "--norm: expected before, after or none, not sideways; see byhand"},
                            {"--activation rel", "or tanh, not rel; the nearest is relu"},
                            {"--bn-variance both", "--bn-variance"},
                            {"--model magic", "--model"},
                            {"--recipe nope", "makemore-deep"},
                            {"--recipe .", ".: is a folder; name a file"}});
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("a value that is not of its flag's kind, missing or given twice is refused, and the flag is named") {
    const Place place;
    for (const std::string value : {"+1", "1.5", "1e3", "0x10", "12x", " 7", "99999999999999999999", "010"}) {
        place.refuses_training({{{"--batch", value}, "--batch"}});
    }
    for (const std::string value : {",", "5,", ",5", "5,,6", "5;6", "5 6", "5,x", "5,-6", "0", "5,0,7"}) {
        place.refuses_training({{{"--hidden", value}, "--hidden"}});
    }
    for (const std::string value : {"abc", "0", "257", "-1", "", "AUTO", "auto2"}) {
        place.refuses_training({{{"--threads", value}, "--threads: expected auto or a whole number from 1 to 256"}});
    }
    place.refuses_training({{"--hidden 5 6", "6"},
                            {"--seed 010", "--seed"},  // not octal
                            {"--log-every 0", "--log-every"},
                            {"--save m --no-save", "--save can't be combined with --no-save; see byhand"}});
    place.refuses({{"compare --mine", "byhand: --mine: the value is missing; see byhand compare --help"},
                   {"train --steps", "byhand: --steps: the value is missing; see byhand train --help"},
                   {"train --steps 0", "--steps"},
                   {"lab padding --svg", "byhand: --svg: the value is missing; see byhand lab padding --help"},
                   {"train --seed 4 --seed 5", "--seed is given more than once; see byhand train"}});
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("networks that can't exist, or are too large, are refused before memory is allocated") {
    const Place place;
    place.refuses_training({{"--context 1025", "--context"},
                            {"--context 18446744073709551615", "--context takes"},
                            {"--batch 0", "--batch"},
                            {"--batch 1", "a batch of 1 row has no unbiased variance"},
                            {"--recipe makemore-wavenet --context 6", "3 positions can't be joined by 2s"},
                            {"--norm none --norm-kind layer", "contradict each other"},
                            {"--hidden 18446744073709551615", "too large"},
                            {"--batch 18446744073709551615", "too large"},
                            {"--hidden 99999,99999,99999", "too large"}});
    for (const Arguments flags : {"--batch 1 --bn-variance biased", "--context 1024 --embedding 1 --hidden 1"}) {
        succeeds(place, "train --data n --steps 1 --no-save" + flags);
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these take terabytes of addresses for themselves
TEST_CASE("out of memory is an error that says so") {
    const Place place;
    check_refused(byhand_under(place, "ulimit -v 2000000", "train --data n --steps 3 --hidden 40000,30000"),
                  "not enough memory");
    if (with_torch()) {
        const Outcome outcome =
            byhand_under(place, "ulimit -v 1500000", "train --data n --model torch --no-save --batch 300000");
        CHECK(outcome.code == 2);
        CHECK(outcome.err.ends_with("byhand: not enough memory; use a smaller network, batch or file\n"));
        check_refused(byhand_under(place, "ulimit -v 600000", "compare --data n --quick"),
                      "MB of address space, more than this process may have; allow more by ulimit -v");
    }
    CHECK(place.files() == std::vector<std::string>{"n"});
}
#endif

TEST_CASE("files that are missing or no names, recipes, models or figures are refused with their fault") {
    const Place place;
    place.write("empty", "");
    place.write("few", "anna\n");
    place.write("latin1", "anna\nJos\xe9\n");
    place.write("r", exchanged(byhand(place, "recipes notes").out, "\"embedding\": 2", "\"embeding\": 2"));
    for (const std::string file : {"nothing", ".", "empty", "few", "bad\x1b[2J\nname"}) {
        place.refuses({{{"train", "--data", file}, file.starts_with("bad") ? "bad\\x1b[2J\\x0aname" : file}});
    }
    place.refuses({{"train --data latin1", "latin1:2"},
                   {{"train", "--steps", "3", "--data", ""}, "--data"},
                   {"train --data n --recipe r", "embeding"},
                   {"recipes ./r", "embeding"},
                   {"recipes ./empty", "./empty"}});
    for (const std::string command : {"sample", "eval"}) {
        place.refuses({{{command}, "byhand.safetensors"},
                       {{command, "nothing"}, "nothing: no such file; byhand train creates one"},
                       {{command, "n"}, "not a safetensors file"},
                       {{command, "."}, "folder"}});
    }
    succeeds(place, "train --data n --steps 3 --save m");
    place.refuses({{"sample m --temperature 1e-9", "--temperature"},
                   {"sample m --temperature 1e9", "--temperature"},
                   {"sample m -n 0", "-n: expected a whole number of at least 1, not 0"},
                   {"sample m --seed -1", "--seed"},
                   {"sample m --prefix a.b", "--prefix"},
                   {"sample m --prefix Z", "--prefix: the model has no character 'Z'"},
                   {"sample m --prefix aNa", "; try --prefix ana"},
                   {{"sample", "m", "--prefix", "\xff"}, "--prefix"},
                   {{"sample", "m", "--prefix", "a\x1b[2J"}, "\\x1b"}});
}

TEST_CASE("places that can't be written are refused before the work") {
    const Place place;
    place.refuses_training({{"--save no/such/m", "no/such/m"},
                            {"--save .", "folder"},
                            {{"--save", ""}, "no name"},
                            {{"--metrics", ""}, "--metrics"},
                            {"--metrics .", "--metrics"},
                            {"--metrics no/such/m", "--metrics"}});
    if (with_torch()) {
        for (const std::string name : {"dump", "dump.npy", "dump.NPZ", "npz", "dump.npz.gz", "dump.st"}) {
            place.refuses({{{"compare", "--dump", name}, name + ": tensors are written as .safetensors or .npz; "}});
        }
        place.refuses({{"compare --output no/such/report", "no/such/report"},
                       {"compare --output .", "."},
                       {{"compare", "--output", ""}, "--output"},
                       {{"compare", "--dump", ""}, "--dump"},
                       {"compare --dump no/such/dump.npz", "no/such/dump.npz"},
                       {"compare --every 0", "--every"}});
    } else {
        place.refuses({{"compare", "BYHAND_WITH_TORCH"}});
        place.refuses_training({{"--model torch", "BYHAND_WITH_TORCH"}});
    }
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("a file that byhand did not write is not overwritten") {
    const Place place;
    const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}}";
    for (const std::string& bytes : {std::string("my thesis\n"), std::string(),
                                     static_cast<char>(header.size()) + std::string(7, '\0') + header}) {
        place.write("theirs", bytes);
        // A hundred million steps would take a day: it is refused before them.
        place.refuses({{"train --data n --steps 100000000 --save theirs", "theirs"}});
        CHECK(place.read("theirs") == bytes);
    }
    place.write("byhand.safetensors", "mine");
    place.refuses({{"train --data n --steps 100000000", "byhand.safetensors"}});
    CHECK(place.read("byhand.safetensors") == "mine");
    if (with_torch()) {
        for (const std::string file : {"theirs.npz", "theirs.safetensors"}) {
            place.write(file, "mine");
            place.refuses({{{"compare", "--dump", file}, "not written by byhand"}});
            CHECK(place.read(file) == "mine");
        }
    }
}

TEST_CASE("a file that is read, or written already, is not written over") {
    const Place place;
    REQUIRE(place.train("--hidden 5 --steps 2 --save m").code == 0);
    place.write("r.json", byhand(place, "recipes notes").out);
    place.write("rows", "a 1 2\nb 3 4\n");
    place.write("own.cpp", "");
    std::filesystem::create_symlink("n", place.path() / "link");
    std::filesystem::create_symlink("m", place.path() / "m.safetensors");
    std::filesystem::create_hard_link(place.file("m"), place.file("hard"));
    std::map<std::string, std::string> before;
    for (const std::string& file : place.files()) {
        before[file] = place.read(file);
    }
    const Arguments train = "train --data n --steps 3";
    std::vector<Arguments> commands = {train + "--no-save --metrics n",
                                       train + "--no-save --metrics link",
                                       train + "--no-save --metrics ./n",
                                       train + "--no-save --metrics m",
                                       train + "--no-save --recipe r.json --metrics r.json",
                                       train + "--save new --metrics new",
                                       train + "--metrics byhand.safetensors",
                                       train + "--resume m --metrics m",
                                       "eval m --data n --logits m",
                                       "eval m --data n --logits hard",
                                       "diff m hard --output m",
                                       "diff n link --output ./n",
                                       "exercise own.cpp --output own.cpp",
                                       "lab padding --file rows --html rows",
                                       "lab invariance --svg ./h --html h",
                                       "lab loss --data n --html n",
                                       "bench --recipe r.json --sweep batch=8..8 --svg r.json"};
    if (with_torch()) {
        commands.insert(commands.end(),
                        {"compare --data n --output n", "compare --data n --mine m --output m",
                         "compare --data n --dump d.npz --output d.npz", "compare --data n --dump m.safetensors"});
    }
    for (const Arguments& command : commands) {
        check_refused(byhand(place, command), command.back());
    }
    for (const auto& [file, bytes] : before) {
        CAPTURE(file);
        CHECK(place.read(file) == bytes);
    }
    CHECK(place.files().size() == before.size());
    // What is meant, or harms nobody.
    succeeds(place, train + "--resume m --hidden 5 --save m");
    succeeds(place, "lab columns --no-plot --html /dev/null");
}

TEST_CASE("a file that byhand comes with is not written over, named or not") {
    const Place place;
    const std::filesystem::path share = place.path() / "share" / "byhand";
    for (const std::string folder : {"data", "recipes", "exercise"}) {
        std::filesystem::create_directories(share / folder);
    }
    std::filesystem::create_directory(place.path() / "bin");
    std::filesystem::copy_file(byhand_program(), place.path() / "bin" / "byhand");
    for (const std::string file : {"data/names.txt", "recipes/notes.json", "exercise/backward.cpp"}) {
        std::filesystem::copy_file(source_path(file), share / file);
        const std::string path = "share/byhand/" + file, before = place.read(path);
        for (const Arguments& command : {Arguments("exercise"), Arguments("diff n n")}) {
            check_refused(Process(place, place.file("bin/byhand"), command + Arguments{"--output", path}, {}).wait(),
                          path + ": --output would overwrite a file shipped with byhand");
        }
        CHECK(place.read(path) == before);
    }
}

TEST_CASE("what is printed and what is written don't go to one file") {
    const Place place;
    const Arguments train = "train --data n --steps 3 --no-save --metrics";
    for (const std::string into : {">l", ">>l", "2>l", ">l 2>&1"}) {
        for (const std::string metrics : {"l", "./l", into.starts_with('2') ? "/dev/stderr" : "/dev/stdout"}) {
            CAPTURE(into, metrics);
            place.write("l", "");
            const Outcome outcome = byhand_under(place, "exec " + into, train + Arguments{metrics});
            CHECK(outcome.code == 2);
            CHECK_FALSE(contains(place.read("l"), "step\":"));
        }
    }
    place.write("l", "kept\n");
    CHECK(byhand_under(place, "exec >>l", "diff n n --output /dev/stdout").code == 2);
    CHECK(place.read("l").starts_with("kept\n"));
    // A pipe takes what comes from several.
    const Arguments words = Arguments{"-c", "\"$0\" \"$@\" | cat >k", byhand_program()} + train;
    CHECK(Process(place, "/bin/sh", words + "/dev/stdout", {}).wait().code == 0);
    CHECK(contains(place.read("k"), "step\":2"));
}

}  // namespace cli_test
