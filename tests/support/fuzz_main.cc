// Driver for fuzz targets where libFuzzer is not at hand: runs the corpus, then random mutations of it, seeded and
// bounded.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::vector<std::string> read_corpus(const char* folder) {
    std::vector<std::string> corpus{std::string()};
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        std::ifstream in(entry.path(), std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return corpus;
}

std::string mutate(std::string text, const std::vector<std::string>& corpus, std::mt19937& random) {
    const auto steps = 1 + random() % 6;
    for (unsigned step = 0; step < steps; ++step) {
        const std::size_t at = text.empty() ? 0 : random() % text.size();
        switch (random() % 5) {
            case 0:
                text.insert(at, 1, static_cast<char>(random()));
                break;
            case 1:
                if (!text.empty()) text.erase(at, 1 + random() % 8);
                break;
            case 2:
                if (!text.empty()) text[at] = static_cast<char>(random());
                break;
            case 3:
                text.insert(at, text.substr(at, random() % 32));
                break;
            default: {
                const auto& other = corpus[random() % corpus.size()];
                if (!other.empty()) text.insert(at, other.substr(random() % other.size(), random() % 64));
            }
        }
    }
    return text;
}

void run(const std::string& text) {
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

}  // namespace

int main(int argc, char* argv[]) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 20000;
    const auto corpus = read_corpus(argc > 2 ? argv[2] : ".");
    for (const auto& text : corpus) run(text);
    std::mt19937 random(20261121);
    for (long round = 0; round < rounds; ++round) run(mutate(corpus[random() % corpus.size()], corpus, random));
    std::printf("%ld rounds over %zu inputs\n", rounds, corpus.size());
}
