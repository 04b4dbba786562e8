// A file of names: what is taken is names of known characters, none of them empty, in a vocabulary that has them all.
#include <cstdint>
#include <string>

#include "base/utf8.h"
#include "fuzz/refusal.h"
#include "names/dataset.h"
#include "names/names_file.h"
#include "names/vocabulary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace byhand;
    fuzz::refused_or_taken([&] {
        const NamesFile file = parse_names({reinterpret_cast<const char*>(data), size}, "names");
        fuzz::require(!file.names.empty(), "a file that was taken has names");
        const Vocabulary vocabulary = vocabulary_of(file.names);
        std::string again = "\xef\xbb\xbf";  // or a name that begins with such a one would lose it
        for (const std::u32string_view name : file.names) {
            fuzz::require(!name.empty(), "no name is empty");
            again += to_utf8(name) + "\n";
        }
        fuzz::require(parse_names(again, "again").names == file.names, "what was read reads the same again");
        fuzz::refused_or_taken([&] {
            const Split split = split_names(file.names, 42, 0.8, 0.9);
            examples_of(split.train, vocabulary, 3);
        });
    });
    return 0;
}
