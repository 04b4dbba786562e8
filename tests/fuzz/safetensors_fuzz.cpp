// A tensor file, and the same as a saved model: what is taken can be written, and reads the same again.
#include <cstdint>
#include <string>

#include "fuzz/file.h"
#include "fuzz/refusal.h"
#include "train/safetensors.h"
#include "train/saved_model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace byhand;
    const fuzz::File file(data, size);
    fuzz::refused_or_taken([&] {
        const TensorFile tensors = read_tensors(file.path());
        std::size_t bytes = 0;
        for (const StoredTensor& tensor : tensors.tensors) {
            fuzz::require(tensor.bytes.size() == count(tensor.shape) * size_of(tensor.dtype),
                          "bytes are those of the shape");
            bytes += tensor.bytes.size();
        }
        fuzz::require(bytes < size || (bytes == 0 && size > 0), "no more is held than the file has");
    });
    fuzz::refused_or_taken([&] {
        const SavedModel model = load_model(file.path());
        fuzz::require(model.state.table().size() >= 2, "a model has tensors");
        if (model.batches) {
            fuzz::require(torch_from_text(to_text(*model.batches)) == model.batches,
                          "a generator's text is the generator");
        }
    });
    own_metadata(file.path());
    return 0;
}
