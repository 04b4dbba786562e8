// A file of one's own in whichever format, .npy and .npz above all: memory is taken for what is due, and no more.
#include <cstdint>
#include <optional>
#include <string>

#include "checks/files/external_file.h"
#include "fuzz/file.h"
#include "fuzz/refusal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace byhand;
    const fuzz::File file(data, size);
    const bool safetensors = size < 2 || (data[0] != 'P' && data[0] != 0x93);  // all of which is read
    fuzz::refused_or_taken([&] {
        static constexpr std::uint64_t kDue = 6;
        const ExternalFile read = read_external(file.path(), [](const std::string& name) {
            return name == "left out" ? std::nullopt : std::optional(kDue);
        });
        for (const StoredTensor& tensor : read.tensors) {
            fuzz::require(safetensors || tensor.bytes.empty() || tensor.bytes.size() == kDue * size_of(tensor.dtype),
                          "bytes are those that are due");
            fuzz::require(tensor.bytes.empty() || tensor.bytes.size() == count(tensor.shape) * size_of(tensor.dtype),
                          "bytes are those of the shape");
        }
        for (const std::string& line : read.not_read) {
            fuzz::require(!line.empty(), "what is not read is reported");
        }
    });
    return 0;
}
