#include "names/names_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/message_of.h"
#include "base/temporary_folder.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;
using temporary::Folder;
using Sentences = std::vector<std::string>;

const std::string kByteOrderMark = "\xef\xbb\xbf";

// The path of a file with these bytes.
std::string written(const Folder& folder, const std::string& name, const std::string& bytes) {
    folder.write(name, bytes);
    return folder.file(name);
}

std::string refusal(std::string_view bytes) {
    return test::message_of([&] { parse_names(bytes, "n.txt"); });
}

std::string read_refusal(const std::string& path) {
    return test::message_of([&] { read_names(path); });
}

// Characters with a NUL among them, with their length.
template <std::size_t N>
std::string_view all_of(const char (&text)[N]) {
    return {text, N - 1};
}

TEST_CASE("names file: a plain file yields its names in order, with duplicates") {
    const NamesFile file = parse_names("emma\nava\nemma\n", "n.txt");
    CHECK(file.names == Names{U"emma", U"ava", U"emma"});
    CHECK(remarks(file) == Sentences{"1 of 3 names repeats an earlier one"});
}

TEST_CASE("names file: the hash is FNV-1a of the bytes") {
    // Published vectors of FNV-1a, 64 bits: "a" and "foobar".
    CHECK(parse_names("a", "n.txt").hash == 0xaf63dc4c8601ec8c);
    CHECK(parse_names("foobar", "n.txt").hash == 0x85944171f73967e8);
    CHECK(parse_names("foobar\n", "n.txt").hash != 0x85944171f73967e8);
}

TEST_CASE("names file: accents, other alphabets, spaces and hyphens are ordinary characters") {
    const NamesFile file = parse_names("zoë\nжанна\n太郎\nمريم\n😀\no'neil-b c\n", "n.txt");
    CHECK(file.names == Names{U"zoë", U"жанна", U"太郎", U"مريم", U"😀", U"o'neil-b c"});
}

TEST_CASE("names file: CR LF, empty lines, a missing last newline and a byte order mark are handled and reported") {
    SECTION("each by itself") {
        CHECK(parse_names("emma\r\nava\r\n", "n.txt").names == Names{U"emma", U"ava"});
        CHECK(remarks(parse_names("emma\r\nava\r\n", "n.txt")) ==
              Sentences{"2 lines end in CR LF; the CR was left out"});
        CHECK(remarks(parse_names("emma\r\nava\n", "n.txt")) == Sentences{"1 line ends in CR LF; the CR was left out"});
        CHECK(parse_names("\n\nemma\n\nava\n", "n.txt").names == Names{U"emma", U"ava"});
        CHECK(remarks(parse_names("\n\nemma\n\nava\n", "n.txt")) == Sentences{"3 empty lines were skipped"});
        CHECK(remarks(parse_names("emma\n\n", "n.txt")) == Sentences{"1 empty line was skipped"});
        CHECK(parse_names("emma\nava", "n.txt").names == Names{U"emma", U"ava"});
        CHECK(remarks(parse_names("emma\nava", "n.txt")) ==
              Sentences{"the last line has no newline; it was read like the others"});
        CHECK(parse_names(kByteOrderMark + "emma\n", "n.txt").names == Names{U"emma"});
        CHECK(remarks(parse_names(kByteOrderMark + "emma\n", "n.txt")) ==
              Sentences{"the byte order mark at the start was skipped"});
    }
    SECTION("all at once") {
        const NamesFile file = parse_names(kByteOrderMark + "\r\nemma\r\n\nava", "n.txt");
        CHECK(file.names == Names{U"emma", U"ava"});
        CHECK(file.byte_order_mark);
        CHECK(file.empty_lines == 2);
        CHECK(file.carriage_returns == 2);
        CHECK(file.last_newline_missing);
        CHECK(remarks(file).size() == 4);
    }
    SECTION("a byte order mark later is a character") {
        CHECK(parse_names("a\n" + kByteOrderMark + "b\n", "n.txt").names == Names{U"a", U"\ufeffb"});
    }
}

TEST_CASE("names file: files without a name are refused") {
    CHECK(refusal("") == "n.txt: empty; give a text file with one name a line");
    CHECK(refusal("\n\r\n\n") == "n.txt:3: the file contains no name; give a text file with one name a line");
    CHECK(refusal(kByteOrderMark).starts_with("n.txt:1: the file contains no name"));
}

