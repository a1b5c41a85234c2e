"""Interpolation dates: the regular days all tiles share."""

from datetime import date, timedelta

from iota2_tools.core.errors import ConfigError


def interpolation_dates(first: date, last: date, step_days: int) -> list[date]:
    """List the dates from `first` on, every `step_days` days, none after `last`.

    Days are counted on the calendar: 29 February is one of them.

    Raises
    ------
    ConfigError
        If the step is less than a day, or `last` comes before `first`.
    """
    if step_days < 1:
        raise ConfigError(f"the interpolation step must be at least 1 day, got {step_days}")
    if last < first:
        raise ConfigError(f"the interpolation dates end on {last}, before they start on {first}")
    return [first + timedelta(days) for days in range(0, (last - first).days + 1, step_days)]
