"""Feature expressions of the user: parsed, checked name by name, evaluated by numexpr."""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iota2_tools.core.errors import ConfigError
from iota2_tools.core.words import suggest

FUNCTIONS = (
    "abs", "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "where", "minimum", "maximum",
)  # fmt: skip
_NODES = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Mod, ast.USub, ast.UAdd,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.BitAnd, ast.BitOr, ast.Invert,
)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """A checked expression: its text for numexpr and the bands it reads."""

    text: str
    bands: tuple[str, ...]

    def evaluate(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Value at each pixel, float32; divisions by zero and other undefined values become 0.

        Parameters
        ----------
        values : mapping of str to ndarray
            Reflectance x 10000 of each band in `bands`.
        """
        return np.nan_to_num(self.compute(values), nan=0.0, posinf=0.0, neginf=0.0)

    def compute(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """The same, with NaN and infinity where it is undefined."""
        import numexpr

        local = {band: np.asarray(values[band], dtype=np.float32) for band in self.bands}
        shape = next(iter(local.values())).shape
        # numexpr casts integer constants to float32 with these operands, so 1/2 is 0.5.
        result = numexpr.evaluate(self.text, local_dict=local, global_dict={}, truediv=True)
        return np.broadcast_to(result, shape).astype(np.float32)


def parse_expression(
    text: str, bands: Sequence[str], roles: Mapping[str, str] | None = None
) -> Expression:
    """Check an expression of bands, `^` meaning power.

    Parameters
    ----------
    bands : sequence of str
        Names of the bands (`B8A`), also called `b1…bn` in this order.
    roles : mapping of str to str, optional
        Band of each role (`nir`), which is a name of it too.

    Raises
    ------
    ConfigError
        Naming what is not understood: syntax, unknown band or function, or anything but arithmetic.
    """
    try:
        tree = ast.parse(text.replace("^", "**"), mode="eval")
    except SyntaxError as error:
        raise ConfigError(
            f"{text!r} is no expression ({error.msg} at character {error.offset})"
        ) from None
    numbered = {f"b{number}": band for number, band in enumerate(bands, start=1)}
    aliases = dict(roles or {}) | numbered | {band: band for band in bands}
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    used: list[str] = []
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            raise ConfigError(
                f"{text!r}: {type(node).__name__} is not allowed; use bands, numbers, + - * / ^ and functions"
            )
        if isinstance(node, ast.Constant) and not (
            isinstance(node.value, int | float) and not isinstance(node.value, bool)
        ):
            raise ConfigError(f"{text!r}: {node.value!r} is not a number")
        if isinstance(node, ast.Call):
            _check_call(node, text)
        elif isinstance(node, ast.Name) and id(node) not in called:
            if node.id not in aliases:
                known = ", ".join([*bands, *(roles or {})])
                hint = suggest(node.id, aliases, f"bands are {known}")
                raise ConfigError(f"{text!r}: unknown band {node.id!r}, {hint}")
            node.id = aliases[node.id]
            used.append(node.id)
    if not used:
        raise ConfigError(f"{text!r}: reads no band")
    expression = Expression(ast.unparse(tree), tuple(sorted(set(used), key=list(bands).index)))
    try:
        expression.evaluate({band: np.ones(1) for band in expression.bands})
    except (NotImplementedError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{text!r} cannot be computed ({error}); conditions go in where(condition, a, b)"
        ) from None
    _check_defined(expression, text)
    return expression


def _check_defined(expression: Expression, text: str) -> None:
    """Refuse what is undefined whatever the bands hold, as a division by zero: it would be 0 everywhere."""
    random = np.random.default_rng(0)
    shape = len(expression.bands), 256
    tried = random.choice([-1, 1], shape) * 10 ** random.uniform(-3, 4, shape)
    with np.errstate(all="ignore"):
        values = expression.compute(dict(zip(expression.bands, tried, strict=True)))
    if not np.isfinite(values).any():
        raise ConfigError(
            f"{text!r} is undefined whatever the bands hold; is something divided by zero?"
        )


def _check_call(node: ast.Call, text: str) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        raise ConfigError(f"{text!r}: unknown function {name!r}, known are {', '.join(FUNCTIONS)}")
