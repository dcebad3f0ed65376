# What `cmake --install` puts where: programs, unit, example configuration (never over an existing one), pages, completion.
include(GNUInstallDirs)
install(TARGETS gatewayd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS gatewayctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/man/gatewayd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/man/gatewayctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES scripts/completion/gatewayctl DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The unit names absolute paths; they follow the prefix.
file(READ config/systemd/gateway.service unit)
string(REPLACE "/usr/sbin/" "${CMAKE_INSTALL_FULL_SBINDIR}/" unit "${unit}")
string(REPLACE "/usr/bin/" "${CMAKE_INSTALL_FULL_BINDIR}/" unit "${unit}")
string(REPLACE "/usr/share/doc/gateway" "${CMAKE_INSTALL_FULL_DOCDIR}" unit "${unit}")
string(REPLACE "/etc/gateway" "${CMAKE_INSTALL_FULL_SYSCONFDIR}/gateway" unit "${unit}")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/gateway.service CONTENT "${unit}" @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/gateway.service DESTINATION lib/systemd/system)

install(CODE "
    foreach(file gateway.yaml routes/routes.yaml)
        set(target \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_SYSCONFDIR}/gateway/\${file}\")
        get_filename_component(folder \"\${target}\" DIRECTORY)
        if(EXISTS \"\${target}\")
            message(STATUS \"Kept: \${target}\")
        else()
            message(STATUS \"Installing: \${target}\")
            file(COPY \"${PROJECT_SOURCE_DIR}/config/\${file}\" DESTINATION \"\${folder}\")
        endif()
    endforeach()")
