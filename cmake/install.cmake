# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where. Everything is relocatable: the prefix may be moved, or chosen at install time.

# The library. It needs nothing of its users, so that its export set is the whole package.
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/actfun)
install(TARGETS actfun EXPORT actfunTargets)
install(EXPORT actfunTargets NAMESPACE actfun:: DESTINATION ${package})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/actfunConfig.cmake @ONLY
     CONTENT "include(\"\${CMAKE_CURRENT_LIST_DIR}/actfunTargets.cmake\")\n")
# Before version 1, a new minor version may break the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/actfunConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/actfunConfig.cmake ${PROJECT_BINARY_DIR}/actfunConfigVersion.cmake
        DESTINATION ${package})

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/actfun DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${functions_header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/actfun)

# pkg-config finds everything from where actfun.pc itself lies.
set(pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
foreach(directory PREFIX FULL_LIBDIR FULL_INCLUDEDIR)
  file(RELATIVE_PATH TO_${directory} ${pkgconfig} ${CMAKE_INSTALL_${directory}})
endforeach()
configure_file(${PROJECT_SOURCE_DIR}/cmake/actfun.pc.in ${PROJECT_BINARY_DIR}/actfun.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/actfun.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET actfun_tool)
  install(TARGETS actfun_tool)
endif()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/certificates DESTINATION ${CMAKE_INSTALL_DATADIR}/actfun
        FILES_MATCHING PATTERN "*.json")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/data DESTINATION ${CMAKE_INSTALL_DATADIR}/actfun)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
