# SPDX-License-Identifier: Apache-2.0
# Libraries of which only headers are used.

# actfun_find_header(out name)
# The directory in which the header `name` is found. A compiler for another machine must not see what lies beside it in
# /usr/include: it gets a directory of its own, with links to the header and to the folder that `name` may begin with.
function(actfun_find_header out name)
  if(NOT CMAKE_CROSSCOMPILING)
    find_path(${out} ${name} REQUIRED)
    return()
  endif()
  find_path(${out}_OF_HOST ${name} PATHS /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)
  string(REGEX REPLACE "/.*" "" link "${name}")
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/headers")
  file(CREATE_LINK "${${out}_OF_HOST}/${link}" "${PROJECT_BINARY_DIR}/headers/${link}" SYMBOLIC)
  set(${out} "${PROJECT_BINARY_DIR}/headers" PARENT_SCOPE)
endfunction()
