# From the operations' headers: each function with its file, its line and the comment above it, as a C++ table.
# A comment that stands apart from the function (an empty line between) is not its own.
/^\/\/ / {
    text = $0
    sub(/^\/\/ /, "", text)
    comment = comment == "" ? text : comment " " text
    next
}
/^template <class T(, class [A-Za-z]+)?>$/ { next }
match($0, /^void [a-z_0-9]+\(T\*/) {
    name = substr($0, 6, RLENGTH - 8)
    file = FILENAME
    sub(/.*\/src\//, "src/", file)
    parts = split(file, folder, "/")
    gsub(/\\/, "\\\\", comment)
    gsub(/"/, "\\\"", comment)
    rows = rows sprintf("    {\"%s\", \"%s\", \"%s\", %d, \"%s\"},\n", name, parts == 4 ? folder[3] : "", file, FNR, comment)
}
{ comment = "" }
END {
    print "// Made by cmake/formulas.awk.\n#include \"manual/formulas.h\"\n\nnamespace byhand {\nnamespace {\n"
    print "constexpr Formula kFormulas[] = {\n" rows "};\n"
    print "}  // namespace\n\nstd::span<const Formula> formulas() {\n    return kFormulas;\n}\n\n}  // namespace byhand"
}
