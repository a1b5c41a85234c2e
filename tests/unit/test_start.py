"""The beginning of a production."""

import logging

import pytest

from iota2_tools.core.errors import ConfigError
from iota2_tools.planning import start
from iota2_tools.planning.start import begin

LOGGER = logging.getLogger("start")


def test_without_a_configuration_the_way_to_one_is_told():
    with pytest.raises(ConfigError, match=r"copy config/minimal\.yaml"):
        begin({}, [], LOGGER, checked=True, only_read=False)


def test_to_be_read_alone_the_workflow_needs_no_configuration():
    assert begin({}, [], LOGGER, checked=True, only_read=True).tiles == ["T31TCJ"]


def test_jobs_do_not_look_at_the_inputs_again(monkeypatch):
    for name in ("check", "check_environment", "input_warnings"):
        monkeypatch.setattr(start, name, lambda *_: pytest.fail("looked at again"))
    given = start.example_production().config.as_dict()
    with pytest.raises(
        Exception, match="user_features: no folder"
    ):  # grids are needed all the same
        begin(given, [], LOGGER, checked=False, only_read=False).grids  # noqa: B018


def test_the_environment_comes_first_then_the_configuration(monkeypatch):
    def foreign() -> None:
        raise ConfigError("PROJ of another")

    monkeypatch.setattr(start, "check_environment", foreign)
    with pytest.raises(ConfigError, match="PROJ of another"):
        begin({"tilles": []}, ["config.yaml"], LOGGER, checked=True, only_read=False)
    with pytest.raises(ConfigError, match="tilles"):
        begin({"tilles": []}, [], LOGGER, checked=False, only_read=False)
