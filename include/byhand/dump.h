/* Appends named arrays to a .npz file, from C99 or C++: a call after each operation, for `byhand trace`.

       size_t extents[] = {B, T, C};
       byhand_dump("a.npz", "h", h, BYHAND_F32, 3, extents);

   After each call the file is whole, and numpy.load opens it. Numbers are written as they are, but BF16, which NumPy
   does not have, as F32, which holds it exactly. A name that is taken gets .1, .2 and so on. A call returns 0; on an
   error it prints one line to stderr and returns 1. Once writing has failed, so do later calls for this path. A
   process's first call for a path replaces what this header or byhand wrote there, and refuses any other file.

   Include it in one translation unit, and call it from one thread: all is static, and a second unit would replace the
   file of the first. Numbers must be little-endian in memory. */
#ifndef BYHAND_DUMP_H
#define BYHAND_DUMP_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The data of F16 and BF16 are their bits, as uint16_t; of BOOL, bytes 0 and 1. */
enum { BYHAND_F32, BYHAND_F64, BYHAND_F16, BYHAND_BF16, BYHAND_I64, BYHAND_I32, BYHAND_I8, BYHAND_U8, BYHAND_BOOL };

struct byhand_dump_file {
    struct byhand_dump_file* next;
    unsigned char* directory; /* the zip's, without its end */
    size_t size;              /* of the directory */
    uint64_t entries, offset; /* bytes before the directory */
    int is_broken;
    char path[1]; /* and more */
};

enum { BYHAND_DUMP_ENTRY = 46 + 28, BYHAND_DUMP_END = 56 + 20 + 22 + 6 }; /* in the directory, less the name; its end */

static inline int byhand_dump_fails(const char* path, const char* name, const char* reason) {
    fprintf(stderr, "byhand_dump: %s: %s%s%s\n", path, name, *name ? ": " : "", reason);
    return 1;
}

/* Little-endian; returns what follows. */
static inline unsigned char* byhand_dump_put(unsigned char* to, uint64_t value, int bytes) {
    for (; bytes > 0; --bytes, value >>= 8) {
        *to++ = (unsigned char)(value & 255);
    }
    return to;
}

/* Adds bytes to a CRC-32, which begins as 0. */
static inline uint32_t byhand_dump_crc(uint32_t crc, const void* data, size_t size) {
    const unsigned char* bytes = (const unsigned char*)data;
    static uint32_t table[256];
    for (uint32_t i = 0; table[255] == 0 && i < 256; ++i) {
        uint32_t rest = i;
        for (int bit = 0; bit < 8; ++bit) {
            rest = (rest & 1) != 0 ? rest >> 1 ^ 0xEDB88320U : rest >> 1;
        }
        table[i] = rest;
    }
    crc = ~crc;
    for (size_t i = 0; i < size; ++i) {
        crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 255];
    }
    return ~crc;
}

/* Whether there is no such file, an empty one, or one that ends as a zip with the comment "byhand". */
static inline int byhand_dump_may_replace(const char* path) {
    char end[28];
    FILE* file = fopen(path, "rb");
    if (file == NULL) {
        return errno == ENOENT;
    }
    const int is_empty = fgetc(file) == EOF && !ferror(file);
    const int is_ours = fseek(file, -28, SEEK_END) == 0 && fread(end, 1, 28, file) == 28 &&
                        memcmp(end, "PK\5\6", 4) == 0 && memcmp(end + 20, "\6\0byhand", 8) == 0;
    fclose(file);
    return is_empty || is_ours;
}

/* The file of that path, begun by the first call; NULL after a message. */
static inline struct byhand_dump_file* byhand_dump_begun(const char* path) {
    static struct byhand_dump_file* files;
    for (struct byhand_dump_file* file = files; file != NULL; file = file->next) {
        if (strcmp(file->path, path) == 0) {
            return file;
        }
    }
    if (!byhand_dump_may_replace(path)) {
        byhand_dump_fails(path, "", "not a file that byhand wrote: remove it, or give another name");
        return NULL;
    }
    struct byhand_dump_file* begun = (struct byhand_dump_file*)calloc(1, sizeof *begun + strlen(path));
    FILE* file = begun != NULL ? fopen(path, "wb") : NULL;
    if (file == NULL || fclose(file) != 0) {
        byhand_dump_fails(path, "", strerror(errno));
        free(begun);
        return NULL;
    }
    memcpy(begun->path, path, strlen(path));
    begun->next = files;
    return files = begun;
}

