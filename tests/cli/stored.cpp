#include "cli/stored.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/parsed_json.h"

namespace cli_test {
using byhand::Json;

namespace {

template <class T>
std::vector<T> numbers(const std::string& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
}

void must(bool holds, const std::string& what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

}  // namespace

std::size_t StoredTensor::count() const {
    std::size_t elements = 1;
    for (const std::size_t extent : shape) {
        elements *= extent;
    }
    return elements;
}

std::vector<float> StoredTensor::floats() const {
    must(dtype == "F32", "not floats");
    return numbers<float>(bytes);
}

std::vector<double> StoredTensor::doubles() const {
    if (dtype == "F64") {
        return numbers<double>(bytes);
    }
    const std::vector<float> values = floats();
    return {values.begin(), values.end()};
}

StoredFile read_stored(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    std::uint64_t length = 0;
    must(bytes.size() >= sizeof length, path + " has no header");
    std::memcpy(&length, bytes.data(), sizeof length);
    must(length <= bytes.size() - sizeof length, path + " ends in its header");
    const Json header = text::parsed_json(bytes.substr(sizeof length, length));
    const std::string data = bytes.substr(sizeof length + length);
    StoredFile file;
    std::size_t total = 0;
    for (const auto& [name, entry] : header.items()) {
        if (name == "__metadata__") {
            file.metadata = entry.get<std::map<std::string, std::string>>();
            continue;
        }
        const std::size_t begin = entry["data_offsets"][0].get<std::size_t>(),
                          end = entry["data_offsets"][1].get<std::size_t>();
        StoredTensor tensor{entry["dtype"].get<std::string>(), entry["shape"].get<std::vector<std::size_t>>(),
                            data.substr(begin, end - begin)};
        must(tensor.bytes.size() == tensor.count() * (tensor.dtype == "F32" ? 4 : 8), name + " has the wrong size");
        total += tensor.bytes.size();
        file.tensors.emplace(name, std::move(tensor));
    }
    must(total == data.size(), path + " has gaps");
    return file;
}

void write_stored(const std::string& path, const std::map<std::string, StoredTensor>& tensors,
                  const std::map<std::string, std::string>& metadata) {
    Json header = Json::object();
    if (!metadata.empty()) {
        header["__metadata__"] = Json::of(Json::Object(metadata.begin(), metadata.end()));
    }
    std::string data;
    for (const auto& [name, tensor] : tensors) {
        header[name] = {{"dtype", tensor.dtype},
                        {"shape", tensor.shape},
                        {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
        data += tensor.bytes;
    }
    std::string text = byhand::printed_json(header, 0);
    text.append((8 - text.size() % 8) % 8, ' ');
    const std::uint64_t length = text.size();
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(&length), sizeof length) << text << data;
    must(static_cast<bool>(stream.flush()), path + " could not be written");
}

}  // namespace cli_test
