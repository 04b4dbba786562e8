// The gradients of note 1's network by hand, in plain loops:   mine DUMP OUT
//
// DUMP is what `byhand compare --dump DUMP` wrote: its forward values are taken from there, as LibTorch computed them.
// OUT gets the gradients, each under its bare name, for `byhand compare --mine OUT`. Nothing but the standard library.
//
//   g++ -std=c++20 -O2 examples/mine.cpp -o mine
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian, and copied as they are");

namespace {

using Shape = std::vector<std::size_t>;

[[noreturn]] void refuse(const std::string& what) {
    throw std::runtime_error(what);
}

// ---- JSON, as much of it as a dump needs ----

struct Json {
    std::string text;               // a string's characters; of a number, true, false and null the word itself
    std::vector<std::string> keys;  // of an object, one an item
    std::vector<Json> items;        // of an object or an array

    const Json& operator[](std::string_view key) const {
        const auto found = std::find(keys.begin(), keys.end(), key);
        if (found == keys.end()) {
            refuse("\"" + std::string(key) + "\" is missing");
        }
        return items[static_cast<std::size_t>(found - keys.begin())];
    }
};

class JsonReader {
public:
    explicit JsonReader(std::string_view text) : text_(text) {}

    Json value(int depth = 0) {
        Json json;
        if (depth > 32) {
            fail();
        }
        if (const char first = next(); first == '"') {
            json.text = string();
        } else if (first == '{' || first == '[') {
            const char last = first == '{' ? '}' : ']';
            ++at_;
            while (next() != last) {
                if (!json.items.empty()) {
                    take(',');
                }
                if (first == '{') {
                    json.keys.push_back(string());
                    take(':');
                }
                json.items.push_back(value(depth + 1));
            }
            ++at_;
        } else {
            const std::size_t length = text_.substr(at_).find_first_of(",]} \n\r\t");
            json.text = text_.substr(at_, length);
            at_ += json.text.size();
            if (json.text.empty()) {
                fail();
            }
        }
        return json;
    }

private:
    [[noreturn]] void fail() const { refuse("no JSON that is known here at its character " + std::to_string(at_)); }

    // The next character that is no white space, left where it is.
    char next() {
        at_ = std::min(text_.find_first_not_of(" \n\r\t", at_), text_.size());
        if (at_ == text_.size()) {
            fail();
        }
        return text_[at_];
    }

    void take(char wanted) {
        if (next() != wanted) {
            fail();
        }
        ++at_;
    }

