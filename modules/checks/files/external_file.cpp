#include "checks/files/external_file.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/module.h"
#include "base/narrow.h"
#include "base/utf8.h"
#include "checks/files/npz.h"
#include "train/whole_file.h"

namespace byhand {
namespace {

// A function of the module, whose type is that of its declaration.
template <class F>
F* in_module(const char* symbol) {
    return reinterpret_cast<F*>(open_module({.file = "byhand_npz.so",
                                             .symbol = symbol,
                                             .what = "the module for .npz files",
                                             .package = "byhand",
                                             .build = "-DBYHAND_BUILD_PROGRAM=ON"}));
}

// Whole numbers as int64.
StoredTensor widened(StoredTensor tensor) {
    if (!is_integer(tensor.dtype) || tensor.dtype == DType::int64) {
        return tensor;
    }
    const View narrow{tensor.name, tensor.shape, tensor.dtype, tensor.bytes.data()};
    StoredTensor wide{tensor.name, tensor.shape, DType::int64, {}};
    wide.bytes.resize(count(tensor.shape) * sizeof(std::int64_t));
    for (std::size_t i = 0; i < count(tensor.shape); ++i) {
        const auto number = static_cast<std::int64_t>(value_at(narrow, i));
        std::memcpy(wide.bytes.data() + i * sizeof number, &number, sizeof number);
    }
    return wide;
}

bool is_npz(const std::string& path) {
    return path.ends_with(".npz");
}

}  // namespace

ExternalFile read_external(const std::string& path, const ElementsDue& due) {
    ExternalFile file;
    for (const TensorSource& source : open_tensors(path).tensors) {
        const std::optional<std::uint64_t> elements = due(source.name);
        const bool is_read = source.dtype && !is_narrow(*source.dtype);
        if (!elements) {
            file.tensors.push_back({source.name, {}, DType::float32, {}});
        } else if (!is_read && source.fault.empty()) {
            file.not_read.push_back(source.name + " holds " + excerpt(source.type, 40) +
                                    "; floats of 32 and 64 bits are read, and whole numbers for X and Y: convert it");
        } else if (elements_of(source.shape) == elements || !source.dtype) {
            if (!source.fault.empty()) {
                throw InputError(source.fault);
            }
            file.tensors.push_back(widened(read(source)));
        } else {
            file.tensors.push_back({source.name, source.shape, *source.dtype, {}});
        }
    }
    return file;
}

TensorSources open_npz(const std::string& path) {
    TensorSources sources;
    in_module<decltype(byhand_open_npz)>("byhand_open_npz")(sources, path);
    return sources;
}

void check_external(const std::string& path) {
    if (!is_npz(path) && !path.ends_with(".safetensors")) {
        throw InputError(path + ": tensors are written as .safetensors or .npz; let the name end so");
    }
    if (is_npz(path)) {
        in_module<decltype(byhand_write_npz)>("byhand_write_npz");
    }
    check_writable(path, Content::tensors);
}

void write_external(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata) {
    check_external(path);
    if (!is_npz(path)) {
        write_tensors(path, tensors, metadata);
        return;
    }
    std::deque<std::u32string> texts;
    std::vector<NpyArray> arrays;
    std::ranges::transform(tensors, std::back_inserter(arrays), npy_array);
    for (const auto& [name, text] : metadata) {
        arrays.push_back(npy_text(name, text, texts.emplace_back()));
    }
    WholeFile file(path);
    in_module<decltype(byhand_write_npz)>("byhand_write_npz")(
        arrays, path, [&](const void* data, std::uint64_t size) { file.write(data, size); });
    file.put_in_place();
}

}  // namespace byhand
