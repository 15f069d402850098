# Warnings, sanitizers and ccache for every target of the project.

find_program(BASCULE_CCACHE ccache)
if(BASCULE_CCACHE)
  # PCH needs the two sloppiness flags; base_dir and no hash_dir let two checkouts share results.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${BASCULE_CCACHE})
endif()

add_library(bascule_compiler INTERFACE)
target_compile_options(bascule_compiler INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  # g++ 12 warns about initialisers that are left to their defaults, which is how option structs are meant.
  -Wno-missing-field-initializers
  # ... and reports false maybe-uninitialised values inside std::optional and std::variant.
  -Wno-maybe-uninitialized
  $<$<BOOL:${BASCULE_WERROR}>:-Werror>
  # Lets ccache see through precompiled headers; clang, which reads these options for clang-tidy, refuses it.
  $<$<NOT:$<BOOL:${CMAKE_DISABLE_PRECOMPILE_HEADERS}>>:-fpch-preprocess>)
if(BASCULE_SANITIZE)
  target_compile_options(bascule_compiler INTERFACE -fsanitize=${BASCULE_SANITIZE} -fno-omit-frame-pointer)
  if(BASCULE_SANITIZE STREQUAL "thread")  # g++ warns about Asio's fences, which the sanitizer cannot model.
    target_compile_options(bascule_compiler INTERFACE -Wno-tsan)
  endif()
  target_link_options(bascule_compiler INTERFACE -fsanitize=${BASCULE_SANITIZE})
endif()
