#include "train/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "base/error.h"
#include "names/utf8.h"

namespace byhand {

std::string reason(int error) {
    return error == ENXIO ? "nobody is at the other end of it" : std::generic_category().message(error);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor::~Descriptor() {
    if (number_ >= 0) {
        ::close(number_);
    }
}

RegularFile open_regular(const std::string& path) {
    const auto refuse = [&](const std::string& what) { throw InputError(printable(path) + ": " + what); };
    // A pipe would keep an ordinary open() waiting for its writer.
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    struct stat status = {};
    if (descriptor.number() < 0 || ::fstat(descriptor.number(), &status) != 0) {
        refuse("can't be read: " + reason());
    }
    if (S_ISDIR(status.st_mode)) {
        refuse("is a folder; name a file");
    }
    if (!S_ISREG(status.st_mode)) {
        refuse("is not a regular file");
    }
    return {std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace byhand
