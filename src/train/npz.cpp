#include "train/npz.h"

#include <zip.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand {
namespace {

constexpr zip_int64_t kMostEntries = 65536;

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;
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

void read_entry(ExternalFile& file, zip_t* archive, zip_uint64_t index, const std::string& name, std::uint64_t due,
                const std::string& where) {
    const Entry entry(zip_fopen_index(archive, index, 0), &zip_fclose);
    if (!entry) {
        refuse(where, std::string("can't be read: ") + zip_strerror(archive));
    }
    const ByteSource source = [&](void* to, std::size_t size) {
        std::size_t got = 0;
        while (got < size) {
            const zip_int64_t more = zip_fread(entry.get(), static_cast<char*>(to) + got, size - got);
            if (more < 0) {
                refuse(where, std::string("damaged: ") + zip_file_strerror(entry.get()));
            }
            if (more == 0) {
                break;
            }
            got += static_cast<std::size_t>(more);
        }
        return got;
    };
    read_npy(file, name, source, due, where);
}

}  // namespace
}  // namespace byhand

void byhand_read_npz(byhand::ExternalFile& file, const std::string& path, const byhand::ElementsDue& due) {
    using namespace byhand;
    constexpr std::string_view kArray = ".npy";
    const Archive archive = opened(path);
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
        if (const std::optional<std::uint64_t> elements = due(name)) {
            read_entry(file, archive.get(), index, name, *elements, where);
        } else {
            file.tensors.push_back({name, {}, DType::float32, {}});
        }
    }
}
