// Each kind of invalid recipe, and its one-line message.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/message_of.h"
#include "recipe/recipe.h"
#include "recipe/sample.h"

using namespace byhand;
using byhand::test::kSample;
using byhand::test::sample_with;

namespace {

// The message, or "" if the text is accepted.
std::string refusal(const std::string& text, const std::string& where = "x.json") {
    return test::message_of([&] { recipe_from_json(text, where); });
}

std::string repeated(const std::string& piece, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
        all += piece;
    }
    return all;
}

struct Case {
    std::string piece, other;  // in kSample
    std::string message;       // after "recipe x.json: "
};

void check(const Case& wrong) {
    CAPTURE(wrong.piece, wrong.other);
    REQUIRE(kSample.find(wrong.piece) != std::string::npos);
    CHECK(refusal(sample_with(wrong.piece, wrong.other)) == "recipe x.json: " + wrong.message);
}

}  // namespace

TEST_CASE("recipe: a value out of range is refused") {
    const std::string width = ", takes a whole number from 1 to 2147483648";
    const std::string context = ", takes a whole number from 1 to 1024";
    const std::string seed = ", takes a whole number from 0 to 18446744073709551615";
    for (const Case& wrong : {
             Case{"0.75", "1.5", "network.norm.momentum: is 1.5, takes a number from 0 to 1"},
             Case{"0.75", "-1", "network.norm.momentum: is -1, takes a number from 0 to 1"},
             Case{"0.75", "\"high\"", "network.norm.momentum: is \"high\", takes a number from 0 to 1"},
             Case{"0.75", "1e999", "network.norm.momentum: is 1e999, more than a double holds"},
             Case{"0.75", "-1e999", "network.norm.momentum: is -1e999, more than a double holds"},
             Case{"0.001", "-0.001",
                  "network.norm.epsilon: is -0.001, takes a number from 0 to 1.7976931348623157e+308"},
             Case{"0.001", "null", "network.norm.epsilon: is null, takes a number from 0 to 1.7976931348623157e+308"},
             Case{"\"outside\"", "\"none\"",
                  "network.norm.epsilon: is 0.001, but epsilon_place is \"none\": give \"inside\" or \"outside\", or "
                  "leave epsilon out"},
             Case{"\"context\": 5", "\"context\": 0", "network.context: is 0" + context},
             Case{"\"context\": 5", "\"context\": -3", "network.context: is -3" + context},
             Case{"\"context\": 5", "\"context\": 3.0", "network.context: is 3.0" + context},
             Case{"\"context\": 5", "\"context\": 1025", "network.context: is 1025" + context},
             Case{"\"embedding\": 7", "\"embedding\": 2147483649", "network.embedding: is 2147483649" + width},
             Case{"\"embedding\": 7", "\"embedding\": true", "network.embedding: is true" + width},
             Case{"[11, 1, 13]", "[11, 0, 13]", "network.hidden[1]: is 0" + width},
             Case{"[11, 1, 13]", "[11, 1, 1e999]", "network.hidden[2]: is 1e999, more than a double holds"},
             Case{"[11, 1, 13]", "[]", "network.hidden: is an array of 0, takes an array of 1 to 64"},
             Case{"[11, 1, 13]", "100", "network.hidden: is 100, takes an array of 1 to 64"},
             Case{"[11, 1, 13]", "[" + repeated("3, ", 64) + "3]",
                  "network.hidden: is an array of 65, takes an array of 1 to 64"},
             Case{"\"size\": 17", "\"size\": 0", "batches.size: is 0" + width},
             Case{"\"seed\": 3", "\"seed\": -3", "batches.seed: is -3" + seed},
             Case{"\"seed\": 23", "\"seed\": 18446744073709551616", "sample.seed: is 1.8446744073709552e+19" + seed},
             Case{"\"split_seed\": 9", "\"split_seed\": 1.5", "data.split_seed: is 1.5" + seed},
             Case{"18446744073709551615", "null", "initial.seed: is null" + seed},
             Case{"[0.5, 0.625]", "[0.5]", "data.split: is an array of 1, takes an array of 2"},
             Case{"[0.5, 0.625]", "[0.5, \"b\"]", "data.split[1]: is \"b\", takes a number from 0 to 1"},
             Case{"[0.5, 0.625]", "[0.5, 1.01]", "data.split[1]: is 1.01, takes a number from 0 to 1"},
             Case{"\"steps\": 19", "\"steps\": -1",
                  "schedule.steps: is -1, takes a whole number from 0 to 1000000000000000"},
             Case{"\"rate\": 2", "\"rate\": 0", "schedule.rates[0].rate: is 0, takes a number from 1e-30 to 1e+30"},
             Case{"\"rate\": 0.1", "\"rate\": -0.1",
                  "schedule.rates[1].rate: is -0.1, takes a number from 1e-30 to 1e+30"},
             Case{"\"from\": 0", "\"from\": 1", "schedule.rates[0].from: is 1, but the first rate holds from 0"},
             Case{"\"from\": 4", "\"from\": 0",
                  "schedule.rates[1].from: is 0, but the rate before it holds from 0: let the steps rise"},
             Case{"[{\"from\": 0, \"rate\": 2}, {\"from\": 4, \"rate\": 0.1}]", "[]",
                  "schedule.rates: is an array of 0, takes an array of 1 to 1024"},
             Case{"0.125", "1e31", "initial.rules[2].constant: is 1e+31, takes a number from -1e+30 to 1e+30"},
         }) {
        check(wrong);
    }
    for (const std::string cuts : {"[0, 0.5]", "[0.5, 0.5]", "[0.75, 0.5]", "[0.5, 1]"}) {
        check({"[0.5, 0.625]", cuts, "data.split: takes two cuts that leave three parts: 0 < first < second < 1"});
    }
}

