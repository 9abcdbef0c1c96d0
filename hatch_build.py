"""Compile `lamella/graphs/compiled/transformer.c` when lamella is installed, where there is a C compiler.

Without one, on another processor, or where compiling fails, lamella is installed all the same: onnxruntime does the same work.
"""

import os
import platform
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = Path("lamella", "graphs", "compiled")
FLAGS = ["-O3", "-std=gnu11", "-shared", "-fPIC"]
SECONDS = 120


class Compile(BuildHookInterface[Any]):
    """The one build step beyond copying files."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        source = Path(self.root) / PLACE / "transformer.c"
        if version == "editable":  # Python finds the package in the clone, so the library goes there
            out = source.with_suffix(".so")
            if not (out.is_file() and out.stat().st_mtime >= source.stat().st_mtime):
                self._compiled(source, out)
            return
        self._room = tempfile.TemporaryDirectory()
        out = Path(self._room.name) / "transformer.so"
        if self._compiled(source, out):
            build_data["force_include"][str(out)] = str(PLACE / out.name)
            build_data["pure_python"] = False
            system = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{system}"  # any Python: the library is called through ctypes

    def _compiled(self, source: Path, out: Path) -> bool:
        """Whether there is a library now."""
        found = [os.environ.get("CC"), "cc", "gcc", "clang"]
        compiler = next((path for name in found if name and (path := shutil.which(name))), None)
        if compiler is None or platform.machine() not in ("x86_64", "AMD64") or os.name != "posix":
            return False
        fresh = out.with_name(f"{out.name}.{os.getpid()}")
        try:
            command = [compiler, *FLAGS, "-o", str(fresh), str(source), "-lm"]
            subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
            fresh.replace(out)
        except (OSError, subprocess.SubprocessError) as error:
            fresh.unlink(missing_ok=True)
            said = getattr(error, "stderr", None) or str(error).encode()
            self.app.display_warning(
                f"{source.name} was not compiled; onnxruntime does its work: {said.decode(errors='replace')[-500:]}"
            )
            return False
        return True
