# What every target of ours shares: warnings and sanitizers, said of one interface target; and the two ways to make one.
add_library(checks INTERFACE)
target_compile_options(checks INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef
  -Wno-unused-parameter -fno-strict-aliasing -fno-omit-frame-pointer)
target_compile_definitions(checks INTERFACE _GNU_SOURCE TIDEWIRE_VERSION="${PROJECT_VERSION}")
if(TIDEWIRE_WERROR)
  target_compile_options(checks INTERFACE -Werror)
endif()
if(TIDEWIRE_SANITIZE)
  target_compile_options(checks INTERFACE -fsanitize=${TIDEWIRE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(checks INTERFACE -fsanitize=${TIDEWIRE_SANITIZE})
  target_compile_definitions(checks INTERFACE TIDEWIRE_SANITIZED=1)
endif()

# tidewire_module(json index.c view.c LIBS base dep_luajit): library tw_json from the files of this folder.
function(tidewire_module name)
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_library(tw_${name} STATIC ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(tw_${name} PUBLIC ${CMAKE_SOURCE_DIR}/core)
  target_link_libraries(tw_${name} PUBLIC ${arg_LIBS} PRIVATE checks)
endfunction()

# tidewire_test(json_index test_index.c LIBS tw_json LABELS jump): one test program, known to ctest as json_index.
function(tidewire_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "LIBS;LABELS" ${ARGN})
  add_executable(test_${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
  target_link_libraries(test_${name} PRIVATE ${arg_LIBS} checks)
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "unit;${arg_LABELS}")
endfunction()

# tidewire_fuzz(json fuzz_json.c LIBS tw_json): a libFuzzer program, built with clang only; the target "fuzzers" builds them all.
function(tidewire_fuzz name)
  if(NOT TIDEWIRE_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  add_executable(fuzz_${name} ${arg_UNPARSED_ARGUMENTS})
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/support)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE ${arg_LIBS} checks)
  add_dependencies(fuzzers fuzz_${name})
endfunction()