TEST_CASE("recipe: unknown options of an optimizer, and invalid values, are refused") {
    const auto check_optimizer = [](const std::string& options, const std::string& message) {
        check({"\"schedule\"", "\"optimizer\": {" + options + "}, \"schedule\"", "optimizer" + message});
    };
    const std::string adamw = R"("name": "adamw", )", sgd = R"("name": "sgd", )";
    check_optimizer("", ".name: is missing; add it");
    check_optimizer(R"("name": "adam")", R"(.name: is "adam", takes "sgd" or "adamw")");
    check_optimizer(adamw + R"("momentum": 0.9)", R"(.momentum: is 0.9, but goes with "sgd" only: leave it out)");
    check_optimizer(adamw + R"("nesterov": true)", R"(.nesterov: is true, but goes with "sgd" only: leave it out)");
    check_optimizer(sgd + R"("beta1": 0.9)", R"(.beta1: is 0.9, but goes with "adamw" only: leave it out)");
    check_optimizer(sgd + R"("beta2": 0.9)", R"(.beta2: is 0.9, but goes with "adamw" only: leave it out)");
    check_optimizer(sgd + R"("epsilon": 1)", R"(.epsilon: is 1, but goes with "adamw" only: leave it out)");
    check_optimizer(sgd + R"("nesterov": true)",
                    ".nesterov: is true, but goes with a momentum above 0: give one, or leave it out");
    check_optimizer(sgd + R"("momentum": 1.5)", ".momentum: is 1.5, takes a number from 0 to 1");
    check_optimizer(sgd + R"("weight_decay": -1)", ".weight_decay: is -1, takes a number from 0 to 1e+30");
    check_optimizer(adamw + R"("beta1": 1)", ".beta1: is 1, takes a number from 0 to 0.9999999");
    check_optimizer(adamw + R"("beta2": -0.1)", ".beta2: is -0.1, takes a number from 0 to 0.9999999");
    check_optimizer(adamw + R"("epsilon": 0)", ".epsilon: is 0, takes a number from 1e-30 to 1e+30");
    check_optimizer(sgd + R"("momentun": 0.9)",
                    ".momentun: no such key; the nearest is momentum (known: name, momentum, nesterov, "
                    "weight_decay)");
}

TEST_CASE("recipe: a transition of the rate is refused if it has no next entry, or is unknown") {
    check({"\"rate\": 0.1", R"("rate": 0.1, "then": "cosine")",
           "schedule.rates[1].then: no rate comes after the last: add one, or leave it out"});
    check({"\"rate\": 2", R"("rate": 2, "then": "linearly")",
           R"(schedule.rates[0].then: is "linearly", takes "hold", "linear" or "cosine")"});
}

