#include "train/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <new>
#include <set>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "recipe/json_fields.h"
#include "train/file_kind.h"
#include "train/whole_file.h"

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian, and numbers are copied as they are");

namespace byhand {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMetadataKey = "__metadata__";
constexpr const char* kFormatKey = "format";
constexpr const char* kFormat = "byhand";
constexpr StoredType kTypes[] = {{"F32", 4, DType::float32}, {"F64", 8, DType::float64},   {"I64", 8, DType::int64},
                                 {"F16", 2, DType::float16}, {"BF16", 2, DType::bfloat16}, {"I32", 4, DType::int32},
                                 {"I16", 2, DType::int16},   {"I8", 1, DType::int8},       {"U8", 1, DType::int16},
                                 {"U16", 2, DType::int32},   {"U32", 4, DType::int64},     {"U64", 8, std::nullopt},
                                 {"BOOL", 1, DType::int8}};
constexpr std::uint64_t kLongestHeader = 16'000'000;  // bytes
// Tensors, or metadata: more than any network has.
constexpr std::size_t kMostKeys = 65536;
constexpr std::size_t kMostAxes = 64;

[[noreturn]] void refuse_format(const std::string& path, const std::string& what) {
    refuse(path, "not a safetensors file: " + what);
}

// Of those that byhand writes, and reads of its own files.
const char* own_type(DType dtype) {
    return dtype == DType::float32 ? "F32" : dtype == DType::float64 ? "F64" : "I64";
}

// Fills `out` from byte `offset` on.
void read_at(const RegularFile& source, std::uint64_t offset, void* out, std::uint64_t size, const std::string& path) {
    const std::size_t got = read_from(source.descriptor.number(), offset, out, size, path);
    if (got < size) {
        refuse(path, "ends early, at byte " + std::to_string(offset + got));
    }
}

std::string any_text(const Field& field) {
    if (!field.value.is_string()) {
        field.refuse_value("takes text");
    }
    return field.value.get<std::string>();
}

const Json::Object& members(const Field& field) {
    if (!field.value.is_object() || field.value.size() > kMostKeys) {
        field.refuse_value("takes an object of at most " + std::to_string(kMostKeys) + " keys");
    }
    return field.value.items();
}

void describe_entry(Object& object, TensorEntry& entry) {
    constexpr Whole kAny{0, UINT64_MAX};
    object.need("dtype", entry.type, any_text);
    object.need("shape", entry.shape, List{0, kMostAxes, kAny});
    object.need("data_offsets", entry.offsets, List{2, 2, kAny});
}

// Sorts the entries by their bytes and checks that they are contiguous and of the right size.
void check_layout(std::vector<TensorEntry>& entries, const std::string& path) {
    std::ranges::sort(entries, [](const TensorEntry& a, const TensorEntry& b) {
        return std::tie(a.offsets, a.name) < std::tie(b.offsets, b.name);
    });
    std::uint64_t next = 0;
    for (const TensorEntry& entry : entries) {
        const std::uint64_t begin = entry.offsets[0], end = entry.offsets[1];
        const std::string where = fmt::format("tensor \"{}\": bytes {} to {}", excerpt(entry.name, 100), begin, end);
        if (end < begin) {
            refuse_format(path, where + " end before they begin");
        }
        if (begin != next) {
            refuse_format(path, where + (begin > next ? " leave a gap after byte " : " overlap what ends at byte ") +
                                    std::to_string(next));
        }
        next = end;
        const StoredType* const known = stored_type(entry.type);
        if (known == nullptr) {  // of unknown size
            continue;
        }
        std::uint64_t size = known->size;
        bool fits = true;
        for (const std::uint64_t extent : entry.shape) {
            fits = fits && !__builtin_mul_overflow(size, extent, &size);
        }
        if (!fits || size != end - begin) {
            refuse_format(path,
                          fmt::format("{} hold {}, but shape {} takes {}", where, end - begin, to_string(entry.shape),
                                      fits ? std::to_string(size) : "more bytes than 64 bits count"));
        }
    }
}

TensorHeader read_header(const RegularFile& source, const std::string& path) {
    constexpr std::uint64_t kPrefix = sizeof(std::uint64_t);
    if (const std::string kind = to_string(kind_of(source, path)); !kind.empty()) {
        refuse_format(path, "it is " + kind);
    }
    if (source.size < kPrefix) {
        refuse_format(path, "it has " + std::to_string(source.size) + " bytes, but needs at least 8");
    }
    std::uint64_t length = 0;
    read_at(source, 0, &length, kPrefix, path);
    if (length > UINT32_MAX) {
        refuse_format(path, "it does not begin with the length of a header");
    }
    if (length > kLongestHeader || length > source.size - kPrefix) {
        refuse_format(path, fmt::format("its header would take {} bytes, of {} at most", length,
                                        std::min(kLongestHeader, source.size - kPrefix)));
    }
    std::string text(length, '\0');
    read_at(source, kPrefix, text.data(), length, path);
    if (!text.starts_with('{')) {
        refuse_format(path, "the header does not begin with {");
    }
    const std::string where = printable(path) + ": not a safetensors file: header";
    const Json json = strict_json(text, where);
    TensorHeader header{{}, {}, kPrefix + length};
    for (const auto& [name, value] : members({json, where, ""})) {
        const Field field{value, where, path_to("", name)};
        if (name == kMetadataKey) {
            for (const auto& [key, item] : members(field)) {
                header.metadata[key] = any_text({item, where, path_to(field.path, key)});
            }
        } else {
            TensorEntry& entry = header.entries.emplace_back();
            entry.name = name;
            Object::read(field, entry, describe_entry);
        }
    }
    check_layout(header.entries, path);
    return header;
}

Content content_of(const Metadata& metadata) {
    return metadata.contains(kStepsKey) ? Content::model : Content::tensors;
}

std::uint64_t bytes_of(const View& view) {
    return std::uint64_t{count(view.shape)} * size_of(view.dtype);
}

// The tensors in the order in which they are written, which aligns each of them.
std::vector<View> aligned(const std::vector<View>& tensors) {
    std::vector<View> order;
    for (const std::size_t size : {sizeof(double), sizeof(float)}) {
        std::ranges::copy_if(tensors, std::back_inserter(order),
                             [&](const View& view) { return size_of(view.dtype) == size; });
    }
    return order;
}

// Padded with spaces to a multiple of 8.
std::string header_text(const std::vector<View>& order, Metadata metadata, const std::string& path) {
    metadata[kFormatKey] = kFormat;
    Json::Object header = {{kMetadataKey, Json::of(Json::Object(metadata.begin(), metadata.end()))}};
    std::set<std::string> names = {kMetadataKey};
    std::uint64_t next = 0;
    for (const View& view : order) {
        if (!names.insert(view.name).second) {
            throw std::invalid_argument("two tensors to write are called " + view.name);
        }
        const std::uint64_t begin = std::exchange(next, next + bytes_of(view));
        header.emplace_back(
            view.name,
            Json{{"dtype", own_type(view.dtype)}, {"shape", view.shape}, {"data_offsets", std::vector{begin, next}}});
    }
    std::optional<std::string> text = compact_text(Json::of(std::move(header)));
    if (!text) {
        refuse(path, "can't be written: a name or its metadata is not UTF-8");
    }
    text->append((8 - text->size() % 8) % 8, ' ');
    if (text->size() > kLongestHeader) {
        refuse(path, fmt::format("can't be written: its header would take {} bytes, of {} at most", text->size(),
                                 kLongestHeader));
    }
    return *text;
}

}  // namespace