static inline int byhand_dump_has(const struct byhand_dump_file* file, const char* name) {
    const size_t length = strlen(name);
    for (const unsigned char* entry = file->directory; entry < file->directory + file->size;) {
        const size_t its = (size_t)(entry[28] | entry[29] << 8);
        if (its == length && memcmp(entry + 46, name, its) == 0) {
            return 1;
        }
        entry += BYHAND_DUMP_ENTRY + its;
    }
    return 0;
}

/* The local header of an entry or, with its offset, what the directory has of it; both in the long form (zip64). */
static inline unsigned char* byhand_dump_entry(unsigned char* to, const char* name, uint32_t crc, uint64_t size,
                                               const uint64_t* offset) {
    const size_t length = strlen(name);
    to = byhand_dump_put(to, offset != NULL ? 0x2D02014B50 : 0x04034B50, offset != NULL ? 6 : 4);
    to = byhand_dump_put(to, 0x0800002D, 4);         /* needs version 4.5; the name is UTF-8 */
    to = byhand_dump_put(to, (uint64_t)33 << 32, 6); /* stored; 1980-01-01 */
    to = byhand_dump_put(byhand_dump_put(to, crc, 4), UINT64_MAX, 8);
    to = byhand_dump_put(byhand_dump_put(to, length, 2), offset != NULL ? 28 : 20, 2);
    if (offset != NULL) {
        to = byhand_dump_put(byhand_dump_put(to, 0, 8), (uint64_t)UINT32_MAX << 16, 6);
    }
    memcpy(to, name, length);
    to = byhand_dump_put(to + length, offset != NULL ? 0x180001 : 0x100001, 4);
    to = byhand_dump_put(byhand_dump_put(to, size, 8), size, 8);
    return offset != NULL ? byhand_dump_put(to, *offset, 8) : to;
}

static inline void byhand_dump_end(unsigned char* to, const struct byhand_dump_file* file) {
    to = byhand_dump_put(byhand_dump_put(to, 0x06064B50, 4), 44, 8);
    to = byhand_dump_put(byhand_dump_put(to, 45 | 45 << 16, 4), 0, 8);
    to = byhand_dump_put(byhand_dump_put(to, file->entries, 8), file->entries, 8);
    to = byhand_dump_put(byhand_dump_put(to, file->size, 8), file->offset, 8);
    to = byhand_dump_put(byhand_dump_put(to, 0x07064B50, 4), 0, 4);
    to = byhand_dump_put(byhand_dump_put(to, file->offset + file->size, 8), 1, 4);
    to = byhand_dump_put(byhand_dump_put(to, 0x06054B50, 4), 0, 4);
    to = byhand_dump_put(byhand_dump_put(to, UINT64_MAX, 8), UINT32_MAX, 4); /* see the long form */
    memcpy(byhand_dump_put(to, 6, 2), "byhand", 6);
}

/* The .npy header, of version 1; returns its size. */
static inline size_t byhand_dump_header(char* to, const char* descr, size_t rank, const size_t* extents) {
    size_t size = (size_t)sprintf(to + 10, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr) + 10;
    for (size_t i = 0; i < rank; ++i) {
        size += (size_t)sprintf(to + size, "%llu,", (unsigned long long)extents[i]);
    }
    size += (size_t)sprintf(to + size, "), }");
    while (size % 64 != 63) {
        to[size++] = ' ';
    }
    to[size++] = '\n';
    memcpy(to, "\x93NUMPY\1\0", 8);
    byhand_dump_put((unsigned char*)to + 8, size - 10, 2);
    return size;
}