TEST_CASE("recipe: an invalid choice and a wrong type are refused") {
    for (const Case& wrong : {
             Case{"\"after\"", "\"behind\"",
                  "network.norm.place: is \"behind\", takes \"before\", \"after\" or \"none\""},
             Case{"\"batch_divisor\": \"n\"", "\"batch_divisor\": \"m\"",
                  "network.norm.batch_divisor: is \"m\", takes \"n\" or \"n-1\""},
             Case{"\"running_divisor\": \"n\"", "\"running_divisor\": 1",
                  "network.norm.running_divisor: is 1, takes \"n\" or \"n-1\""},
             Case{"\"deviation\"", "\"std\"", "network.norm.running: is \"std\", takes \"variance\" or \"deviation\""},
             Case{"\"old\"", "[]", "network.norm.momentum_of: is an array of 0, takes \"new\" or \"old\""},
             Case{"\"outside\"", "{}",
                  "network.norm.epsilon_place: is an object, takes \"inside\", \"outside\" or \"none\""},
             Case{"\"training-set\"", "\"training\"",
                  "network.norm.evaluation: is \"training\", takes \"running\" or \"training-set\""},
             Case{"\"affine\": false", "\"affine\": 0", "network.norm.affine: is 0, takes true or false"},
             Case{"{\"hidden\": false, \"output\": false}", "false", "network.bias: is false, takes an object"},
             Case{"\"odd\"", "7", "name: is 7, takes one line of text, 1 to 100 bytes without control characters"},
             Case{"\"odd\"", "\"\"",
                  "name: is \"\", takes one line of text, 1 to 100 bytes without control characters"},
             Case{"\"nothing by default\"", "\"two\\nlines\\u001b[2J\"",
                  "about: is \"two\\x0alines\\x1b[2J\", takes one line of text, 1 to 1000 bytes without control "
                  "characters"},
             Case{"\"parameter\": \"C\"", "\"parameter\": \"W1\"",
                  "initial.rules[0].parameter: is \"W1\", takes \"C\", \"W\", \"b\", \"bngain\", \"bnbias\", "
                  "\"bnmean_running\", \"bnvar_running\", \"lngain\", \"lnbias\" or \"rmsgain\""},
             Case{"\"layers\": \"output\"", "\"layers\": \"last\"",
                  "initial.rules[2].layers: is \"last\", takes \"all\", \"hidden\" or \"output\""},
             Case{"\"sqrt_fan_in\"", "\"fan_in\"", "initial.rules[1].over: is \"fan_in\", takes \"sqrt_fan_in\""},
         }) {
        check(wrong);
    }
}

TEST_CASE("recipe: a rule with too many or too few keys is refused") {
    const std::string either = "initial.rules[2]: takes either \"normal\" or \"constant\", not both and not neither";
    for (const Case& wrong : {
             Case{", \"constant\": 0.125", "", either},
             Case{"\"constant\": 0.125", "\"constant\": 0.125, \"normal\": 1", either},
             Case{"\"constant\": 0.125", "\"constant\": 0.125, \"plus\": 1",
                  "initial.rules[2].plus: is 1, but goes with \"normal\" only: leave it out"},
             Case{"\"constant\": 0.125", "\"constant\": 0.125, \"over\": \"sqrt_fan_in\"",
                  "initial.rules[2].over: is \"sqrt_fan_in\", but goes with \"normal\" only: leave it out"},
             Case{"\"normal\": 0.5", "\"normal\": 0.5, \"over\": \"sqrt_fan_in\"",
                  "initial.rules[0].over: is \"sqrt_fan_in\", but C has no fan-in: leave it out"},
             Case{"\"normal\": 0.5", "\"normal\": 0.5, \"layers\": \"hidden\"",
                  "initial.rules[0].layers: is \"hidden\", but C belongs to no layer: leave it out"},
         }) {
        check(wrong);
    }
}

TEST_CASE("recipe: an unknown key is refused with the nearest one, and with those that are known") {
    for (const Case& wrong : {
             Case{
                 "\"momentum\"", "\"momentm\"",
                 "network.norm.momentm: no such key; the nearest is momentum (known: kind, place, output, affine, "
                 "batch_divisor, running_divisor, running, momentum, momentum_of, epsilon, epsilon_place, evaluation)"},
             Case{"\"batch_divisor\"", "\"batchdivisor\"",
                  "network.norm.batchdivisor: no such key; the nearest is batch_divisor (known: kind, place, output, "
                  "affine, batch_divisor, running_divisor, running, momentum, momentum_of, epsilon, epsilon_place, "
                  "evaluation)"},
             Case{"\"embedding\"", "\"embeding\"",
                  "network.embeding: no such key; the nearest is embedding (known: context, embedding, layers, hidden, "
                  "flatten, bias, activation, residual, tied, norm)"},
             Case{"\"context\"", "\"context_size\"",
                  "network.context_size: no such key; the nearest is context (known: context, embedding, layers, "
                  "hidden, flatten, bias, activation, residual, tied, norm)"},
             Case{"{\"hidden\": false", "{\"hiden\": false",
                  "network.bias.hiden: no such key; the nearest is hidden (known: hidden, output)"},
             Case{"\"rate\": 0.1", "\"Rate\": 0.1",
                  "schedule.rates[1].Rate: no such key; the nearest is rate (known: from, rate, then)"},
             Case{"\"constant\"", "\"constants\"",
                  "initial.rules[2].constants: no such key; the nearest is constant (known: parameter, layers, normal, "
                  "over, plus, constant)"},
             Case{"\"split_seed\"", "\"seed\"",
                  "data.seed: no such key; the nearest is split_seed (known: split_seed, split)"},
             Case{"\"schedule\"", "\"shedule\"",
                  "shedule: no such key; the nearest is schedule (known: name, about, network, initial, data, batches, "
                  "optimizer, schedule, sample)"},
             Case{"\"size\"", "\"\\u001b[2J\\u009b\"",
                  "batches.\\x1b[2J\\xc2\\x9b: no such key (known: size, seed, parts)"},
             Case{"\"size\"", "\"\"", "batches.\"\": no such key (known: size, seed, parts)"},
         }) {
        check(wrong);
    }
    CHECK(refusal(sample_with("\"size\"", "\"" + std::string(1'000'000, 'q') + "\"")).size() < 200);
}

