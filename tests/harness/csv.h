// CSV, read back.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>
#include <vector>

namespace byhand::test {

using Record = std::vector<std::string>;

// A reader of RFC 4180's own: fails on a bare line end, on a quote in a plain field, on text after a closing quote.
inline std::vector<Record> read_csv(const std::string& text) {
    std::vector<Record> records(1, Record(1));
    std::size_t i = 0;
    while (i < text.size()) {
        if (text[i] == '"') {
            REQUIRE(records.back().back().empty());
            for (++i; text.at(i) != '"' || (i + 1 < text.size() && text[i + 1] == '"'); ++i) {
                i += text[i] == '"' ? 1 : 0;
                records.back().back() += text[i];
            }
            ++i;
            REQUIRE((text.at(i) == ',' || text.at(i) == '\r'));
        } else if (text[i] == ',') {
            records.back().emplace_back();
            ++i;
        } else if (text[i] == '\r') {
            REQUIRE(text.at(i + 1) == '\n');
            records.emplace_back(1);
            i += 2;
        } else {
            REQUIRE(text[i] != '\n');
            records.back().back() += text[i++];
        }
    }
    REQUIRE(records.back() == Record{""});  // the last line is ended too
    records.pop_back();
    return records;
}

// Each row's fields under their names.
inline std::vector<std::map<std::string, std::string>> rows_of(const std::string& text) {
    const std::vector<Record> records = read_csv(text);
    std::vector<std::map<std::string, std::string>> all;
    for (std::size_t r = 1; r < records.size(); ++r) {
        REQUIRE(records[r].size() == records[0].size());
        all.emplace_back();
        for (std::size_t c = 0; c < records[0].size(); ++c) {
            all.back()[records[0][c]] = records[r][c];
        }
    }
    return all;
}

}  // namespace byhand::test
