// SPDX-License-Identifier: MIT OR Apache-2.0

// Needs the headers alone.
#include <ringback/ringback.hpp>

int main() {
    ringback::Callback<int(int)> twice([](int value) { return 2 * value; });
    auto copy = ringback::Callback<int(int)>::adopt(twice.retained());
    std::puts("consumed");
    return copy(21) == 42 ? 0 : 1;
}
