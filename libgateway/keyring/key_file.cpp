#include "libgateway/keyring/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "libgateway/base/strings.hpp"
#include "libgateway/base/unique_fd.hpp"
#include "libgateway/keyring/key.hpp"

namespace gateway::keyring {

namespace {

constexpr std::size_t most_bytes = 64 << 10;

[[noreturn]] void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
}
[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw std::runtime_error(path + ": " + why);
}

std::string folder_of(const std::string& path) {
    const std::string folder = std::filesystem::path(path).parent_path().string();
    return folder.empty() ? "." : folder;
}

std::string octal(unsigned mode) {
    std::string text = "0000";
    for (std::size_t i = 4; i-- > 0; mode >>= 3) text[i] = static_cast<char>('0' + (mode & 7));
    return text;
}

void check_owner(const std::string& path, const struct stat& about) {
    if (!S_ISREG(about.st_mode)) refuse(path, "expected a regular file");
    if ((about.st_mode & 077) != 0) {
        refuse(path, "others can read or write it (mode " + octal(about.st_mode & 0777) + "), expected 0600");
    }
    struct stat folder {};
    const bool of_folder = ::stat(folder_of(path).c_str(), &folder) == 0 && folder.st_uid == about.st_uid;
    if (about.st_uid != ::geteuid() && about.st_uid != 0 && !of_folder) {
        refuse(path, "it belongs to user " + std::to_string(about.st_uid) + ", expected " +
                         std::to_string(::geteuid()) + " or root");
    }
}

std::string read_all(int fd, const std::string& path) {
    std::string text;
    std::array<char, 4096> block;
    for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) != 0;) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(path);
        text.append(block.data(), static_cast<std::size_t>(got));
        if (text.size() > most_bytes) refuse(path, "the file is too long for a keyring");
    }
    return text;
}

std::vector<std::string> parse(std::string_view text, const std::string& path) {
    std::vector<std::string> keys;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view word = trim(text.substr(0, end));
        if (word.ends_with('\r')) word.remove_suffix(1);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (word.empty() || word.front() == '#') continue;
        if (!Key::is_size(word.size())) {
            refuse(path + ":" + std::to_string(line),
                   "expected a key of 16 or 32 bytes, found " + std::to_string(word.size()));
        }
        keys.emplace_back(word);
    }
    if (keys.empty()) refuse(path, "there is no key in it");
    return keys;
}

// 32 letters and digits: 190 bits, and good as an entry of `keyring` in a static file.
std::string new_key() {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string key;
    while (key.size() < 32) {
        unsigned char byte = 0;
        random_bytes(&byte, 1);
        if ((byte & 63) < alphabet.size()) key.push_back(alphabet[byte & 63]);
    }
    return key;
}

void write_file(const std::string& path, std::string_view text) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) fail(path);
    while (!text.empty()) {
        const ssize_t count = ::write(file.get(), text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail(path);
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fchmod(file.get(), 0600) != 0 || ::fsync(file.get()) != 0) fail(path);
}

void make_file(const std::string& path, std::string_view text) {
    const std::string beside = path + ".new." + std::to_string(::getpid());
    ::unlink(beside.c_str());
    write_file(beside, text);
    // Unlike a rename, this never replaces the file of another start.
    const bool made = ::link(beside.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(beside.c_str());
    if (!made && error != EEXIST) {
        errno = error;
        fail(path);
    }
    const UniqueFd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
}

}  // namespace

std::optional<std::vector<std::string>> read_key_file(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT) return std::nullopt;
    if (!file && errno == ELOOP) refuse(path, "expected a regular file, found a link");
    if (!file) fail(path);
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) fail(path);
    check_owner(path, about);
    return parse(read_all(file.get(), path), path);
}

void make_key_file(const std::string& path) {
    make_file(path,
              "# Keys of this gateway, one a line; the first encrypts, all decrypt. Without them encrypted texts are "
              "lost.\n" +
                  new_key() + "\n");
}

void make_plain_key_file(const std::string& path) {
    make_file(path, new_key() + "\n");
}

}  // namespace gateway::keyring
