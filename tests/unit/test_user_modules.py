"""Modules of the user: loaded by their path, digested with what they import, errors by file and line."""

import os
import sys
from pathlib import Path

import pytest

from iota2_tools.core.errors import UserCodeError
from iota2_tools.features.user_modules import (
    digest_of_sources,
    load_function,
    sources_of,
    user_errors,
)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes modules of a folder `mine`, and gives the path of the first one, relative."""
    monkeypatch.chdir(tmp_path)

    def write(text, **others):
        Path("mine").mkdir(exist_ok=True)
        Path("mine/first.py").write_text(text)
        for name, other in others.items():
            path = Path("mine", *name.split("_in_")[::-1]).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(other)
        return "mine/first.py"

    return write


def test_a_function_is_found_by_the_path_of_its_file(module):
    before = list(sys.path)
    assert load_function(module("def f(block):\n    return block + 1\n"), "f")(2) == 3
    assert sys.path == before


@pytest.mark.parametrize("changed", ["first", "other"])
def test_a_changed_file_counts_at_once_and_nothing_is_written_beside_it(module, changed):
    """Python's own cache of compiled files goes by their time, to the second, and their size."""
    text = "from .other import x\n\ndef f():\n    return x + 1\n"
    path = module(text, other="x = 1\n")
    file = Path("mine", f"{changed}.py")
    time = os.stat(file)
    assert load_function(path, "f")() == 2
    file.write_text(file.read_text().replace("1", "5"))
    os.utime(file, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert load_function(path, "f")() == 6
    assert sorted(os.listdir("mine")) == ["first.py", "other.py"]


def test_modules_of_one_name_in_two_folders_are_two(module, tmp_path):
    first = load_function(module("from .b import x\n\ndef f():\n    return x\n", b="x = 1\n"), "f")
    other = tmp_path / "other"
    other.mkdir()
    (other / "first.py").write_text(Path("mine/first.py").read_text())
    (other / "b.py").write_text("x = 2\n")
    assert [first(), load_function(str(other / "first.py"), "f")()] == [1, 2]


def test_modules_beside_it_are_imported_and_digested_whatever_the_form(module):
    path = module(
        "from . import one\nfrom .two import x\ndef f():\n    from .deep.three import y\n    return y\n",
        one="", two="from . import four\nx = 1\n", four="", __init___in_deep="", three_in_deep="y = 7\n",
        not_imported="",
    )  # fmt: skip
    names = [str(found.relative_to(Path("mine").absolute())) for found in sources_of(path)]
    assert names == ["deep/__init__.py", "deep/three.py", "first.py", "four.py", "one.py", "two.py"]
    assert load_function(path, "f")() == 7


@pytest.mark.parametrize("changed", ["one", "two", "up", "three_in_deep", "__init___in_deep"])
def test_a_change_of_a_module_it_imports_changes_the_digest(module, changed):
    text = "from . import one\nimport os\nfrom .deep.three import y\n"
    others = {"one": "from .two import x\n", "two": "x = 1\n", "up": "x = 2\n"}
    others |= {"__init___in_deep": "", "three_in_deep": "from ..up import x\ny = 7\n"}
    path = module(text, **others)
    before = digest_of_sources(path)
    assert digest_of_sources(path) == before
    module(text, **others | {changed: others[changed] + "# changed\n"})
    assert digest_of_sources(path) != before
    module(text, **others, stranger="x = 2\n")
    assert digest_of_sources(path) == before


def test_the_digest_is_that_of_the_content_wherever_it_stands(module, tmp_path):
    path = module("from . import one\n", one="x = 1\n")
    (tmp_path / "mine").rename(tmp_path / "moved")
    moved = digest_of_sources("moved/first.py")
    assert moved == digest_of_sources(module("from . import one\n", one="x = 1\n"))
    assert path == "mine/first.py"


def test_modules_that_import_one_another_are_digested_once(module):
    path = module("from . import one\n", one="from . import first\n")
    assert len(sources_of(path)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1 / 0\n", "mine/first.py, line 1 (`x = 1 / 0`): ZeroDivisionError: division by zero"),
        ("x = 1\nx = (\n", "mine/first.py, line 2 (`x = (`): SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit('enough')\n", "line 2 (`sys.exit('enough')`): SystemExit: enough"),
        ("import no_such_package\n", "pip install no_such_package"),
        ("import one\n", "it stands beside the module: write `from . import one`"),
        ("from .absent import x\n", "line 1 (`from .absent import x`): ModuleNotFoundError"),
        ("from .one import y\n", "mine/one.py, line 2 (`y = x[1]`): TypeError: 'int' object"),
        ("from .. import x\n", "line 1 (`from .. import x`): ImportError: attempted relative import"),
        ("from .broken import x\n", "mine/broken.py, line 1"),
        (b"\xff\xfe", "SyntaxError"),
    ],
)  # fmt: skip
def test_what_cannot_be_imported_is_told_by_file_and_line(module, text, expected):
    path = module("", one="x = 1\ny = x[1]\n", broken="def\n")
    Path(path).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserCodeError) as caught:
        load_function(path, "f")
    assert str(caught.value).startswith("external_features: mine/")
    assert expected in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_missing_file_and_a_missing_function_are_told(module):
    with pytest.raises(UserCodeError, match=r"external_features: no file mine/no\.py"):
        load_function("mine/no.py", "f")
    path = module("from math import sqrt\nx = 1\ndef season(block): ...\ndef _other(): ...\n")
    with pytest.raises(UserCodeError, match="has no function 'sesaon'; did you mean 'season'"):
        load_function(path, "sesaon")
    with pytest.raises(UserCodeError, match="has no function 'x'; it has season, _other"):
        load_function(path, "x")


def test_the_line_of_the_user_is_told_of_an_error_inside_a_library(module):
    path = module("""import numpy as np

def f():
    return g(
        [1, 2],
    )

def g(x):
    return np.stack(x + 1)
""")
    function = load_function(path, "f")
    with pytest.raises(UserCodeError) as caught, user_errors(path):
        function()
    text = str(caught.value)
    assert "mine/first.py, line 9, in g (`return np.stack(x + 1)`): TypeError: can only" in text
    path = module("import numpy as np\n\ndef f():\n    return np.stack([])\n")
    expected = r"line 4, in f .*: ValueError: need at least one"
    with pytest.raises(UserCodeError, match=expected), user_errors(path):
        load_function(path, "f")()


def test_an_interruption_is_no_error_of_the_user(module):
    path = module("def f():\n    raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt), user_errors(path):
        load_function(path, "f")()
