#include "ranks/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/utf8.h"

namespace byhand::distributed {
namespace {

// A socket of datagrams: connecting it sends nothing.
class Socket {
public:
    explicit Socket(int family) : number_(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }

private:
    int number_;
};

}  // namespace

std::string address_towards(const std::string& host, std::size_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
        throw InputError(excerpt(host, 100) + ": " + ::gai_strerror(error));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    std::string reason;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        const Socket socket(one->ai_family);
        sockaddr_storage own{};
        socklen_t size = sizeof(own);
        auto* const address = reinterpret_cast<sockaddr*>(&own);
        if (socket.number() < 0 || ::connect(socket.number(), one->ai_addr, one->ai_addrlen) != 0 ||
            ::getsockname(socket.number(), address, &size) != 0) {
            reason = std::strerror(errno);
            continue;
        }
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
            return text.data();
        }
    }
    throw InputError("no network leads to " + excerpt(host, 100) + (reason.empty() ? "" : ": " + reason));
}

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

}  // namespace byhand::distributed
