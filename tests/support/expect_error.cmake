# SPDX-License-Identifier: BSL-1.0
# Passes when SOURCE does not compile and the compiler says the text that stands on its first line, `// error: <text>`.
# Carets are off, so that the compiler says what it has to say and does not echo the source.
file(STRINGS "${SOURCE}" first LIMIT_COUNT 1)
if(NOT first MATCHES "^// error: (.*[^ ])")
  message(FATAL_ERROR "${SOURCE}:1: the first line must be `// error: <text>`")
endif()
string(REPLACE "\\;" ";" expected "${CMAKE_MATCH_1}")  # file(STRINGS) escapes semicolons

set(arguments -std=c++20 -fsyntax-only -fno-caret-diagnostics)
foreach(directory IN LISTS INCLUDES)
  list(APPEND arguments -I "${directory}")
endforeach()
foreach(directory IN LISTS SYSTEM_INCLUDES)
  list(APPEND arguments -isystem "${directory}")
endforeach()
execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" --version OUTPUT_VARIABLE version)
if(NOT version MATCHES "clang")
  list(TRANSFORM arguments REPLACE "^-fno-caret-diagnostics$" "-fno-diagnostics-show-caret")
endif()

execute_process(COMMAND "${CMAKE_COMMAND}" -E env LC_ALL=C "${COMPILER}" ${arguments} "${SOURCE}"
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "${SOURCE}: compiles, and must not")
endif()
string(FIND "${output}" "error:" error)
string(FIND "${output}" "${expected}" found)
if(error EQUAL -1 OR found EQUAL -1)
  message("${output}")
  message(FATAL_ERROR "${SOURCE}: fails to compile, but the compiler does not say: ${expected}")
endif()
