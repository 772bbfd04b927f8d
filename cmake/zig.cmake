# CMAKE_TOOLCHAIN_FILE: builds for FER_TARGET (a row of scripts/targets.mjs) with zig's clang and its C and C++ libraries, the
# latter linked in.
set(linux-x64-glibc x86_64-linux-gnu.2.28)
set(linux-x64-musl x86_64-linux-musl)
set(linux-arm64-glibc aarch64-linux-gnu.2.28)
set(linux-arm64-musl aarch64-linux-musl)
set(triple ${${FER_TARGET}})

list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FER_ZIG FER_TARGET)
if(NOT FER_ZIG)
  execute_process(COMMAND bash ${CMAKE_CURRENT_LIST_DIR}/../scripts/zig.sh OUTPUT_VARIABLE FER_ZIG OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()
set(CMAKE_SYSTEM_NAME Linux)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${triple})
set(CMAKE_CXX_COMPILER ${FER_ZIG} c++ -target ${triple})
set(FER_X86_64 x86_64_v)
# Its archiver is a sub-command as well, and its linker strips: the host's strip knows the host's binaries alone.
set(CMAKE_AR ${FER_ZIG})
set(CMAKE_CXX_ARCHIVE_CREATE "<CMAKE_AR> ar qcs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_APPEND "<CMAKE_AR> ar qs <TARGET> <OBJECTS>")
set(CMAKE_CXX_ARCHIVE_FINISH "")
set(CMAKE_SHARED_LINKER_FLAGS_INIT -s)
# What is built runs by way of scripts/run-as.sh, for ctest too.
set(CMAKE_CROSSCOMPILING_EMULATOR bash ${CMAKE_CURRENT_LIST_DIR}/../scripts/run-as.sh ${FER_TARGET})
