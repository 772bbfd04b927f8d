#!/usr/bin/env bash
# Builds and runs bench/profile.cc, where a training step's time goes: profile.sh [narrow|wide] [steps]
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S . -B build/native-profile -DFER_ADDON=OFF >build/native-profile.log
cmake --build build/native-profile --target fer_core --parallel "$(nproc)" >build/native-profile.log || { cat build/native-profile.log; exit 1; }
"${CXX:-c++}" -O2 -std=c++20 -Wall -Wextra -Inative bench/profile.cc build/native-profile/libfer_core.a -pthread -o build/native-profile/profile
exec build/native-profile/profile "$@"