TEST_CASE("names file: invalid UTF-8 is refused with its line and byte") {
    CHECK(refusal("emma\nzo\xff\nava\n") ==
          "n.txt:2: byte 3 is not UTF-8; convert the file, as by iconv -f LATIN1 -t UTF-8");
    CHECK(refusal("\xc0\xae\n").starts_with("n.txt:1: byte 1 is not UTF-8"));                  // '.', overlong
    CHECK(refusal("a\r\n\r\nb\xed\xa0\x80\r\n").starts_with("n.txt:3: byte 2 is not UTF-8"));  // a surrogate
    CHECK(refusal("a\nb\nc\xf4\x90\x80\x80").starts_with("n.txt:3: byte 2 is not UTF-8"));     // U+110000
    CHECK(refusal("a\nb\xc3\na\n").starts_with("n.txt:2: byte 2 is not UTF-8"));  // cut off by the end of the line
    CHECK(refusal("a\nb\xc3").starts_with("n.txt:2: byte 2 is not UTF-8"));       // and by the end of the file
    CHECK(refusal(all_of("\xff\xfe"
                         "a\0\n\0"))
              .starts_with("n.txt:1: byte 1 is not UTF-8"));  // UTF-16
    CHECK(refusal(kByteOrderMark + "a\xff\n").starts_with("n.txt:1: byte 5 is not UTF-8"));
}

TEST_CASE("names file: control characters are refused with their line and byte") {
    CHECK(refusal(all_of("emma\na\0b\n")) == "n.txt:2: byte 2 is a NUL; give a text file with one name a line");
    CHECK(refusal("emma\n\nab\tc\n") == "n.txt:3: byte 3 is a control character (\\x09); take it out");
    CHECK(refusal("\x1b[31m\n") == "n.txt:1: byte 1 is a control character (\\x1b); take it out");
    CHECK(refusal("a\x7f\n").starts_with("n.txt:1: byte 2 is a control character (\\x7f)"));
    CHECK(refusal("a\xc2\x9b\n").starts_with("n.txt:1: byte 2 is a control character (\\xc2\\x9b)"));
    CHECK(refusal("a\rb\n") == "n.txt:1: byte 2 is a CR without an LF; end lines with LF or CR LF");
    CHECK(refusal("a\r\r\n").starts_with("n.txt:1: byte 2 is a CR without an LF"));
    CHECK(refusal("a\nb\r").starts_with("n.txt:2: byte 2 is a CR without an LF"));
    for (int c = 1; c < 0x20; ++c) {
        if (c != '\n') {
            CAPTURE(c);
            CHECK(refusal("a\nbb" + std::string(1, static_cast<char>(c)) + "c\n").starts_with("n.txt:2: byte 3 is a "));
        }
    }
}

TEST_CASE("names file: lines with a '.' are refused with their number and the first three, or left out") {
    const std::string why = ": has a '.', which marks where a name begins and ends; leave out ";
    const std::string what_else = " with --skip-bad-lines, or train with another --mark";
    CHECK(refusal("emma\nav.\n") == "n.txt:2" + why + "1 line with a '.' (2)" + what_else);
    CHECK(refusal(".\n") == "n.txt:1" + why + "1 line with a '.' (1)" + what_else);
    const std::string many = "a.b\nemma\n\n.\nava\n..\nzoë.\nbob";
    CHECK(refusal(many) == "n.txt:1" + why + "4 lines with a '.' (1, 4, 6, …)" + what_else);
    const NamesFile file = parse_names(many, "n.txt", {.skip = true});
    CHECK(file.names == Names{U"emma", U"ava", U"bob"});
    CHECK(file.text->size() == 10);
    CHECK(parse_names(many, "n.txt", {.skip_in = file.hash}).names == file.names);
    CHECK_THROWS_AS(parse_names(many, "n.txt", {.skip_in = file.hash + 1}), InputError);
    CHECK(remarks(file) == Sentences{"1 empty line was skipped", "4 lines with a '.' (1, 4, 6, …) were left out",
                                     "the last line has no newline; it was read like the others"});
    CHECK(test::message_of([] {
              parse_names("a.\n.b\n", "n.txt", {.skip = true});
          }).find("the file contains no name") != std::string::npos);
    const NamesFile marked = parse_names("a.b\nc|d\nef\n", "n.txt", {.skip = true, .mark = U'|'});
    CHECK(marked.names == Names{U"a.b", U"ef"});
    CHECK(vocabulary_of(marked.names, marked.mark).characters == U"|.abef");
    CHECK(remarks(marked) == Sentences{"1 line with a '|' (2) was left out"});
    CHECK(refusal("a.\n\xff\n").find("is not UTF-8") != std::string::npos);  // other faults come first
}