    std::string string() {
        std::string result;
        take('"');
        while (at_ < text_.size() && text_[at_] != '"') {
            char c = text_[at_++];
            if (c == '\\' && at_ < text_.size()) {
                constexpr std::string_view kWritten = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
                const std::size_t which = kWritten.find(text_[at_++]);
                c = which < kMeant.size() ? kMeant[which] : '?';  // of \u00e9 "?00e9" is left: nothing here needs it
            }
            result += c;
        }
        take('"');
        return result;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

template <class Number>
Number number(const Json& json) {
    Number result{};
    const char* end = json.text.data() + json.text.size();
    if (const auto [stop, error] = std::from_chars(json.text.data(), end, result);
        stop != end || error != std::errc{}) {
        refuse("what should be a number is none, or does not fit");
    }
    return result;
}

// ---- safetensors: 8 bytes of header length, a header in JSON, the tensors ----

class Dump {
public:
    explicit Dump(const std::string& path) {
        std::ostringstream all;
        if (const std::ifstream file(path, std::ios::binary); !file || !(all << file.rdbuf())) {
            refuse("it can't be read, or is empty");
        }
        bytes_ = all.str();
        std::uint64_t length = 0;
        if (bytes_.size() < sizeof length) {
            refuse("it ends within its first 8 bytes");
        }
        std::memcpy(&length, bytes_.data(), sizeof length);
        if (length > bytes_.size() - sizeof length) {
            refuse("it ends within its header");
        }
        start_ = sizeof length + length;
        header_ = JsonReader(std::string_view(bytes_).substr(sizeof length, length)).value();
        for (const std::string& name : header_.keys) {
            if (name != "__metadata__" && range(name).end > bytes_.size() - start_) {
                refuse("it ends before its tensors do");
            }
        }
    }

    // What the recipe says of the network.
    Json network() const { return JsonReader(header_["__metadata__"]["recipe"].text).value()["network"]; }

    Shape shape(const std::string& name, std::size_t axes) const {
        Shape shape;
        for (const Json& extent : header_[name]["shape"].items) {
            shape.push_back(number<std::size_t>(extent));
        }
        if (shape.size() != axes || std::find(shape.begin(), shape.end(), 0) != shape.end()) {
            refuse(name + " has another shape than is known here");
        }
        return shape;
    }

    std::vector<float> floats(const std::string& name, const Shape& shape) const {
        return values<float>("torch/" + name, "F32", shape);
    }

    // Numbers of characters, all below V.
    std::vector<std::size_t> characters(const std::string& name, const Shape& shape, std::size_t V) const {
        std::vector<std::size_t> result;
        for (const std::int64_t value : values<std::int64_t>(name, "I64", shape)) {
            if (value < 0 || static_cast<std::uint64_t>(value) >= V) {
                refuse(name + " holds " + std::to_string(value) + ", which is no character");
            }
            result.push_back(static_cast<std::size_t>(value));
        }
        return result;
    }

private:
    struct Range {
        std::size_t begin, end;  // counted from start_
    };

    Range range(const std::string& name) const {
        const std::vector<Json>& offsets = header_[name]["data_offsets"].items;
        if (offsets.size() != 2) {
            refuse("data_offsets are not two numbers");
        }
        return {number<std::size_t>(offsets[0]), number<std::size_t>(offsets[1])};
    }

    template <class Number>
    std::vector<Number> values(const std::string& name, const char* dtype, const Shape& expected) const {
        if (header_[name]["dtype"].text != dtype || shape(name, expected.size()) != expected) {
            refuse(name + " has another dtype or shape than is known here");
        }
        std::size_t count = 1;
        for (const std::size_t extent : expected) {
            count = extent > bytes_.size() / count ? 0 : count * extent;
            if (count == 0) {
                refuse(name + " is larger than the file");
            }
        }
        const auto [begin, end] = range(name);
        if (begin > end || end - begin != count * sizeof(Number)) {
            refuse("the bytes of " + name + " do not fit its shape");
        }
        std::vector<Number> result(count);
        std::memcpy(result.data(), bytes_.data() + start_ + begin, end - begin);
        return result;
    }

    std::string bytes_;
    std::size_t start_ = 0;  // where the tensors begin
    Json header_;
};

struct Tensor {
    std::string name;
    Shape shape;
    std::vector<float> values;
};

void write(const std::string& path, const std::vector<Tensor>& tensors) {
    std::string header = "{";
    std::size_t end = 0;
    for (const Tensor& tensor : tensors) {
        std::string extents;
        for (const std::size_t extent : tensor.shape) {
            extents += (extents.empty() ? "" : ",") + std::to_string(extent);
        }
        const std::size_t begin = end;
        end += tensor.values.size() * sizeof(float);
        header += (begin == 0 ? "\"" : ",\"") + tensor.name + R"(":{"dtype":"F32","shape":[)" + extents +
                  R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
    }
    header += "}";
    header.append((8 - header.size() % 8) % 8, ' ');
    const std::uint64_t length = header.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length) << header;
    for (const Tensor& tensor : tensors) {
        file.write(reinterpret_cast<const char*>(tensor.values.data()),
                   static_cast<std::streamsize>(tensor.values.size() * sizeof(float)));
    }
    if (!file.flush()) {
        refuse("it can't be written");
    }
}

// ---- the backward pass: from the loss to C ----

std::vector<Tensor> gradients(const Dump& dump) {
    const Json network = dump.network();
    const Json &norm = network["norm"], &bias = network["bias"];
    if (network["hidden"].items.size() != 1 || norm["place"].text != "before" || norm["output"].text != "false" ||
        norm["affine"].text != "true" || norm["epsilon_place"].text == "outside" ||
        (norm["batch_divisor"].text != "n" && norm["batch_divisor"].text != "n-1")) {
        refuse(
            "its network is not written here: one hidden layer, one batch norm, before the tanh, with gain and "
            "bias, epsilon inside the root");
    }
    const Shape shape_X = dump.shape("X", 2), shape_C = dump.shape("torch/C", 2);
    const std::size_t n = shape_X[0], T = shape_X[1], V = shape_C[0], E = shape_C[1];
    const std::size_t H = dump.shape("torch/W1", 2)[1], inputs = T * E;
    if (n == 1 && norm["batch_divisor"].text == "n-1") {
        refuse("a batch of one row has no variance to divide by n - 1");
    }
    const auto rows = static_cast<float>(n);
    const float divisor = norm["batch_divisor"].text == "n" ? rows : rows - 1.0f;
    const auto epsilon = static_cast<float>(number<double>(norm["epsilon"]));

    const auto X = dump.characters("X", {n, T}, V), Y = dump.characters("Y", {n}, V);
    const auto embcat = dump.floats("embcat", {n, inputs}), W1 = dump.floats("W1", {inputs, H});
    const auto bndiff = dump.floats("bndiff", {n, H}), bnvar = dump.floats("bnvar", {H});
    const auto bnvar_inv = dump.floats("bnvar_inv", {H}), bnraw = dump.floats("bnraw", {n, H});
    const auto bngain = dump.floats("bngain", {H}), h = dump.floats("h", {n, H}), W2 = dump.floats("W2", {H, V});
    const auto logits = dump.floats("logits", {n, V}), counts = dump.floats("counts", {n, V});
    const auto counts_sum = dump.floats("counts_sum", {n}), counts_sum_inv = dump.floats("counts_sum_inv", {n});
    const auto probs = dump.floats("probs", {n, V});

    // dlogprobs = −1/n at the right answers
    std::vector<float> dlogprobs(n * V);
    for (std::size_t i = 0; i < n; ++i) {
        dlogprobs[i * V + Y[i]] = -1.0f / rows;
    }

    // dprobs = dlogprobs / probs
    std::vector<float> dprobs(n * V);
    for (std::size_t at = 0; at < n * V; ++at) {
        dprobs[at] = dlogprobs[at] / probs[at];
    }

    // dcounts_sum_inv = Σ counts·dprobs, along each row
    std::vector<float> dcounts_sum_inv(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            dcounts_sum_inv[i] += counts[i * V + j] * dprobs[i * V + j];
        }
    }

    // dcounts_sum = −counts_sum⁻²·dcounts_sum_inv
    std::vector<float> dcounts_sum(n);
    for (std::size_t i = 0; i < n; ++i) {
        dcounts_sum[i] = -dcounts_sum_inv[i] / (counts_sum[i] * counts_sum[i]);
    }

    // dcounts = counts_sum_inv·dprobs + dcounts_sum
    std::vector<float> dcounts(n * V);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            dcounts[i * V + j] = counts_sum_inv[i] * dprobs[i * V + j] + dcounts_sum[i];
        }
    }

