# SPDX-License-Identifier: Apache-2.0
# WebAssembly by Debian's emscripten, run by Node. Debian's own file names this compiler and its archiver. Kernels are
# those of the scalar target: Highway's vectors for WebAssembly have no doubles. SIMD128 is there for the compiler.
include(/usr/share/emscripten/cmake/Modules/Platform/Emscripten.cmake)
set(CMAKE_CXX_FLAGS_INIT "-msimd128 -fwasm-exceptions -include ${CMAKE_CURRENT_LIST_DIR}/libcxx.h")
set(CMAKE_C_FLAGS_INIT "-msimd128")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fwasm-exceptions -sALLOW_MEMORY_GROWTH=1 -sEXIT_RUNTIME=1")
