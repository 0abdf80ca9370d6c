# SPDX-License-Identifier: Apache-2.0
# Reads functions/list.def, so that no other list of the functions exists.

# actfun_write_all_functions(out)
# Writes the header `out`, which includes every file that functions/list.def names. Whoever includes it opens a
# namespace first: the files hold one struct each and include nothing. An unchanged list leaves the file alone.
function(actfun_write_all_functions out)
  set(list "${PROJECT_SOURCE_DIR}/functions/list.def")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${list}")
  file(STRINGS "${list}" lines REGEX "^(ELEMENTWISE|AXIS|FIXED)\\(")
  set(derived ${lines})
  list(FILTER lines EXCLUDE REGEX "^FIXED")
  list(FILTER derived INCLUDE REGEX "^FIXED")
  set(text "// Written by CMake from functions/list.def, bases first.\n")
  foreach(line IN LISTS lines derived)
    string(REGEX REPLACE "^[A-Z]+\\(([a-z0-9_]+),.*$" "\\1" name "${line}")
    string(APPEND text "#include \"functions/${name}.inl.h\"\n")
  endforeach()
  file(CONFIGURE OUTPUT "${out}" CONTENT "${text}" @ONLY)
endfunction()

# actfun_write_kernel_units(out_sources)
# Writes one small translation unit a function, build/kernels/<file>.cc, and names them all in `out_sources`.
# A function along an axis without row kernels of its own (maxout) has none.
function(actfun_write_kernel_units out_sources)
  file(STRINGS "${PROJECT_SOURCE_DIR}/functions/list.def" lines REGEX "^(ELEMENTWISE|AXIS|FIXED)\\(")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([A-Z]+)\\(([a-z0-9_]+), *([A-Za-z0-9_]+)(, *([a-z0-9_]+))?\\)" matched "${line}")
    set(file "${CMAKE_MATCH_2}")
    set(Name "${CMAKE_MATCH_3}")
    set(base "")
    if(CMAKE_MATCH_5)
      set(base "#include \"functions/${CMAKE_MATCH_5}.inl.h\"\n")
    endif()
    if(CMAKE_MATCH_1 STREQUAL "AXIS")
      set(loops AxisLoops)
      set(on_big "")
    else()
      set(loops ElementwiseLoops)
      string(CONCAT on_big "namespace actfun::big {\n${base}#include \"functions/${file}.inl.h\"\n"
             "const Evaluators* evaluators_${file}() { return &EvaluatorsOf<${Name}>::evaluators; }\n"
             "}  // namespace actfun::big")
    endif()
    set(unit "${PROJECT_BINARY_DIR}/kernels/${file}.cc")
    configure_file("${PROJECT_SOURCE_DIR}/backends/cpu/unit.cc.in" "${unit}" @ONLY)
    list(APPEND sources "${unit}")
  endforeach()
  set(${out_sources} ${sources} PARENT_SCOPE)
endfunction()
