"""The part of the build that pyproject.toml cannot say: the workflow goes inside the wheel.

In a checkout `workflow/`, `rules/`, `profiles/` and `config/` stand beside the package; a wheel
carries them in `iota2_tools/shipped/`, where `iota2_tools.core.places` finds them.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# By pattern: what a user has put beside them (config/site.yaml, results/) stays at home.
SHIPPED = (
    "workflow/Snakefile",
    "workflow/*.smk",
    "workflow/scripts/*.py",
    "workflow/schemas/*.yaml",
    "workflow/report/*.rst",
    "rules/*.smk",
    "profiles/*/config.yaml",
    "config/README.md",
    "config/demo.yaml",
    "config/full.yaml",
    "config/minimal.yaml",
    "config/nomenclature.csv",
    "config/phenology.py",
    "config/site.example.yaml",
    "config/texture.py",
    "envs/pip.lock",
)


class BuildWithWorkflow(build_py):
    """Copies the workflow beside the modules; an editable install reads it where it is."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        shipped = Path(self.build_lib, "iota2_tools", "shipped")
        shutil.rmtree(shipped, ignore_errors=True)
        for pattern in SHIPPED:
            found = sorted(Path().glob(pattern))
            if not found:
                raise FileNotFoundError(f"{pattern}: the wheel would lack it")
            for path in found:
                target = shipped / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
