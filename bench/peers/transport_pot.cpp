// Processor time of exact transport by POT's network simplex, on a file of bench/Amalgam.Benchmarks transport-write; prints the least of several rounds and the cost, as the other side does.
// bench/transport-speed.sh compiles it against POT's ot/lp (git clone https://github.com/PythonOT/POT) with the optimisation of POT's own build: g++ -O3.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>
#include "EMD.h"

int main(int count, char** words) {
    std::ifstream file(words[1], std::ios::binary);
    int rounds = count > 2 ? std::atoi(words[2]) : 7;
    int32_t sizes[2];
    file.read(reinterpret_cast<char*>(sizes), sizeof sizes);
    auto read = [&](size_t n) {
        std::vector<double> values(n);
        file.read(reinterpret_cast<char*>(values.data()), n * sizeof(double));
        return values;
    };
    std::vector<double> rows = read(sizes[0]), columns = read(sizes[1]), costs = read(size_t(sizes[0]) * sizes[1]);
    if (!file) return std::fprintf(stderr, "%s is too short\n", words[1]), 1;

    double best = 1e300, cost = 0;
    for (int round = 0; round < rounds; round++) {
        std::vector<double> plan(costs.size()), u(rows.size()), v(columns.size());
        cost = 0;
        std::clock_t start = std::clock();
        int status = EMD_wrap(sizes[0], sizes[1], rows.data(), columns.data(), costs.data(), plan.data(), u.data(), v.data(), &cost, 100000000, nullptr, nullptr);
        best = std::min(best, double(std::clock() - start) / CLOCKS_PER_SEC);
        if (status != OPTIMAL) return std::fprintf(stderr, "status %d\n", status), 1;
    }
    std::printf("%.6f %.12g\n", best, cost);
}