TEST_CASE("names file: blanks at an end, commas and many duplicates are reported") {
    CHECK(remarks(parse_names("emma\n ava\nbo \nju li\nzoe\u3000\n", "n.txt")) ==
          Sentences{"3 names begin or end with a blank, which is a character of the name"});
    CHECK(remarks(parse_names("emma \nava\n", "n.txt")) ==
          Sentences{"1 name begins or ends with a blank, which is a character of the name"});
    CHECK(remarks(parse_names("emma,193\nava,7\nbo\n", "n.txt")) ==
          Sentences{"2 names have a comma; if this is CSV, cut -d, -f1 takes its first column"});
    CHECK(remarks(parse_names("emma\nava\nbo, jr\n", "n.txt")).empty());
    const std::string eight = "a\nb\nc\nd\ne\nf\ng\nh\n";
    CHECK(remarks(parse_names(eight + "a\na\n", "n.txt")) == Sentences{"2 of 10 names repeat an earlier one"});
    CHECK(remarks(parse_names(eight + "i\na\n", "n.txt")) == Sentences{"1 of 10 names repeats an earlier one"});
    CHECK(remarks(parse_names(eight + "i\nj\na\n", "n.txt")).empty());  // fewer than one in ten
}

TEST_CASE("names file: a line has at most 1024 bytes") {
    const std::string longest(1024, 'x');
    for (const std::string end : {"", "\n", "\r\n"}) {
        CHECK(parse_names("a\n" + longest + end, "n.txt").names.back().size() == 1024);
        CHECK(parse_names(kByteOrderMark + longest + end, "n.txt").names.front().size() == 1024);
        CHECK(refusal("a\n" + longest + "x" + end) == "n.txt:2: longer than 1 KiB (1024 bytes); give one name a line");
        CHECK(refusal(kByteOrderMark + "x" + longest + end).starts_with("n.txt:1: longer than 1 KiB"));
    }
    std::string accents;
    for (int i = 0; i < 513; ++i) {
        accents += "é";
    }
    CHECK(refusal(accents).starts_with("n.txt:1: longer than 1 KiB"));
}

TEST_CASE("names file: a file has at most 5 million lines") {
    std::string bytes(4999999, '\n');
    bytes += "emma";
    CHECK(parse_names(bytes, "n.txt").names == Names{U"emma"});
    CHECK(parse_names(bytes + "\n", "n.txt").empty_lines == 4999999);
    CHECK(refusal(bytes + "\n\n") == "n.txt:5000001: more than 5 million lines; give a smaller file");
    CHECK(refusal(bytes + "\na").starts_with("n.txt:5000001: more than 5 million lines"));
}

TEST_CASE("names file: there are at most 65,536 distinct characters") {
    std::string bytes;
    for (char32_t c = 0x20000; c < 0x30000; ++c) {
        bytes += to_utf8({&c, 1}) + "\n";
    }
    CHECK(parse_names(bytes + bytes, "n.txt").names.size() == 131072);
    CHECK(refusal(bytes + bytes + "a\n") ==
          "n.txt:131073: more than 65,536 different characters so far; give names in fewer alphabets");
}

TEST_CASE("names file: a path in a message is made printable") {
    CHECK(test::message_of([] { parse_names("a\n.\n", "x\x1b[31m\n.txt"); }).starts_with("x\\x1b[31m\\x0a.txt:2: has"));
    CHECK(read_refusal("not\x1bhere.txt") ==
          "not\\x1bhere.txt: can't be read: No such file or directory; name a file that can");
}

