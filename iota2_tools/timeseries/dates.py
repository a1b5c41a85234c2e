"""The period of a production, and the regular days that all its tiles share."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from iota2_tools.core.errors import ConfigError

DAY_OF_YEAR = 7
"""Digits of a year and the number of a day in it."""
DAYS = re.compile(r"(?<!\d)(?:\d{8}|\d{4}-\d{2}-\d{2}|\d{7})(?!\d)")


@dataclass(frozen=True)
class Period:
    """Which acquisitions of a sensor are read.

    Parameters
    ----------
    first, last : date or None
        Interpolation dates asked for; None leaves that side open.
    margin_days : int
        Days before and after, of which acquisitions help to fill gaps and do not count.
    open_end : bool
        Whether it is not over yet: nothing after its last day is read then, in whatever year that is.
    """

    first: date | None
    last: date | None
    margin_days: int = 0
    open_end: bool = False

    def counts(self, day: date) -> bool:
        """True if an acquisition of that day counts as a clear date."""
        return self._inside(day, 0, 0)

    def reads(self, day: date) -> bool:
        """True if an acquisition of that day is read."""
        return self._inside(day, self.margin_days, 0 if self.open_end else self.margin_days)

    def _inside(self, day: date, before: int, after: int) -> bool:
        return (self.first is None or day >= self.first - timedelta(before)) and (
            self.last is None or day <= self.last + timedelta(after)
        )

    def __str__(self) -> str:
        return f"{self.first or 'the beginning'} to {self.last or 'the end'}"


DAYS_OF_YEAR = 365
"""Of the calendar that features travel by: without 29 February."""


def interpolation_dates(
    first: date, last: date, step_days: int, *, leap_days: bool = True
) -> list[date]:
    """List the dates from `first` on, every `step_days` days, none after `last`.

    Parameters
    ----------
    first, last : date
        Limits.
    step_days : int
        Days from one to the next.
    leap_days : bool
        Days are counted on the calendar: 29 February is one of them. Otherwise it is not counted, so that
        the same limits give the same days in every year.

    Raises
    ------
    ConfigError
        If the step is less than a day, or `last` comes before `first`.
    """
    if step_days < 1:
        raise ConfigError(f"the interpolation step must be at least 1 day, got {step_days}")
    if last < first:
        raise ConfigError(f"the interpolation dates end on {last}, before they start on {first}")
    if leap_days:
        return [first + timedelta(days) for days in range(0, (last - first).days + 1, step_days)]
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    return [day for day in days if (day.month, day.day) != (2, 29)][::step_days]


def day_of_year(day: date) -> int:
    """Number of a day in a year without 29 February, from 1 to 365; that day counts as 28 February.

    >>> day_of_year(date(2019, 3, 1)), day_of_year(date(2020, 3, 1)), day_of_year(date(2020, 2, 29))
    (60, 60, 59)
    """
    if (day.month, day.day) == (2, 29):
        return 59
    return day.replace(year=2019).timetuple().tm_yday


def stamp_of(day: date, *, travelling: bool) -> str:
    """A date in the name of a feature: `20190301`, or `D060` where features travel from year to year.

    >>> stamp_of(date(2020, 3, 1), travelling=False), stamp_of(date(2020, 3, 1), travelling=True)
    ('20200301', 'D060')
    """
    return f"D{day_of_year(day):03d}" if travelling else f"{day:%Y%m%d}"


def day_in_name(name: str) -> date | None:
    """The first day that a file's name tells: year, month and day, or year and day of the year.

    >>> [str(day_in_name(name)) for name in ("NDVI_20180131", "a_2018-01-31_b", "MOD13Q1.A2018031")]
    ['2018-01-31', '2018-01-31', '2018-01-31']
    >>> day_in_name("tile_12345678"), day_in_name("NDVI_2018366"), day_in_name("NDVI")
    (None, None, None)
    """
    for found in DAYS.finditer(name):
        digits = found[0].replace("-", "")
        written = "%Y%j" if len(digits) == DAY_OF_YEAR else "%Y%m%d"
        with suppress(ValueError):  # a thirteenth month
            day = datetime.strptime(digits, written)
            if f"{day:{written}}" == digits:  # day 366 of a year of 365
                return day.date()
    return None
