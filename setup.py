"""What pyproject.toml cannot say: nothing is built from what an older build left in `build`."""

import tempfile

from setuptools import setup
from setuptools.command.build import build


class Build(build):
    def initialize_options(self) -> None:
        super().initialize_options()
        self.own = tempfile.TemporaryDirectory(prefix="zen-build-")
        self.build_base = self.own.name


setup(cmdclass={"build": Build})
