"""Files of OTB that were cut off: it says nothing of them itself."""

import pytest

from iota2_tools.core.errors import OutputError
from iota2_tools.reference.selection import _check_rates, class_counts

STATISTICS = """<?xml version="1.0" ?>
<GeneralStatistics>
    <Statistic name="samplesPerClass">
        <StatisticMap key="11" value="5" />
        <StatisticMap key="2" value="300" />
    </Statistic>
</GeneralStatistics>
"""


def test_pixels_are_counted_by_class(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(STATISTICS)
    assert class_counts(str(path)) == {11: 5, 2: 300}


@pytest.mark.parametrize("kept", [0, 30, 150, len(STATISTICS) - 5])
def test_statistics_cut_off_are_refused(tmp_path, kept):
    path = tmp_path / "a.xml"
    path.write_text(STATISTICS[:kept])
    with pytest.raises(OutputError, match=r"a\.xml: cannot be written \(cut off"):
        class_counts(str(path))


def test_rates_cut_off_are_refused(tmp_path):
    path = tmp_path / "rates.csv"
    whole = "#className requiredSamples totalSamples rate\n11\t1\t5\t0.2\n2\t60\t300\t0.2\n"
    path.write_text(whole)
    _check_rates(path, {11: 5, 2: 300})
    path.write_text(whole[:-12])
    with pytest.raises(OutputError, match="cut off before class 2"):
        _check_rates(path, {11: 5, 2: 300})
