# What `cmake --install` puts where: programs, unit, example configuration (never over an existing one), pages, completion.
include(GNUInstallDirs)
install(TARGETS gatewayd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS gatewayctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/man/gatewayd.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/man/gatewayctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES scripts/completion/gatewayctl DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/gateway)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/gateway/docs PATTERN man EXCLUDE)
# The rest follows the prefix of the installation, which may differ from the one the build was configured with.
install(CODE "set(source \"${PROJECT_SOURCE_DIR}/config\")")
install(SCRIPT scripts/cmake/install_config.cmake)
