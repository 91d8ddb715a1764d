"""Recipe for Conan 2: `conan create third_party`, or `conan install third_party -o tests=True` for a build by hand."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load, rmdir


class Halfstep(ConanFile):
    name = "halfstep"
    description = "Mixed-precision training of MLPs on CPUs"
    license = "MIT"
    package_type = "static-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"parallel": ["tbb", "threads", "serial"], "zlib": [True, False], "tests": [True, False]}
    default_options = {"parallel": "tbb", "zlib": True, "tests": False}

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "..", "CMakeLists.txt"))
        self.version = re.search(r"project\(halfstep VERSION ([0-9.]+)", text).group(1)

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "include/*", "src/*", "tests/*", "third_party/*"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        self.folders.root = ".."
        cmake_layout(self)

    def package_id(self):
        del self.info.options.tests

    def validate(self):
        check_min_cppstd(self, 20)

    def requirements(self):
        self.requires("xsimd/[>=8.1]")
        if self.options.parallel == "tbb":
            # What CMakeDeps writes takes no other major version for the one that is asked for.
            self.requires("onetbb/[>=2021.5 <2022]")
        if self.options.zlib:
            self.requires("zlib/[>=1.2 <2]")

    def build_requirements(self):
        if self.options.tests:
            self.test_requires("doctest/[>=2.4 <3]")

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["HALFSTEP_PARALLEL"] = str(self.options.parallel)
        toolchain.cache_variables["CMAKE_DISABLE_FIND_PACKAGE_ZLIB"] = not self.options.zlib
        toolchain.cache_variables["HALFSTEP_BUILD_TESTS"] = bool(self.options.tests)
        toolchain.cache_variables["HALFSTEP_BUILD_BENCH"] = False
        toolchain.cache_variables["HALFSTEP_BUILD_CLI"] = False
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install(component="halfstep_dev")
        # Conan writes its own.
        rmdir(self, os.path.join(self.package_folder, "lib", "cmake"))
        rmdir(self, os.path.join(self.package_folder, "lib", "pkgconfig"))

    def package_info(self):
        self.cpp_info.libs = ["halfstep"]
        self.cpp_info.set_property("cmake_target_name", "halfstep::halfstep")
        if self.settings.os == "Linux":
            self.cpp_info.system_libs = ["pthread", "dl"]