TEST_CASE("names file: a file reads as its bytes do") {
    const Folder folder;
    std::string bytes;
    for (int i = 0; bytes.size() < 1500000; ++i) {  // lines of many lengths, several pieces long
        bytes += std::string(static_cast<std::size_t>(i * 7 % 1000), static_cast<char>('a' + i % 26)) + "é" +
                 (i % 3 == 0 ? "\r\n" : "\n");
    }
    bytes += "last";
    const NamesFile read = read_names(written(folder, "long.txt", bytes));
    const NamesFile parsed = parse_names(bytes, "n.txt");
    CHECK(read.names == parsed.names);
    CHECK(read.hash == parsed.hash);
    CHECK(read.carriage_returns == parsed.carriage_returns);
    CHECK(read.last_newline_missing);

    const std::string bad = written(folder, "bad.txt", bytes + "\n\xff\n");
    const auto lines = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
    CHECK(read_refusal(bad) == bad + ":" + std::to_string(lines + 2) +
                                   ": byte 1 is not UTF-8; convert the file, as by iconv -f LATIN1 -t UTF-8");
}

TEST_CASE("names file: paths that can't be read as names are refused") {
    const Folder folder;
    const std::string here = folder.path().string();
    CHECK(read_refusal(here + "/none.txt") ==
          here + "/none.txt: can't be read: No such file or directory; name a file that can");
    CHECK(read_refusal(here + "/none/none.txt")
              .ends_with(": can't be read: No such file or directory; name a file that can"));
    CHECK(read_refusal("") == ": can't be read: No such file or directory; name a file that can");
    CHECK(read_refusal(here) == here + ": is a folder; name a file");
    CHECK(read_refusal(written(folder, "empty.txt", ""))
              .ends_with("empty.txt: empty; give a text file with one name a line"));
    CHECK(read_refusal(written(folder, "dot.txt", "a\n.\n")).starts_with(here + "/dot.txt:2: has a '.'"));
    CHECK(read_refusal(here + "/" + std::string(5000, 'x')).find(": can't be read: File name too long") !=
          std::string::npos);

    fs::create_symlink("loop.txt", folder.file("loop.txt"));
    CHECK(read_refusal(here + "/loop.txt").find(": can't be read: ") != std::string::npos);
    fs::create_symlink("gone.txt", folder.file("dangling.txt"));
    CHECK(read_refusal(here + "/dangling.txt").find(": can't be read: No such file") != std::string::npos);
    folder.write("good.txt", "emma\n");
    fs::create_symlink("good.txt", folder.file("link.txt"));
    CHECK(read_names(here + "/link.txt").names == Names{U"emma"});
}

TEST_CASE("names file: a file that is not regular is refused without waiting for it") {
    const Folder folder;
    const std::string fifo = folder.file("fifo");
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(read_refusal(fifo) == fifo + ": is not a regular file; name one");
    for (const std::string device : {"/dev/zero", "/dev/null"}) {
        if (fs::exists(device)) {
            CHECK(read_refusal(device) == device + ": is not a regular file; name one");
        }
    }
}

TEST_CASE("names file: a file that opens but can't be read is refused") {
    if (!fs::exists("/proc/self/mem")) {
        SKIP("no /proc/self/mem here");
    }
    CHECK(read_refusal("/proc/self/mem") == "/proc/self/mem: can't be read: Input/output error");
}

TEST_CASE("names file: a file larger than 40 MB is not read to its end") {
    const Folder folder;
    const std::string path = written(folder, "zeros.txt", "");
    fs::resize_file(path, std::uintmax_t{1} << 40);  // a sparse terabyte of NULs
    CHECK(read_refusal(path) == path + ": larger than the limit of 40000000 bytes; give a smaller file");
    fs::resize_file(path, 40'000'001);
    CHECK(read_refusal(path) == path + ": larger than the limit of 40000000 bytes; give a smaller file");
    fs::resize_file(path, 40'000'000);
    CHECK(read_refusal(path) == path + ":1: longer than 1 KiB (1024 bytes); give one name a line");
}

TEST_CASE("names file: a file without read permission is refused") {
    if (geteuid() == 0) {
        SKIP("root may read everything");
    }
    const Folder folder;
    const std::string path = written(folder, "secret.txt", "emma\n");
    fs::permissions(path, fs::perms::none);
    CHECK(read_refusal(path) == path + ": can't be read: Permission denied; name a file that can");
}

}  // namespace
}  // namespace byhand