static inline int byhand_dump(const char* path, const char* name, const void* data, int dtype, size_t rank,
                              const size_t* extents) {
    static const char* const descrs[] = {"<f4", "<f8", "<f2", "", "<i8", "<i4", "|i1", "|u1", "|b1"};
    static const size_t sizes[] = {4, 8, 2, 2, 8, 4, 1, 1, 1};
    enum { LONGEST_NAME = 4096, MOST_AXES = 32 };
    unsigned char local[30 + 20 + LONGEST_NAME + 32];
    char header[1024], unique[LONGEST_NAME + 32], mark[4] = {0};
    if (*name == 0 || strlen(name) > LONGEST_NAME || dtype < 0 || dtype > BYHAND_BOOL || rank > MOST_AXES) {
        return byhand_dump_fails(path, "", "a call needs a name of at most 4096 bytes, a type, and at most 32 axes");
    }
    size_t bytes = sizes[dtype];
    for (size_t i = 0; i < rank; ++i) {
        if (extents[i] != 0 && bytes > SIZE_MAX / 4 / extents[i]) {
            return byhand_dump_fails(path, name, "the extents are too large");
        }
        bytes *= extents[i];
    }
    if (data == NULL && bytes != 0) {
        return byhand_dump_fails(path, name, "there are no data");
    }
    if (dtype == BYHAND_BF16) { /* the upper half of an F32 */
        char* wide = (char*)calloc(bytes + 1, 2);
        for (size_t i = 0; wide != NULL && i < bytes; i += 2) {
            memcpy(wide + 2 * i + 2, (const char*)data + i, 2);
        }
        const int fails = wide != NULL ? byhand_dump(path, name, wide, BYHAND_F32, rank, extents)
                                       : byhand_dump_fails(path, name, strerror(ENOMEM));
        free(wide);
        return fails;
    }
    struct byhand_dump_file* begun = byhand_dump_begun(path);
    if (begun == NULL || begun->is_broken) {
        return begun == NULL || byhand_dump_fails(path, name, "an earlier call has failed");
    }
    sprintf(unique, "%s.npy", name);
    for (unsigned i = 1; byhand_dump_has(begun, unique); ++i) {
        sprintf(unique, "%s.%u.npy", name, i);
    }
    const size_t head = byhand_dump_header(header, descrs[dtype], rank, extents);
    const uint32_t crc = byhand_dump_crc(byhand_dump_crc(0, header, head), data, bytes);
    /* The entry is put where the directory was, and the directory, which is longer now, behind it. */
    const size_t tail = begun->entries > 0 ? begun->size + BYHAND_DUMP_END : 0;
    const size_t longer = begun->size + BYHAND_DUMP_ENTRY + strlen(unique);
    unsigned char* directory = (unsigned char*)realloc(begun->directory, longer + BYHAND_DUMP_END);
    FILE* file = directory != NULL ? fopen(path, "r+b") : NULL;
    if (file == NULL) {
        begun->is_broken = 1;
        return byhand_dump_fails(path, name, strerror(errno));
    }
    begun->directory = directory;
    errno = 0;
    int is_right = fseek(file, -(long)tail, SEEK_END) == 0;
    is_right = is_right && (tail == 0 || (fread(mark, 1, 4, file) == 4 && memcmp(mark, "PK\1\2", 4) == 0 &&
                                          fseek(file, -(long)tail, SEEK_END) == 0));
    const size_t before = (size_t)(byhand_dump_entry(local, unique, crc, head + bytes, NULL) - local);
    byhand_dump_entry(directory + begun->size, unique, crc, head + bytes, &begun->offset);
    begun->offset += before + head + bytes;
    begun->entries += 1;
    begun->size = longer;
    byhand_dump_end(directory + longer, begun);
    is_right = is_right && fwrite(local, 1, before, file) == before && fwrite(header, 1, head, file) == head &&
               (bytes == 0 || fwrite(data, 1, bytes, file) == bytes) &&
               fwrite(directory, 1, longer + BYHAND_DUMP_END, file) == longer + BYHAND_DUMP_END;
    begun->is_broken = fclose(file) != 0 || !is_right;
    return begun->is_broken ? byhand_dump_fails(path, name, errno != 0 ? strerror(errno) : "changed by others") : 0;
}

#endif
