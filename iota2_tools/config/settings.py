"""The configuration of a production: defaults, meaning, and all its problems at once."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from iota2_tools.core.errors import ConfigError, one_message
from iota2_tools.core.words import suggest

SCHEMA_PATH = Path(__file__).parents[2] / "workflow" / "schemas" / "config.schema.yaml"

# Sampling strategies whose number of samples in one tile depends on the other tiles.
SHARED_STRATEGIES = ("constant", "byclass", "total", "smallest")

Config = dict[str, Any]


def load_schema() -> dict:
    """The JSON schema of the configuration (`workflow/schemas/config.schema.yaml`)."""
    return yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))


def complete_config(given: Mapping, source: str = "configuration") -> Config:
    """Check a configuration and fill in the defaults.

    Parameters
    ----------
    given : mapping
        What the YAML file holds.
    source : str
        Name of the file, for messages.

    Returns
    -------
    dict
        A copy in which every key of the schema is present.

    Raises
    ------
    ConfigError
        Listing every problem, as `complete` does, and choices that cannot stand together.
    """
    config = complete(given, load_schema(), source)
    problems = list(_contradictions(config))
    if problems:
        raise ConfigError(one_message(source, problems))
    return config


def complete(given: Mapping, schema: dict, source: str) -> Config:
    """Check what a file holds against a schema, and fill in the defaults.

    Raises
    ------
    ConfigError
        Listing every problem: unknown keys with the nearest known one, wrong types and values.
    """
    completed = _plain(given)
    validator = Draft202012Validator(schema, format_checker=FormatChecker(["date"]))
    errors = sorted(
        validator.iter_errors(completed),
        key=lambda error: [str(key) for key in error.absolute_path],
    )
    problems = list(dict.fromkeys(problem for error in errors for problem in _explain(error)))
    if problems:
        raise ConfigError(one_message(source, problems))
    _fill_defaults(completed, schema)
    return completed


def read_yaml(path: str | Path) -> Any:
    """What a YAML file holds; None if it is empty."""
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML\n{error}") from None


def read_config(path: str) -> Config:
    """Read, check and complete a YAML configuration file."""
    given = read_yaml(path)
    if not isinstance(given, dict):
        raise ConfigError(f"{path}: is empty; start from config/minimal.yaml")
    return complete_config(given, path)


def config_digest(config: Config) -> str:
    """SHA-256 of what decides the result: the configuration without output folder and memory."""
    science = copy.deepcopy({key: value for key, value in config.items() if key != "output"})
    science["classification"].pop("window_mb")
    return hashlib.sha256(json.dumps(science, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Copy with plain dicts and lists, and dates as text (YAML reads 2018-01-01 as a date)."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else copy.deepcopy(value)


def _explain(error: ValidationError) -> Iterator[str]:
    """Lines for the user from one error of jsonschema."""
    place = ".".join(str(key) for key in error.absolute_path) or "top level"
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        for key in error.instance:
            if key not in known:
                hint = suggest(key, known, f"known keys: {', '.join(known)}")
                yield f"{place}: unknown key {key!r}, {hint}"
    elif error.validator == "required":
        for missing in error.validator_value:
            if missing not in error.instance:
                meaning = error.schema["properties"][missing].get("description", "")
                yield f"{place}: {missing!r} is missing ({meaning})"
    elif error.validator == "enum":
        choices = [str(choice) for choice in error.validator_value]
        hint = suggest(error.instance, choices)
        yield f"{place}: {error.instance!r} is none of {', '.join(choices)}{hint and '; ' + hint}"
    else:
        meaning = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
        yield f"{place}: {error.message}" + (f" ({meaning})" if meaning else "")


def _fill_defaults(config: dict, schema: dict) -> None:
    for key, meaning in schema.get("properties", {}).items():
        if key not in config and "default" in meaning:
            config[key] = copy.deepcopy(meaning["default"])
        if isinstance(config.get(key), dict):
            _fill_defaults(config[key], meaning)


def _contradictions(config: Config) -> Iterator[str]:
    """Choices that are each right and cannot stand together."""
    if not config["sensors"] and not config["user_features"]:
        yield "sensors: give at least one sensor, or user_features"
    for name, sensor in config["sensors"].items():
        first, last = sensor["first_date"], sensor["last_date"]
        if first and last and first > last:
            yield f"sensors.{name}: first_date {first} is after last_date {last}"
    sampling = config["sampling"]
    if sampling["strategy"] == "byclass" and not sampling["byclass"]:
        yield "sampling.byclass: strategy `byclass` needs the number of pixels of each class"
    if sampling["ratio"] == 1 and sampling["runs"] > 1 and not config["reference"]["splits"]:
        yield "sampling.runs: with ratio 1 all draws are the same; set runs to 1"
    if config["classification"]["probability_map"] and config["learning"]["learner"].startswith(
        "otb-"
    ):
        yield (
            "classification.probability_map: OTB's learners give no probabilities; "
            "take a scikit-learn one, or set it to false"
        )


def describe_schema() -> str:
    """The reference page of the configuration, in Markdown, from the schema."""
    schema = load_schema()
    lines = [
        "# Configuration reference",
        "",
        "Generated from `workflow/schemas/config.schema.yaml` by `iota2 config-reference`; do not edit.",
        "",
        schema["description"].strip(),
        "",
    ]
    _describe(schema, "", lines)
    return "\n".join(lines).rstrip() + "\n"


def _describe(section: dict, prefix: str, lines: list[str]) -> None:
    leaves = {k: v for k, v in section["properties"].items() if "properties" not in v}
    sections = {k: v for k, v in section["properties"].items() if "properties" in v}
    if leaves:
        lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
        for key, meaning in leaves.items():
            required = key in section.get("required", [])
            default = "**required**" if required else f"`{_yaml(meaning.get('default'))}`"
            text = " ".join(meaning["description"].split()).replace("|", "\\|")
            lines.append(f"| `{key}` | {_type_of(meaning)} | {default} | {text} |")
        lines.append("")
    for key, meaning in sections.items():
        name = f"{prefix}{key}"
        lines += [
            f"{'#' * (2 + name.count('.'))} `{name}`",
            "",
            " ".join(meaning["description"].split()),
            "",
        ]
        _describe(meaning, f"{name}.", lines)


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).replace("...", "").strip()


def _type_of(meaning: dict) -> str:
    if "enum" in meaning:
        return " \\| ".join(f"`{_yaml(choice)}`" for choice in meaning["enum"])
    kinds = meaning.get("type", "any")
    text = " or ".join(kinds) if isinstance(kinds, list) else kinds
    text = text.replace("null", "empty")
    limits = [
        f"{sign} {meaning[key]}"
        for key, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if key in meaning
    ]
    return f"{text} {', '.join(limits)}" if limits else text
