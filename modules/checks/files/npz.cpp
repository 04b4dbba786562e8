#include "checks/files/npz.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include "base/error.h"
#include "base/utf8.h"
#include "train/file_kind.h"

namespace byhand {
namespace {

constexpr zip_int64_t kMostEntries = 65536;
constexpr std::size_t kLongestText = 1 << 20;  // characters

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
using SharedArchive = std::shared_ptr<zip_t>;
using Entry = std::unique_ptr<zip_file_t, decltype(&zip_fclose)>;

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
    throw InputError(where + ": " + what);
}

Archive opened(const std::string& path) {
    int code = 0;
    Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code), &zip_discard);
    if (!archive) {
        zip_error_t error;
        zip_error_init_with_code(&error, code);
        const std::string words = zip_error_strerror(&error);
        zip_error_fini(&error);
        refuse(path, "not a whole .npz file (a zip): " + words);
    }
    return archive;
}

// The bytes of an entry, from the first on.
ByteSource bytes_of(const SharedArchive& archive, zip_uint64_t index, std::uint64_t size, const std::string& where) {
    const std::shared_ptr<zip_file_t> entry(zip_fopen_index(archive.get(), index, 0), [](zip_file_t* file) {
        if (file != nullptr) {
            zip_fclose(file);
        }
    });
    if (!entry) {
        refuse(where, std::string("can't be read: ") + zip_strerror(archive.get()));
    }
    return [archive, entry, where, left = size](void* to, std::size_t wanted) mutable {
        zip_int64_t got = zip_fread(entry.get(), to, wanted);
        left -= got > 0 ? static_cast<std::uint64_t>(got) : 0;
        // Its checksum is compared when there is nothing more to read.
        if (char more = 0; got > 0 && left == 0 && zip_fread(entry.get(), &more, 1) < 0) {
            got = -1;
        }
        if (got < 0) {
            refuse(where, std::string("damaged: ") + zip_file_strerror(entry.get()));
        }
        return static_cast<std::size_t>(got);
    };
}

// A text of no axes, as npy_text makes it.
bool is_text(const TensorSource& source) {
    return source.shape.empty() && source.type.starts_with("'<U");
}

std::string text_of(const TensorSource& source) {
    std::u32string characters(kLongestText, 0);
    const std::size_t size = source.open()(characters.data(), characters.size() * sizeof(char32_t));
    characters.resize(size / sizeof(char32_t));
    return to_utf8(characters);
}

using Source = std::unique_ptr<zip_source_t, decltype(&zip_source_free)>;

// Adds one entry. Its bytes are read when the archive is closed.
void add_entry(zip_t* archive, const NpyArray& array, const std::string& path) {
    const auto part = [](const void* data, std::uint64_t size) {
        // The library only reads it. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
        return zip_buffer_fragment_t{static_cast<zip_uint8_t*>(const_cast<void*>(data)), size};
    };
    const std::array parts = {part(array.header.data(), array.header.size()), part(array.data, array.size)};
    Source source(zip_source_buffer_fragment(archive, parts.data(), parts.size(), 0), &zip_source_free);
    const std::string name = array.name + ".npy";
    const zip_int64_t index = source ? zip_file_add(archive, name.c_str(), source.get(), ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0 && zip_error_code_zip(zip_get_error(archive)) == ZIP_ER_EXISTS) {
        throw std::invalid_argument("two arrays to write are called " + array.name);
    }
    if (index < 0) {
        refuse(path, std::string("can't be written: ") + zip_strerror(archive));
    }
    [[maybe_unused]] const zip_source_t* const the_archives = source.release();
    constexpr zip_uint16_t kFirstDay = 1 << 5 | 1;  // 1980-01-01, the format's first
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_STORE, 0);
    zip_file_set_dostime(archive, static_cast<zip_uint64_t>(index), 0, kFirstDay, 0);
}

}  // namespace
}  // namespace byhand

void byhand_write_npz(const std::vector<byhand::NpyArray>& arrays, const std::string& path,
                      const std::function<void(const void* data, std::uint64_t size)>& sink) {
    using namespace byhand;
    const auto check = [&](bool is_right, zip_source_t* source) {
        if (!is_right) {
            refuse(path, std::string("can't be written: ") + zip_error_strerror(zip_source_error(source)));
        }
    };
    zip_error_t error;
    zip_error_init(&error);
    const Source bytes(zip_source_buffer_create(nullptr, 0, 0, &error), &zip_source_free);
    Archive archive(bytes ? zip_open_from_source(bytes.get(), ZIP_TRUNCATE, &error) : nullptr, &zip_discard);
    if (!archive) {
        refuse(path, std::string("can't be written: ") + zip_error_strerror(&error));
    }
    zip_source_keep(bytes.get());  // the archive frees it as well
    for (const NpyArray& array : arrays) {
        add_entry(archive.get(), array, path);
    }
    zip_set_archive_comment(archive.get(), kNpzComment.data(), kNpzComment.size());
    if (zip_close(archive.get()) != 0) {
        refuse(path, std::string("can't be written: ") + zip_strerror(archive.get()));
    }
    [[maybe_unused]] const zip_t* const closed = archive.release();
    check(zip_source_open(bytes.get()) == 0, bytes.get());
    std::vector<char> block(1 << 16);
    zip_int64_t got = 0;
    while ((got = zip_source_read(bytes.get(), block.data(), block.size())) > 0) {
        sink(block.data(), static_cast<std::uint64_t>(got));
    }
    check(got == 0, bytes.get());
    zip_source_close(bytes.get());
}

void byhand_open_npz(byhand::TensorSources& sources, const std::string& path) {
    using namespace byhand;
    constexpr std::string_view kArray = ".npy";
    const SharedArchive archive = opened(path);
    const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
    if (entries > kMostEntries) {
        refuse(path, "has " + std::to_string(entries) + " entries, of " + std::to_string(kMostEntries) + " at most");
    }
    for (zip_uint64_t index = 0; index < static_cast<zip_uint64_t>(entries); ++index) {
        const char* const text = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
        std::string name = text != nullptr ? text : "";
        if (name == "data.pkl" || name.ends_with("/data.pkl")) {
            refuse(path, from_pytorch(path));
        }
        const std::string where = path + ": entry " + excerpt(name, 100);
        if (name.ends_with(kArray)) {
            name.erase(name.size() - kArray.size());
        }
        zip_stat_t about;
        zip_stat_init(&about);
        if (zip_stat_index(archive.get(), index, 0, &about) != 0 || (about.valid & ZIP_STAT_SIZE) == 0) {
            refuse(where, std::string("can't be read: ") + zip_strerror(archive.get()));
        }
        const std::uint64_t size = about.size;
        TensorSource source{name, {}, {}, std::nullopt, {}};
        try {
            const OpenBytes open = [=] { return bytes_of(archive, index, size, where); };
            source = npy_source(name, open, size, where);
        } catch (const InputError& error) {
            source.fault = error.what();  // of those that are asked for
        }
        if (is_text(source)) {
            sources.metadata[name] = text_of(source);
        } else {
            sources.tensors.push_back(std::move(source));
        }
    }
}
