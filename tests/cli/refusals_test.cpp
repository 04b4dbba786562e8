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

// A folder with names in "n", where every command here is run.
struct Place : Folder {
    Place() { write("n", file_of(plain_names())); }

    void refuses(const Arguments& arguments, const std::string& what) const {
        INFO("byhand " << [&] {
            std::string line;
            for (const std::string& argument : arguments) {
                line += argument + " ";
            }
            return line;
        }());
        check_refused(byhand(*this, arguments), what);
    }

    void refuses_training(const Arguments& flags, const std::string& what) const {
        refuses(Arguments{"train", "--data", "n", "--steps", "3"} + flags, what);
    }
};

}  // namespace

TEST_CASE("an unknown command, option or argument is refused with the nearest one") {
    const Place place;
    place.refuses({"help", "trian"}, "there is no command trian; the nearest is train (byhand --help");
    place.refuses({"trian", "--help"}, "there is no command trian; the nearest is train (byhand --help");
    place.refuses({"trian", "--steps", "3"}, "there is no command trian; the nearest is train (byhand --help");
    place.refuses({""}, "there is no command ''");
    place.refuses({"--steps", "3"}, "expected a command, not --steps");
    place.refuses({"--steps", "3", "train"}, "--steps belongs after the command: byhand train --steps");
    place.refuses({"train", "--stpes", "3"}, "train has no --stpes; the nearest is --steps (byhand train --help");
    place.refuses({"train", "--stpes=3"}, "train has no --stpes; the nearest is --steps");
    place.refuses({"train", "--steps=3", "extra", "more"}, "train: unexpected argument extra; see byhand train --help");
    place.refuses({"recipes", "notes", "--", "extra"}, "recipes: unexpected argument extra");
    place.refuses({"sample", "a", "--", "-b"}, "sample has no -b");
    place.refuses({"lab", "padding", "--no-plott"}, "lab padding has no --no-plott; the nearest is --no-plot");
    place.refuses({"train", "--" + std::string(5000, 'a')}, "(byhand train --help lists them)");
    place.refuses({"train", "--stpes\x1b[2J"}, "train has no --stpes\\x1b[2J");
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("each numeric flag names itself where it is given no number") {
    const Place place;
    for (const std::string flag : {"--embedding", "--hidden", "--context", "--batch", "--seed", "--split-seed"}) {
        for (const std::string value :
             {"abc", "", "-1", "+1", "1.5", "1e3", "0x10", "12x", " 7", "99999999999999999999"}) {
            place.refuses_training({flag, value}, flag);
        }
        place.refuses({"train", flag}, flag);
        place.refuses_training({flag, "5", flag, "6"}, flag);
    }
    for (const std::string flag : {"--steps", "--log-every"}) {
        for (const std::string value : {"abc", "0", "-1", "1.5"}) {
            place.refuses({"train", "--data", "n", flag, value}, flag);
        }
    }
    for (const std::string value : {"abc", "0", "257", "-1", "", "AUTO", "auto2"}) {
        place.refuses({"train", "--data", "n", "--threads", value},
                      "--threads: expected auto or a whole number from 1 to 256");
    }
    for (const std::string value : {"abc", "", "1,2"}) {
        place.refuses_training({"--bn-eps", value}, "--bn-eps");
    }
    for (const std::string value : {"nan", "inf", "-1", "-inf", "1e999"}) {
        place.refuses_training({"--bn-eps", value}, "--bn-eps");
    }
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("a number is decimal, with zeros before it or without") {
    const Place place;
    const auto metrics = [&](const std::string& batch) {
        const Outcome outcome = byhand(place, {"train", "--data", "n", "--steps", "3", "--no-save", "--batch", batch,
                                               "--seed", batch, "--metrics", "m"});
        return outcome.code == 0 ? place.read("m") : "refused";
    };
    const std::string with_zero = metrics("010");
    CHECK((with_zero == metrics("10") || with_zero == "refused"));
    CHECK(metrics("10") != metrics("8"));
}

TEST_CASE("a value that is missing, given twice or beside another option: the message names the command") {
    const Place place;
    place.refuses({"compare", "--mine"}, "byhand: --mine: the value is missing; see byhand compare --help");
    place.refuses({"train", "--steps"}, "byhand: --steps: the value is missing; see byhand train --help");
    place.refuses({"lab", "padding", "--svg"}, "byhand: --svg: the value is missing; see byhand lab padding --help");
    place.refuses({"train", "--seed", "4", "--seed", "5"}, "--seed is given more than once; see byhand train --help");
    place.refuses_training({"--save", "m", "--no-save"}, "--save can't be combined with --no-save; see byhand train");
}

TEST_CASE("lists of widths") {
    const Place place;
    for (const std::string value : {",", "5,", ",5", "5,,6", "5;6", "5 6", "5,x", "5,-6"}) {
        place.refuses_training({"--hidden", value}, "--hidden");
    }
    place.refuses_training({"--hidden", "0"}, "--hidden");
    place.refuses_training({"--hidden", "5,0,7"}, "--hidden");
    place.refuses_training({"--hidden", "5", "6"}, "6");
}

TEST_CASE("networks that can't be") {
    const Place place;
    place.refuses_training({"--context", "0"}, "--context");
    place.refuses_training({"--embedding", "0"}, "--embedding");
    place.refuses_training({"--batch", "0"}, "--batch");
    place.refuses_training({"--batch", "1"}, "a batch of 1 row has no unbiased variance");
    place.refuses_training({"--batch", "1", "--bn-variance", "unbiased"}, "a batch of 1 row");
    place.refuses_training({"--batch", "1", "--norm", "after"}, "a batch of 1 row");
    for (const Arguments& flags : {Arguments{"--batch", "1", "--bn-variance", "biased"},
                                   Arguments{"--batch", "1", "--norm", "none"}, Arguments{"--batch", "2"}}) {
        CHECK(byhand(place, Arguments{"train", "--data", "n", "--steps", "3", "--no-save"} + flags).code == 0);
    }
}

TEST_CASE("words that are none of those known") {
    const Place place;
    place.refuses_training({"--norm", "sideways"}, "--norm: expected before, after or none, not sideways; see byhand");
    place.refuses_training({"--activation", "rel"},
                           "leaky_relu, gelu, gelu_tanh or silu, not rel; the nearest is relu");
    place.refuses({"explain", "dW"}, "no value or operation dW; the nearest are dW2 and dW1 (byhand explain lists");
    place.refuses({"explain", "layernorm"},
                  "the network has no value or operation layernorm; --recipe and the options");
    place.refuses({"exercise", "--hint", "dvarnv"}, "there is no gradient dvarnv; the nearest is dbnvar_inv (byhand");
    place.refuses({"recipes", "mlp"}, "there is no recipe or file mlp; the nearest is mlp-relu-layernorm (the recipes");
    place.refuses({"mistakes", "--mistake", "dvar"}, "no mistake matches dvar; the nearest is dvar-path-forgotten");
    place.refuses_training({"--bn-variance", "both"}, "--bn-variance");
    place.refuses_training({"--model", "magic"}, "--model");
    place.refuses({"compare", "--model", "torch"}, "--model");
    place.refuses({"compare", "--format", "poem"}, "--format");
    place.refuses({"recipes", "nope"}, "nope");
    place.refuses_training({"--recipe", "nope"}, "nope");
    place.refuses_training({"--recipe", "nope"}, "makemore-deep");
    place.refuses_training({"--recipe", "."}, ".: is a folder; name a file");
}

TEST_CASE("sizes beyond all memory are refused before any is taken") {
    const Place place;
    for (const Arguments& flags :
         {Arguments{"--hidden", "18446744073709551615"}, Arguments{"--hidden", "4294967296,4294967296"},
          Arguments{"--embedding", "9223372036854775808"}, Arguments{"--batch", "18446744073709551615"},
          Arguments{"--hidden", "99999,99999,99999"}}) {
        place.refuses_training(flags, "too large");
    }
    place.refuses_training({"--context", "18446744073709551615"}, "--context takes");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these take terabytes of addresses for themselves
TEST_CASE("where memory runs out, it is said") {
    const Place place;
    check_refused(
        byhand_under(place, "ulimit -v 2000000", {"train", "--data", "n", "--steps", "3", "--hidden", "40000,30000"}),
        "not enough memory");
    if (with_torch()) {
        const Outcome outcome = byhand_under(
            place, "ulimit -v 1500000", {"train", "--data", "n", "--model", "torch", "--no-save", "--batch", "300000"});
        CHECK(outcome.code == 2);
        CHECK(outcome.err.ends_with("byhand: not enough memory; use a smaller network, batch or file\n"));
        check_refused(byhand_under(place, "ulimit -v 600000", {"compare", "--data", "n", "--quick"}),
                      "MB of address space, more than this process may have; allow more by ulimit -v");
    }
    CHECK(place.files() == std::vector<std::string>{"n"});
}
#endif

TEST_CASE("data that is missing or no names") {
    const Place place;
    place.refuses({"train", "--data", "nothing"}, "nothing");
    place.refuses({"train", "--data", "."}, ".: is a folder");
    place.write("empty", "");
    place.refuses({"train", "--data", "empty"}, "empty");
    place.write("few", "anna\n");
    place.refuses({"train", "--data", "few"}, "few");
    place.write("nul", std::string("anna\nb\0b\n", 9));
    place.refuses({"train", "--data", "nul"}, "nul:2");
    place.write("dot", "anna\nbob\nc.d\n");
    place.refuses({"train", "--data", "dot"}, "dot:3");
    place.write("latin1", "anna\nJos\xe9\n");
    place.refuses({"train", "--data", "latin1"}, "latin1:2");
    place.write("escape", "anna\n\x1b[2J\n");
    place.refuses({"train", "--data", "escape"}, "escape:2");
    place.write("long", "anna\n" + std::string(2000, 'a') + "\n");
    place.refuses({"train", "--data", "long"}, "long:2");
    place.refuses({"train", "--data", "bad\x1b[2J\nname"}, "bad\\x1b[2J\\x0aname");
    place.refuses({"train", "--steps", "3", "--data", ""}, "--data");
}

TEST_CASE("places that can't be written are refused before the training") {
    const Place place;
    place.refuses_training({"--save", "no/such/m"}, "no/such/m");
    place.refuses_training({"--save", "."}, "folder");
    place.refuses_training({"--save", ""}, "no name");
    place.refuses_training({"--save", "m", "--no-save"}, "--no-save");
    place.refuses_training({"--metrics", ""}, "--metrics");
    place.refuses_training({"--metrics", "."}, "--metrics");
    place.refuses_training({"--metrics", "no/such/m"}, "--metrics");
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("a file that byhand did not write is not overwritten") {
    const Place place;
    const std::string header = "{\"__metadata__\":{\"format\":\"pt\"}}";
    for (const std::string& bytes : {std::string("my thesis\n"), std::string(),
                                     static_cast<char>(header.size()) + std::string(7, '\0') + header}) {
        place.write("theirs", bytes);
        // A hundred million steps would take a day: it is refused before them.
        place.refuses({"train", "--data", "n", "--steps", "100000000", "--save", "theirs"}, "theirs");
        CHECK(place.read("theirs") == bytes);
    }
    place.write("byhand.safetensors", "mine");
    place.refuses({"train", "--data", "n", "--steps", "100000000"}, "byhand.safetensors");
    CHECK(place.read("byhand.safetensors") == "mine");
    CHECK(place.files() == std::vector<std::string>{"byhand.safetensors", "n", "theirs"});
}

TEST_CASE("recipes with mistakes name the key") {
    const Place place;
    const std::string notes = byhand(place, {"recipes", "notes"}).out;
    const auto bent = [&](const std::string& piece, const std::string& other, const std::string& key) {
        std::string text = notes;
        REQUIRE(text.find(piece) != std::string::npos);
        place.write("r", text.replace(text.find(piece), piece.size(), other));
        place.refuses_training({"--recipe", "r"}, key);
        place.refuses({"recipes", "./r"}, key);
    };
    bent("\"embedding\": 2", "\"embeding\": 2", "embeding");
    bent("\"embedding\": 2", "\"embedding\": \"2\"", "network.embedding");
    bent("\"embedding\": 2", "\"embedding\": 0", "network.embedding");
    bent("\"momentum\": 0.001", "\"momentum\": 1.5", "network.norm.momentum");
    bent("\"place\": \"before\"", "\"place\": \"under\"", "network.norm.place");
    bent("{", "[", "not JSON");
    place.write("r", "");
    place.refuses_training({"--recipe", "r"}, "r");
    place.write("r", std::string(2'000'000, ' '));
    place.refuses_training({"--recipe", "r"}, "larger");
}

TEST_CASE("models that can't be read") {
    const Place place;
    for (const std::string command : {"sample", "eval"}) {
        place.refuses({command}, "byhand.safetensors");
        place.refuses({command, "nothing"}, "nothing: no such file; byhand train creates one");
        place.refuses({command, "n"}, "not a safetensors file");
        place.refuses({command, "."}, "folder");
    }
    REQUIRE(byhand(place, {"train", "--data", "n", "--steps", "3"}).code == 0);
    std::filesystem::resize_file(place.file("byhand.safetensors"),
                                 std::filesystem::file_size(place.file("byhand.safetensors")) - 1);
    place.refuses({"sample"}, "byhand.safetensors");
}

TEST_CASE("sampling with nonsense") {
    const Place place;
    REQUIRE(byhand(place, {"train", "--data", "n", "--steps", "3"}).code == 0);
    for (const std::string value : {"0", "-1", "nan", "-nan", "inf", "abc", "", "1e-9", "1e9"}) {
        place.refuses({"sample", "--temperature", value}, "--temperature");
    }
    for (const std::string value : {"0", "-1", "abc", "1.5", ""}) {
        place.refuses({"sample", "-n", value}, "-n");
    }
    place.refuses({"sample", "--seed", "-1"}, "--seed");
    place.refuses({"sample", "--prefix", "a.b"}, "--prefix");
    place.refuses({"sample", "--prefix", "Z"}, "--prefix: the model has no character 'Z'");
    place.refuses({"sample", "--prefix", "aNa"}, "; try --prefix ana");
    place.refuses({"sample", "--prefix", "\xff"}, "--prefix");
    place.refuses({"sample", "--prefix", "a\x1b[2J"}, "\\x1b");
}

TEST_CASE("comparing where nothing can be written") {
    need_torch();
    const Place place;
    place.refuses({"compare", "--output", "no/such/report"}, "no/such/report");
    place.refuses({"compare", "--output", "."}, ".");
    place.refuses({"compare", "--output", ""}, "--output");
    place.refuses({"compare", "--dump", ""}, "--dump");
    place.refuses({"compare", "--dump", "no/such/dump.npz"}, "no/such/dump.npz");
    for (const std::string file : {"theirs.npz", "theirs.safetensors"}) {
        place.write(file, "mine");
        place.refuses({"compare", "--dump", file}, "not written by byhand");
        CHECK(place.read(file) == "mine");
        std::filesystem::remove(place.file(file));
    }
    for (const std::string name : {"dump", "dump.npy", "dump.NPZ", "npz", "dump.npz.gz", "dump.st"}) {
        place.refuses({"compare", "--dump", name}, name + ": tensors are written as .safetensors or .npz; ");
    }
    for (const std::string flag : {"--steps", "--every"}) {
        for (const std::string value : {"0", "-1", "x", ""}) {
            place.refuses({"compare", flag, value}, flag);
        }
    }
    CHECK(place.files() == std::vector<std::string>{"n"});
}

TEST_CASE("without LibTorch, comparing says so and how to have it") {
    if (with_torch()) {
        SKIP("LibTorch is available");
    }
    const Place place;
    place.refuses({"compare"}, "BYHAND_WITH_TORCH");
    place.refuses_training({"--model", "torch"}, "BYHAND_WITH_TORCH");
}

TEST_CASE("a file that is read, or written already, is not written over") {
    const Place place;
    REQUIRE(byhand(place, {"train", "--data", "n", "--hidden", "5", "--steps", "2", "--save", "m"}).code == 0);
    place.write("r.json", byhand(place, {"recipes", "notes"}).out);
    place.write("rows", "a 1 2\nb 3 4\n");
    place.write("own.cpp", "");
    std::filesystem::create_symlink("n", place.path() / "link");
    std::filesystem::create_symlink("m", place.path() / "m.safetensors");
    std::filesystem::create_hard_link(place.file("m"), place.file("hard"));
    std::map<std::string, std::string> before;
    for (const std::string& file : place.files()) {
        before[file] = place.read(file);
    }
    const Arguments train = {"train", "--data", "n", "--steps", "3"};
    std::vector<Arguments> commands = {train + Arguments{"--no-save", "--metrics", "n"},
                                       train + Arguments{"--no-save", "--metrics", "link"},
                                       train + Arguments{"--no-save", "--metrics", "./n"},
                                       train + Arguments{"--no-save", "--metrics", "m"},
                                       train + Arguments{"--no-save", "--recipe", "r.json", "--metrics", "r.json"},
                                       train + Arguments{"--save", "new", "--metrics", "new"},
                                       train + Arguments{"--metrics", "byhand.safetensors"},
                                       train + Arguments{"--resume", "m", "--metrics", "m"},
                                       {"eval", "m", "--data", "n", "--logits", "m"},
                                       {"eval", "m", "--data", "n", "--logits", "hard"},
                                       {"diff", "m", "hard", "--output", "m"},
                                       {"exercise", "own.cpp", "--output", "own.cpp"},
                                       {"lab", "padding", "--file", "rows", "--html", "rows"},
                                       {"lab", "invariance", "--svg", "./h", "--html", "h"},
                                       {"lab", "walkthrough", "--data", "n", "--html", "n"},
                                       {"bench", "--recipe", "r.json", "--sweep", "batch=8..8", "--svg", "r.json"}};
    if (with_torch()) {
        commands.push_back({"compare", "--data", "n", "--output", "n"});
        commands.push_back({"compare", "--data", "n", "--mine", "m", "--output", "m"});
        commands.push_back({"compare", "--data", "n", "--dump", "d.npz", "--output", "d.npz"});
        commands.push_back({"compare", "--data", "n", "--dump", "m.safetensors"});
    }
    for (const Arguments& command : commands) {
        place.refuses(command, command.back());
    }
    for (const auto& [file, bytes] : before) {
        CAPTURE(file);
        CHECK(place.read(file) == bytes);
    }
    CHECK(place.files().size() == before.size());
    // What is meant, or harms nobody.
    CHECK(byhand(place, train + Arguments{"--resume", "m", "--hidden", "5", "--save", "m"}).code == 0);
    CHECK(byhand(place, {"lab", "columns", "--no-plot", "--html", "/dev/null"}).code == 0);
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
        std::filesystem::copy_file(std::filesystem::path(BYHAND_SOURCES) / file, share / file);
        const std::string path = "share/byhand/" + file, before = place.read(path);
        for (const Arguments& command : {Arguments{"exercise"}, Arguments{"diff", "n", "n"}}) {
            check_refused(Process(place, place.file("bin/byhand"), command + Arguments{"--output", path}, {}).wait(),
                          path + ": --output would overwrite a file shipped with byhand");
        }
        CHECK(place.read(path) == before);
    }
}

TEST_CASE("what is printed and what is written don't go to one file") {
    const Place place;
    const Arguments train = {"train", "--data", "n", "--steps", "3", "--no-save", "--metrics"};
    for (const std::string into : {">l", ">>l", "2>l", ">l 2>&1"}) {
        for (const std::string metrics : {"l", "./l", into.starts_with('2') ? "/dev/stderr" : "/dev/stdout"}) {
            CAPTURE(into, metrics);
            place.write("l", "");
            const Outcome outcome = byhand_under(place, "exec " + into, train + Arguments{metrics});
            CHECK(outcome.code == 2);
            CHECK(place.read("l").find("step\":") == std::string::npos);
        }
    }
    place.write("l", "kept\n");
    CHECK(byhand_under(place, "exec >>l", {"diff", "n", "n", "--output", "/dev/stdout"}).code == 2);
    CHECK(place.read("l").starts_with("kept\n"));
    // A pipe takes what comes from several.
    const Arguments words = Arguments{"-c", "\"$0\" \"$@\" | cat >k", byhand_program()} + train;
    CHECK(Process(place, "/bin/sh", words + Arguments{"/dev/stdout"}, {}).wait().code == 0);
    CHECK(place.read("k").find("step\":2") != std::string::npos);
}

TEST_CASE("metrics are written over metrics and nothing else") {
    const Place place;
    const Arguments train = {"train", "--data", "n", "--steps", "3", "--log-every", "1", "--no-save", "--metrics", "l"};
    for (const std::string& theirs :
         {std::string("x"), std::string("emma\n"), std::string("{\"step\":0}\n"),
          std::string("{\"step\":0,\"loss\":{}}\n"), std::string("{\"step\":0,\"loss\":1 }\n"),
          "{\"step\":" + std::string(300, '1')}) {
        place.write("l", theirs);
        place.refuses(train, "l: not a metrics file");
        CHECK(place.read("l") == theirs);
    }
    std::filesystem::remove(place.file("l"));
    REQUIRE(byhand(place, train).code == 0);
    const std::string right = place.read("l");
    for (const std::string& old : {right, right + right, std::string(), std::string("{\"step\":0,\"lo"),
                                   std::string("{\"step\":0,\"loss\":\"-inf\"}\n")}) {
        place.write("l", old);
        CHECK(byhand(place, train).code == 0);
        CHECK(place.read("l") == right);
    }
}

TEST_CASE("a network that asks for more than there is to see, or to hold, is refused before the work") {
    const Place place;
    place.refuses_training({"--context", "1025"}, "--context");
    place.refuses_training({"--recipe", "makemore-wavenet", "--context", "6"}, "3 positions can't be joined by 2s");
    place.refuses_training({"--norm", "none", "--norm-kind", "layer"}, "contradict each other");
    CHECK(byhand(place, {"train", "--data", "n", "--context", "1024", "--embedding", "1", "--hidden", "1", "--batch",
                         "2", "--steps", "1", "--no-save"})
              .code == 0);
}

}  // namespace cli_test
