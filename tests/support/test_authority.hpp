// Certificates by an authority that lives as long as the test, made by the openssl program.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace gateway::test {

struct TestCertificate {
    std::filesystem::path certificate, key;  // PEM
};

class TestAuthority {
public:
    TestAuthority() { make("authority", "basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign\n", {}); }
    // What others trust to trust this authority.
    std::filesystem::path file() const { return folder_ / "authority.pem"; }
    // For names as in "DNS:localhost,IP:127.0.0.1".
    TestCertificate issue(const std::string& names) {
        const std::string stem = "certificate" + std::to_string(++issued_);
        make(stem, "basicConstraints = CA:FALSE\nsubjectAltName = " + names + "\n",
             {"-CA", file().string(), "-CAkey", (folder_ / "authority.key").string()});
        return {folder_ / (stem + ".pem"), folder_ / (stem + ".key")};
    }

private:
    void make(const std::string& stem, const std::string& extensions, const std::vector<std::string>& more) {
        const auto settings = folder_.write(stem + ".cnf",
                                            "[req]\ndistinguished_name = name\nx509_extensions = added\n"
                                            "[name]\n[added]\n" +
                                                extensions);
        std::vector<std::string> args{"openssl",
                                      "req",
                                      "-x509",
                                      "-config",
                                      settings.string(),
                                      "-newkey",
                                      "ec",
                                      "-pkeyopt",
                                      "ec_paramgen_curve:P-256",
                                      "-nodes",
                                      "-days",
                                      "2",
                                      "-subj",
                                      "/CN=" + stem,
                                      "-keyout",
                                      (folder_ / (stem + ".key")).string(),
                                      "-out",
                                      (folder_ / (stem + ".pem")).string()};
        args.insert(args.end(), more.begin(), more.end());
        const RunResult made = run(args, milliseconds(30000));
        if (made.exit != 0) throw std::runtime_error("openssl: " + made.out);
        // Readable for a server that has given up its privileges.
        for (const char* end : {".key", ".pem"})
            std::filesystem::permissions(folder_ / (stem + end), std::filesystem::perms(0644));
        std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755));
    }

    TempDir folder_;
    int issued_ = 0;
};

}  // namespace gateway::test
