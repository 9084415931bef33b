# SPDX-License-Identifier: BSL-1.0
# Configures, builds and runs the project tests/consumer/<WAY> in an empty directory under the build directory BUILT.
cmake_minimum_required(VERSION 3.25)
set(scratch "${BUILT}/consumer/${WAY}")
file(REMOVE_RECURSE "${scratch}")

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "consumer.${WAY}: exit status ${status} from: ${command}")
  endif()
endfunction()

set(prefixes ${PREFIX_PATH})
if(WAY STREQUAL "find_package")
  run("${CMAKE_COMMAND}" --install "${BUILT}" --config "${CONFIG}" --prefix "${scratch}/prefix")
  list(PREPEND prefixes "${scratch}/prefix")
endif()
string(REPLACE ";" "\\;" prefixes "${prefixes}")

run("${CMAKE_COMMAND}" -S "${TREE}/tests/consumer/${WAY}" -B "${scratch}/build" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_BUILD_TYPE=${CONFIG}" "-DCMAKE_PREFIX_PATH=${prefixes}"
    "-DLISTENQ_TREE=${TREE}")
run("${CMAKE_COMMAND}" --build "${scratch}/build" --config "${CONFIG}")
run("${CMAKE_CTEST_COMMAND}" --test-dir "${scratch}/build" -C "${CONFIG}" --output-on-failure --no-tests=error)