const StoredType* stored_type(std::string_view name) {
    const auto* const found = std::ranges::find(kTypes, name, &StoredType::name);
    return found != std::end(kTypes) ? found : nullptr;
}

std::vector<View> views(const std::vector<StoredTensor>& tensors) {
    std::vector<View> all;
    all.reserve(tensors.size());
    for (const StoredTensor& tensor : tensors) {
        all.push_back({tensor.name, tensor.shape, tensor.dtype, tensor.bytes.data()});
    }
    return all;
}

TensorHeader read_tensor_header(const RegularFile& file, const std::string& path) {
    TensorHeader header = read_header(file, path);
    const std::uint64_t described = header.entries.empty() ? 0 : header.entries.back().offsets[1];
    const std::uint64_t held = file.size - header.data;
    if (described != held) {
        refuse_format(path, fmt::format("its header describes {} bytes of tensors, but {} follow it", described, held));
    }
    return header;
}

TensorFile read_tensors(const std::string& path) {
    const RegularFile source = open_regular(path);
    TensorHeader header = read_tensor_header(source, path);
    TensorFile file;
    file.metadata = std::move(header.metadata);
    try {
        for (const TensorEntry& entry : header.entries) {
            const StoredType* const type = stored_type(entry.type);
            if (type == nullptr || !type->dtype || own_type(*type->dtype) != entry.type) {
                refuse(path, "tensor \"" + excerpt(entry.name, 100) + "\" has dtype \"" + excerpt(entry.type, 100) +
                                 "\"; F32, F64 and I64 can be read");
            }
            StoredTensor tensor{entry.name, entry.shape, *type->dtype, {}};
            tensor.bytes.resize(entry.offsets[1] - entry.offsets[0]);
            read_at(source, header.data + entry.offsets[0], tensor.bytes.data(), tensor.bytes.size(), path);
            file.tensors.push_back(std::move(tensor));
        }
    } catch (const std::bad_alloc&) {
        refuse(path, fmt::format("does not fit in memory: it holds {} bytes of tensors", source.size - header.data));
    }
    return file;
}

void write_tensors(const std::string& path, const std::vector<View>& tensors, const Metadata& metadata) {
    check_writable(path, content_of(metadata));
    const std::vector<View> order = aligned(tensors);
    const std::string text = header_text(order, metadata, path);
    WholeFile file(path);
    const std::uint64_t length = text.size();
    file.write(&length, sizeof length);
    file.write(text.data(), text.size());
    for (const View& view : order) {
        file.write(view.data, bytes_of(view));
    }
    file.put_in_place();
}

std::optional<Metadata> own_metadata(const std::string& path) {
    try {
        Metadata metadata = read_header(open_regular(path), path).metadata;
        return metadata[kFormatKey] == kFormat ? std::optional(metadata) : std::nullopt;
    } catch (const InputError&) {
        return std::nullopt;
    }
}

void check_writable(const std::string& path, Content content) {
    check_place(path);
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
        return;
    }
    if (!fs::is_regular_file(status)) {
        refuse(path, "is not a regular file; name another");
    }
    if (content == Content::tensors && is_own_npz(path)) {
        return;
    }
    const std::optional<Metadata> old = own_metadata(path);
    if (!old) {
        refuse(path, "exists and was not written by byhand; name another file, or remove it");
    }
    if (content == Content::tensors && content_of(*old) == Content::model) {
        refuse(path, "is a trained model; name another file, or remove it");
    }
}

}  // namespace byhand
