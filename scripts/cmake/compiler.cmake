# Compiler settings shared by every target; sanitizers and warnings are decided here and nowhere else.
# ccache 4.7 hands out precompiled headers that are stale.
find_program(GATEWAY_CCACHE ccache)
if(GATEWAY_CCACHE AND NOT GATEWAY_PRECOMPILE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${GATEWAY_CCACHE})
endif()

add_library(gateway_flags INTERFACE)
target_compile_options(gateway_flags INTERFACE
    -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -fno-strict-aliasing $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-mismatched-new-delete>
    $<$<CONFIG:Release>:-fno-plt>)
target_include_directories(gateway_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(gateway_flags INTERFACE
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=32 BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED GATEWAY_VERSION="${PROJECT_VERSION}")
if(GATEWAY_SANITIZE)
    # clang 14 cannot emit a coroutine whose type is noted for the check of calls through pointers.
    target_compile_options(gateway_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
        -fno-omit-frame-pointer $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=function>)
    target_link_options(gateway_flags INTERFACE -fsanitize=address,undefined)
    target_compile_definitions(gateway_flags INTERFACE GATEWAY_SANITIZED=1)
endif()
# Boost headers are not ours to warn about.
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
target_link_libraries(gateway_flags INTERFACE Boost::headers Threads::Threads)