TEST_CASE("recipe: a duplicate key is refused") {
    check({"\"affine\": false", "\"affine\": false, \"affine\": true", "network.norm.affine: duplicate key; keep one"});
    check({"\"sample\"", "\"name\": \"other\", \"sample\"", "name: duplicate key; keep one"});
    check({"\"rate\": 0.1", "\"rate\": 0.1, \"from\": 5", "schedule.rates[1].from: duplicate key; keep one"});
    check({"\"rate\": 0.1", "\"rate\": 0.1, \"fr\\u006fm\": 5", "schedule.rates[1].from: duplicate key; keep one"});
}

TEST_CASE("recipe: a missing key is refused") {
    check({"\"name\": \"odd\",", "", "name: is missing; add it"});
    check({"\"steps\": 19, ", "", "schedule.steps: is missing; add it"});
    check({", \"rate\": 2", "", "schedule.rates[0].rate: is missing; add it"});
    check({"\"parameter\": \"C\", ", "", "initial.rules[0].parameter: is missing; add it"});
    CHECK(refusal("{}") == "recipe x.json: name: is missing; add it");
}

TEST_CASE("recipe: text that is not JSON is refused with its line and column") {
    CHECK(refusal("") == "recipe x.json: line 1, column 1: not JSON: the text ends here");
    CHECK(refusal("{\n  \"name\": \"x\",\n  }") == "recipe x.json: line 3, column 3: not JSON: unexpected \"}\"");
    CHECK(refusal("{} {}") == "recipe x.json: line 1, column 4: not JSON: unexpected \"{}\"");
    CHECK(refusal("{\"name\": NaN}") == "recipe x.json: line 1, column 10: not JSON: unexpected \"NaN}\"");
    CHECK(refusal("{\"a\": \"\x1b[2J\"}") == "recipe x.json: line 1, column 8: not JSON: unexpected \"\\x1b[2J\"}\"");
    CHECK(refusal("{\"a\": \"\xff\"}") == "recipe x.json: line 1, column 8: not JSON: unexpected \"\\xff\"}\"");
    CHECK(refusal(kSample.substr(0, kSample.size() - 1)).find("the text ends here") != std::string::npos);
    CHECK(refusal("[]") == "recipe x.json: is an array of 0, takes an object");
    CHECK(refusal("7") == "recipe x.json: is 7, takes an object");
    CHECK(refusal(std::string("{}\0", 3)) == "recipe x.json: line 1, column 3: not JSON: unexpected \"\\x00\"");
}

TEST_CASE("recipe: nesting depth is limited") {
    CHECK(refusal(repeated("[", 1'000'000)) == "recipe x.json: nested more than 32 deep");
    CHECK(refusal(repeated("{\"a\":", 1'000'000)) == "recipe x.json: nested more than 32 deep");
    CHECK(refusal(repeated("[", 32) + repeated("]", 32)) == "recipe x.json: is an array of 1, takes an object");
    CHECK(refusal(repeated("[", 33) + repeated("]", 33)) == "recipe x.json: nested more than 32 deep");
}

TEST_CASE("recipe: the file's name is made printable") {
    CHECK(refusal("[]", "a\nb\x1b[2J") == "recipe a\\x0ab\\x1b[2J: is an array of 0, takes an object");
}

TEST_CASE("recipe: with any piece removed or duplicated, it is either accepted or refused with a message") {
    // Any changed text is either accepted or refused in one line.
    for (std::size_t at = 0; at < kSample.size(); ++at) {
        for (const std::string piece : {"", "{", "]", "\"", "-", "9", "\x80", "\n"}) {
            std::string text = kSample;
            text.replace(at, 1, piece);
            const std::string message = refusal(text);
            CAPTURE(text, message);
            REQUIRE(message.find('\n') == std::string::npos);
            REQUIRE((message.empty() || message.starts_with("recipe x.json: ")));
        }
    }
}
