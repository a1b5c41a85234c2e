"""The site file: defaults, mistakes, and what profiles and limits make of it."""

import pytest
import yaml
import yte
from conftest import ROOT
from snakemake.resources import Resources

from iota2_tools.cluster.site import Limits, Request, Site, read_site, refuse_too_large
from iota2_tools.core.errors import ConfigError

PROFILES = sorted(
    path
    for path in (ROOT / "profiles").glob("*/config.yaml")
    if "read_site" in path.read_text(encoding="utf-8")
)


def write(tmp_path, monkeypatch, text):
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("IOTA2_SITE", str(path))
    return path


def profile(path):
    with path.open(encoding="utf-8") as file:
        return yte.process_yaml(file, require_use_yte=True)


def test_an_empty_site_file_leaves_the_choice_to_the_scheduler(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "")
    site = read_site()
    assert (site.account, site.queue, site.options, site.scratch) == (None, None, "", None)
    assert site.limits.resources == {}
    assert site.selection("--account={}", "--partition={}") == ""


def test_the_example_holds_the_defaults(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "")
    defaults = read_site()
    monkeypatch.setenv("IOTA2_SITE", str(ROOT / "config" / "site.example.yaml"))
    assert read_site() == defaults


def test_an_update_does_not_touch_the_site_file():
    assert "/config/site.yaml" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()


def test_all_mistakes_are_told_at_once_with_the_nearest_key(tmp_path, monkeypatch):
    path = write(tmp_path, monkeypatch, "acount: a\nqueue: 3\nlimits: {memory: 1, jobs: 0}\n")
    with pytest.raises(ConfigError) as caught:
        read_site()
    told = str(caught.value)
    assert told.startswith(f"{path} has 4 problems:")
    for words in (
        "did you mean 'account'",
        "queue: 3",
        "did you mean 'memory_mb'",
        "limits.jobs: 0",
    ):
        assert words in told


def test_a_site_file_that_is_named_must_exist(tmp_path, monkeypatch):
    monkeypatch.setenv("IOTA2_SITE", str(tmp_path / "absent.yaml"))
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        read_site()


def test_a_list_is_no_site_file(tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "- a\n")
    with pytest.raises(ConfigError, match="holds no keys"):
        read_site()


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_a_profile_takes_the_site_in(path, tmp_path, monkeypatch):
    site = {
        "account": "forest",
        "queue": "long",
        "options": "--mine=1",
        "scratch": "/local",
        "limits": {"memory_mb": 64000, "runtime_minutes": 600, "threads": 4, "jobs": 7},
    }
    write(tmp_path, monkeypatch, yaml.safe_dump(site))
    settings = profile(path)
    assert (settings["jobs"], settings["cores"]) == (7, 4)
    assert settings["resources"] == {"mem_mb": 64000, "runtime": 600}
    assert as_snakemake_reads(settings, "tmpdir") == "/local"
    asked = str(settings)
    for words in ("forest", "long", "--mine=1"):
        assert words in asked


def as_snakemake_reads(settings, resource):
    """A default resource: Snakemake evaluates it as Python."""
    words = [f"{resource}={settings['default-resources'][resource]}"]
    known = dict.fromkeys(("wildcards", "input", "async_run")) | {"rulename": "any"}
    read = Resources.parse(words, allow_expressions=True).get(resource)
    return read.evaluate(attempt=1, threads=1, **known).value


@pytest.mark.parametrize("queue", ["all", "max", "input", "1000", "long"])
def test_a_partition_may_have_any_name(queue, tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, yaml.safe_dump({"queue": queue}))
    settings = profile(ROOT / "profiles" / "slurm-native" / "config.yaml")
    assert as_snakemake_reads(settings, "slurm_partition") == queue


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.parent.name)
def test_without_a_site_file_a_profile_names_neither_account_nor_queue(path, tmp_path, monkeypatch):
    write(tmp_path, monkeypatch, "")
    settings = profile(path)
    assert "resources" not in settings
    for words in ("account", "partition", "-q ", "-A ", "None"):
        assert words not in str(settings).replace(": None", "")


def test_requests_above_a_limit_are_told_rule_by_rule():
    requests = [
        Request("classify_tile", "mem_mb", 9000),
        Request("classify_tile", "mem_mb", 12000),
        Request("train_model", "runtime", 480),
        Request("train_model", "mem_mb", 8000),
    ]
    with pytest.raises(ConfigError) as caught:
        refuse_too_large(requests, {"mem_mb": 8000, "runtime": 60})
    told = str(caught.value)
    assert "classify_tile (2 jobs): asks for 12000 MB, limits.memory_mb is 8000" in told
    assert "train_model (1 job): asks for 480 minutes, limits.runtime_minutes is 60" in told
    assert told.count("asks for") == 2


def test_requests_at_the_limit_or_without_one_pass():
    refuse_too_large([Request("a", "mem_mb", 8000), Request("a", "runtime", 9)], {"mem_mb": 8000})


def test_the_documentation_names_every_key():
    keys = [key for key in Site.model_fields if key != "limits"]
    keys += [f"limits.{key}" for key in Limits.model_fields]
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    for key in keys:
        assert f"| `{key}` |" in page
