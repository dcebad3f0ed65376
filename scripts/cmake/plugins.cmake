# Plugins as shared objects: the headers that they may use, the digest by which they are known, the package for
# find_package(gateway).
set(GATEWAY_PLUGIN_ROOMS base json net http telemetry shm redis expr config route upstream client plugin)
set(generated ${PROJECT_BINARY_DIR}/generated)
set(build_id ${generated}/libgateway/plugin/build_id.hpp)
list(JOIN GATEWAY_PLUGIN_ROOMS "," rooms)
set(public_headers "")
foreach(room ${GATEWAY_PLUGIN_ROOMS})
    file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/libgateway/${room}/*.hpp)
    list(APPEND public_headers ${headers})
    install(FILES ${headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gateway/libgateway/${room} COMPONENT development)
endforeach()
set(make_build_id ${CMAKE_COMMAND} -DOUT=${build_id} -DROOT=${PROJECT_SOURCE_DIR} -DROOMS=${rooms}
    -DVERSION=${PROJECT_VERSION} -P ${PROJECT_SOURCE_DIR}/scripts/cmake/build_id.cmake)
execute_process(COMMAND ${make_build_id})
add_custom_command(OUTPUT ${build_id}.stamp BYPRODUCTS ${build_id}
    COMMAND ${make_build_id} COMMAND ${CMAKE_COMMAND} -E touch ${build_id}.stamp
    DEPENDS ${public_headers} ${PROJECT_SOURCE_DIR}/scripts/cmake/build_id.cmake VERBATIM)
add_custom_target(gateway_build_id DEPENDS ${build_id}.stamp)
add_dependencies(gateway_plugin gateway_build_id)
target_include_directories(gateway_plugin PUBLIC ${generated})
target_link_libraries(gateway_plugin PUBLIC ${CMAKE_DL_LIBS})

# A plugin may call anything of these rooms: all of each is in the program, and the program exports it.
function(gateway_carries_plugins program)
    list(TRANSFORM GATEWAY_PLUGIN_ROOMS PREPEND gateway_ OUTPUT_VARIABLE libraries)
    list(JOIN libraries "," libraries)
    set_target_properties(${program} PROPERTIES ENABLE_EXPORTS ON LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,${libraries}")
endfunction()

install(FILES ${build_id} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/gateway/libgateway/plugin COMPONENT development)
install(FILES ${PROJECT_SOURCE_DIR}/scripts/cmake/gatewayConfig.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/gateway
    COMPONENT development)
