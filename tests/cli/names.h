// Small files of names, so that a run takes no time.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"

namespace cli_test {

// All that begin with one part, go on with another and end with a third.
inline std::vector<std::string> joined(const std::vector<std::string>& first, const std::vector<std::string>& second,
                                       const std::vector<std::string>& third) {
    std::vector<std::string> names;
    for (const std::string& a : first) {
        for (const std::string& b : second) {
            for (const std::string& c : third) {
                names.push_back(a + b + c);
            }
        }
    }
    return names;
}

// 60 names of the letters a to z.
inline std::vector<std::string> plain_names() {
    return joined({"an", "be", "cor", "d", "e"}, {"a", "il", "ov"}, {"", "na", "tra", "s"});
}

// 72 names with accents, in Cyrillic and in Hangul.
inline std::vector<std::string> world_names() {
    std::vector<std::string> names = joined({"Éa", "bø", "čü"}, {"ñ", "ß", "l"}, {"", "ê", "ža"});
    for (const auto& more : {joined({"А", "Бо", "Ви"}, {"л", "ж", "мё"}, {"а", "я", "и"}),
                             joined({"김", "이", "박"}, {"서", "지", "민"}, {"준", "우"})}) {
        names.insert(names.end(), more.begin(), more.end());
    }
    return names;
}

// The file's bytes: a name a line.
inline std::string file_of(const std::vector<std::string>& names, const std::string& line_end = "\n") {
    std::string bytes;
    for (const std::string& name : names) {
        bytes += name + line_end;
    }
    return bytes;
}

// A folder with plain_names() in "n".
struct NamesFolder : Folder {
    NamesFolder() { write("n", file_of(plain_names())); }
    Outcome train(const Arguments& more) const { return byhand(*this, "train --data n" + more); }
};

}  // namespace cli_test
