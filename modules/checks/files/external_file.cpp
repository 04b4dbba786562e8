#include "checks/files/external_file.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/module.h"
#include "base/utf8.h"
#include "train/file_kind.h"
#include "train/whole_file.h"

namespace byhand {
namespace {

ExternalFile read_single(const RegularFile& file, const std::string& path, const ElementsDue& due) {
    const std::string name = std::filesystem::path(path).stem().string();
    const std::optional<std::uint64_t> elements = due(name);
    if (!elements) {
        return {{{name, {}, DType::float32, {}}}, {}};
    }
    const ByteSource source = [&](void* to, std::size_t size) {
        return read_some(file.descriptor.number(), to, size, path);
    };
    ExternalFile read;
    read_npy(read, name, source, *elements, path);
    return read;
}

// A function of the module, whose type is that of its declaration.
template <class F>
F* in_module(const char* symbol) {
    return reinterpret_cast<F*>(open_module({.file = "byhand_npz.so",
                                             .symbol = symbol,
                                             .what = "the module for .npz files",
                                             .package = "byhand",
                                             .build = "-DBYHAND_BUILD_PROGRAM=ON"}));
}

ExternalFile read_npz(const std::string& path, const ElementsDue& due) {
    ExternalFile read;
    in_module<decltype(byhand_read_npz)>("byhand_read_npz")(read, path, due);
    return read;
}

ExternalFile read_safetensors(const std::string& path, const ElementsDue& due) {
    TensorFile file = read_tensors(path, OtherTypes::left_out);
    ExternalFile read{std::move(file.tensors), {}};
    for (StoredTensor& tensor : read.tensors) {
        widen(tensor);
    }
    for (const LeftOut& tensor : file.left_out) {
        if (due(tensor.name)) {
            read.not_read.push_back(tensor.name + " is " + excerpt(tensor.type, 40) +
                                    "; F32 and F64 are read, and I32 and I64 for X and Y: convert it");
        } else {
            read.tensors.push_back({tensor.name, {}, DType::float32, {}});
        }
    }
    return read;
}

// What to do with a file that has no tensors for byhand.
std::string advice(FileKind kind) {
    return kind == FileKind::gzip     ? "; decompress it by gunzip"
           : kind == FileKind::python ? "; run it, and give the file that it writes"
                                      : "; save the arrays by numpy.savez(\"mine.npz\", dW1=dW1), and give that file";
}

bool is_npz(const std::string& path) {
    return path.ends_with(".npz");
}

}  // namespace

ExternalFile read_external(const std::string& path, const ElementsDue& due) {
    const RegularFile file = open_regular(path);
    switch (const FileKind kind = kind_of(file, path)) {
        case FileKind::unknown:
            return read_safetensors(path, due);
        case FileKind::zip:
            return read_npz(path, due);
        case FileKind::npy:
            return read_single(file, path, due);
        case FileKind::pytorch:
            throw InputError(path + ": " + from_pytorch(path));
        case FileKind::pickle:
            throw InputError(path + ": " + from_pickle(path));
        default:
            throw InputError(path + ": it is " + to_string(kind) + advice(kind));
    }
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