    // dnorm_logits = counts·dcounts
    std::vector<float> dnorm_logits(n * V);
    for (std::size_t at = 0; at < n * V; ++at) {
        dnorm_logits[at] = counts[at] * dcounts[at];
    }

    // dlogit_maxes = −Σ dnorm_logits, along each row
    std::vector<float> dlogit_maxes(n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            dlogit_maxes[i] -= dnorm_logits[i * V + j];
        }
    }

    // dlogits = dnorm_logits, and dlogit_maxes on top at each row's maximum
    std::vector<float> dlogits(n * V);
    for (std::size_t i = 0; i < n; ++i) {
        const float* row = logits.data() + i * V;
        const auto top = static_cast<std::size_t>(std::max_element(row, row + V) - row);
        for (std::size_t j = 0; j < V; ++j) {
            dlogits[i * V + j] = dnorm_logits[i * V + j] + (j == top ? dlogit_maxes[i] : 0.0f);
        }
    }

    // dh = dlogits·W2ᵀ
    std::vector<float> dh(n * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < H; ++k) {
            for (std::size_t j = 0; j < V; ++j) {
                dh[i * H + k] += dlogits[i * V + j] * W2[k * V + j];
            }
        }
    }

    // dW2 = hᵀ·dlogits
    std::vector<float> dW2(H * V);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < H; ++k) {
            for (std::size_t j = 0; j < V; ++j) {
                dW2[k * V + j] += h[i * H + k] * dlogits[i * V + j];
            }
        }
    }

    // db2 = Σ dlogits, down each column
    std::vector<float> db2(V);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            db2[j] += dlogits[i * V + j];
        }
    }

    // dhpreact = (1 − h²)·dh
    std::vector<float> dhpreact(n * H);
    for (std::size_t at = 0; at < n * H; ++at) {
        dhpreact[at] = (1.0f - h[at] * h[at]) * dh[at];
    }

    // dbngain = Σ dhpreact·bnraw, down each column
    std::vector<float> dbngain(H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbngain[j] += dhpreact[i * H + j] * bnraw[i * H + j];
        }
    }

    // dbnbias = Σ dhpreact, down each column
    std::vector<float> dbnbias(H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnbias[j] += dhpreact[i * H + j];
        }
    }

    // dbnraw = bngain·dhpreact
    std::vector<float> dbnraw(n * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnraw[i * H + j] = bngain[j] * dhpreact[i * H + j];
        }
    }

    // dbnvar_inv = Σ bndiff·dbnraw, down each column
    std::vector<float> dbnvar_inv(H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnvar_inv[j] += bndiff[i * H + j] * dbnraw[i * H + j];
        }
    }

    // dbnvar = −½·(bnvar + ε)^(−3/2)·dbnvar_inv
    std::vector<float> dbnvar(H);
    for (std::size_t j = 0; j < H; ++j) {
        dbnvar[j] = -0.5f * std::pow(bnvar[j] + epsilon, -1.5f) * dbnvar_inv[j];
    }

    // dbndiff2 = dbnvar / divisor, the same in every row
    std::vector<float> dbndiff2(n * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbndiff2[i * H + j] = dbnvar[j] / divisor;
        }
    }

    // dbndiff = bnvar_inv·dbnraw + 2·bndiff·dbndiff2
    std::vector<float> dbndiff(n * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            const std::size_t at = i * H + j;
            dbndiff[at] = bnvar_inv[j] * dbnraw[at] + 2.0f * bndiff[at] * dbndiff2[at];
        }
    }

    // dbnmeani = −Σ dbndiff, down each column
    std::vector<float> dbnmeani(H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnmeani[j] -= dbndiff[i * H + j];
        }
    }

    // dhprebn = dbndiff + dbnmeani/n
    std::vector<float> dhprebn(n * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dhprebn[i * H + j] = dbndiff[i * H + j] + dbnmeani[j] / rows;
        }
    }

    // dembcat = dhprebn·W1ᵀ
    std::vector<float> dembcat(n * inputs);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < inputs; ++k) {
            for (std::size_t j = 0; j < H; ++j) {
                dembcat[i * inputs + k] += dhprebn[i * H + j] * W1[k * H + j];
            }
        }
    }

    // dW1 = embcatᵀ·dhprebn
    std::vector<float> dW1(inputs * H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < inputs; ++k) {
            for (std::size_t j = 0; j < H; ++j) {
                dW1[k * H + j] += embcat[i * inputs + k] * dhprebn[i * H + j];
            }
        }
    }

    // db1 = Σ dhprebn, down each column
    std::vector<float> db1(H);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            db1[j] += dhprebn[i * H + j];
        }
    }

    // demb = dembcat under another shape
    std::vector<float> demb(n * inputs);
    for (std::size_t at = 0; at < n * inputs; ++at) {
        demb[at] = dembcat[at];
    }

    // dC = Σ demb, over the places where the character stands
    std::vector<float> dC(V * E);
    for (std::size_t i = 0; i < n * T; ++i) {
        for (std::size_t e = 0; e < E; ++e) {
            dC[X[i] * E + e] += demb[i * E + e];
        }
    }

    std::vector<Tensor> all = {
        {"dlogprobs", {n, V}, dlogprobs},
        {"dprobs", {n, V}, dprobs},
        {"dcounts_sum_inv", {n}, dcounts_sum_inv},
        {"dcounts_sum", {n}, dcounts_sum},
        {"dcounts", {n, V}, dcounts},
        {"dnorm_logits", {n, V}, dnorm_logits},
        {"dlogit_maxes", {n}, dlogit_maxes},
        {"dlogits", {n, V}, dlogits},
        {"dh", {n, H}, dh},
        {"dW2", {H, V}, dW2},
        {"db2", {V}, db2},
        {"dhpreact", {n, H}, dhpreact},
        {"dbngain", {H}, dbngain},
        {"dbnbias", {H}, dbnbias},
        {"dbnraw", {n, H}, dbnraw},
        {"dbnvar_inv", {H}, dbnvar_inv},
        {"dbnvar", {H}, dbnvar},
        {"dbndiff2", {n, H}, dbndiff2},
        {"dbndiff", {n, H}, dbndiff},
        {"dbnmeani", {H}, dbnmeani},
        {"dhprebn", {n, H}, dhprebn},
        {"dembcat", {n, inputs}, dembcat},
        {"dW1", {inputs, H}, dW1},
        {"db1", {H}, db1},
        {"demb", {n, T, E}, demb},
        {"dC", {V, E}, dC},
    };
    std::erase_if(all, [&bias](const Tensor& tensor) {  // a recipe may do without either
        return (tensor.name == "db1" && bias["hidden"].text == "false") ||
               (tensor.name == "db2" && bias["output"].text == "false");
    });
    return all;
}

}  // namespace

int main(int count, char** arguments) {
    std::string where, to_do = "call it as mine DUMP OUT";
    try {
        if (count != 3) {
            refuse("expected two files");
        }
        where = std::string(arguments[1]) + ": ";
        to_do = "byhand compare --recipe notes --dump FILE writes one that is right";
        const std::vector<Tensor> all = gradients(Dump(arguments[1]));
        where = std::string(arguments[2]) + ": ";
        to_do = "name a file in a folder that is there";
        write(arguments[2], all);
    } catch (const std::exception& error) {
        std::cerr << "mine: " << where << error.what() << ": " << to_do << '\n';
        return 2;
    }
}
