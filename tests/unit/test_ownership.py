"""One maker of a production at a time, and the second is told who is the first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from iota2_tools.core.errors import OutputError
from iota2_tools.core.platform import process_start
from iota2_tools.planning import ownership
from iota2_tools.planning.ownership import OccupiedError, Owner, owning, refuse_if_occupied
from iota2_tools.planning.whereabouts import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path / "c.yaml", tmp_path, tmp_path / "results")


def ended_process() -> int:
    """Number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def write_owner(place: Place, **changed) -> None:
    place.records.mkdir(parents=True, exist_ok=True)
    owner = vars(Owner.of_process(os.getpid())) | changed
    place.owner.write_text(json.dumps(owner), encoding="utf-8")


def test_the_start_of_a_process_is_known_as_long_as_it_runs():
    assert process_start(os.getpid()) == process_start(os.getpid()) != ""
    assert process_start(ended_process()) is None


def test_a_process_that_has_ended_and_was_not_waited_for_is_none():
    process = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert process_start(process.pid) is None
    process.wait()
    process.stdout.close()


def test_a_production_has_one_maker_and_the_second_is_told_of_it(place):
    with owning(place):
        with pytest.raises(OccupiedError) as caught, owning(place):
            pass
        told = str(caught.value)
        assert f"process {os.getpid()}" in told
        assert os.uname().nodename in told
        assert "iota2 status" in told
        assert "--unlock" not in told  # it runs: nobody shall free it
    with owning(place):
        pass
    assert not place.owner.exists()


def test_the_maker_is_the_process_that_it_was_handed_to(place):
    with owning(place) as hand_over:
        hand_over(os.getppid())
        owner = Owner.read(place.owner)
        assert owner
        assert owner.pid == os.getppid()


def test_what_ended_without_a_lock_of_snakemake_is_in_nobodys_way(place):
    write_owner(place, pid=ended_process())
    with owning(place):
        assert Owner.read(place.owner).pid == os.getpid()


def test_a_killed_run_is_told_with_the_command_that_frees_it(place):
    write_owner(place, pid=ended_process())
    (place.records / "locks").mkdir()
    (place.records / "locks" / "0.output.lock").touch()
    with pytest.raises(OccupiedError, match=r"was killed.*iota2 run .*c\.yaml --unlock"):
        refuse_if_occupied(place)


def test_another_process_of_the_same_number_is_not_the_maker(place):
    write_owner(place, start="long ago")
    refuse_if_occupied(place)


def test_of_another_machine_it_is_not_known_and_the_way_out_is_told(place):
    write_owner(place, host="node17", pid=1)
    with pytest.raises(
        OccupiedError, match=r"on node17, process 1.*if it has ended there: .*--unlock"
    ):
        refuse_if_occupied(place)


def test_a_file_that_is_half_written_is_no_owner(place):
    place.records.mkdir(parents=True)
    place.owner.write_text('{"host": "a', encoding="utf-8")
    assert Owner.read(place.owner) is None


def test_an_output_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    place = Place(Path("c.yaml"), tmp_path, tmp_path / "file" / "results")
    with pytest.raises(OutputError, match="file/results: cannot be written"), owning(place):
        pass


def test_of_two_that_find_one_that_has_ended_the_second_leaves_the_claim_of_the_first(
    place, monkeypatch
):
    """The other one claims between the look and the removal of what has ended."""
    write_owner(place, pid=ended_process())
    other = {"pid": os.getppid(), "start": process_start(os.getppid())}

    def look(place):
        refuse_if_occupied(place)
        write_owner(place, **other)

    monkeypatch.setattr(ownership, "refuse_if_occupied", look)
    with pytest.raises(OccupiedError, match="another run has just begun"), owning(place):
        pass
    assert Owner.read(place.owner).pid == os.getppid()
    assert [path.name for path in place.records.iterdir()] == ["running.json"]


def test_the_claim_leaves_nothing_but_itself(place):
    with owning(place):
        assert [path.name for path in place.records.iterdir()] == ["running.json"]
