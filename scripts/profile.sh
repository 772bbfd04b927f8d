#!/usr/bin/env bash
# Builds and runs bench/profile.cc, where a training step's time goes: profile.sh [narrow|wide] [steps] [fp32|bf16]
# or bench/products.cc, the products by themselves: profile.sh products [threads] [seconds a figure]
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S . -B build/native-profile -DFER_ADDON=OFF >build/native-profile.log
cmake --build build/native-profile --target fer_core --parallel "$(nproc)" >build/native-profile.log || { cat build/native-profile.log; exit 1; }
what=profile
[ "${1-}" = products ] && what=products && shift
"${CXX:-c++}" -O2 -std=c++20 -Wall -Wextra -Inative "bench/$what.cc" build/native-profile/libfer_core.a -pthread -o "build/native-profile/$what"
exec "build/native-profile/$what" "$@"
