"""The period of a production, and the regular days that all its tiles share."""

from dataclasses import dataclass
from datetime import date, timedelta

from iota2_tools.core.errors import ConfigError


@dataclass(frozen=True)
class Period:
    """Which acquisitions of a sensor are read.

    Parameters
    ----------
    first, last : date or None
        Interpolation dates asked for; None leaves that side open.
    margin_days : int
        Days before and after, of which acquisitions help to fill gaps and do not count.
    """

    first: date | None
    last: date | None
    margin_days: int = 0

    def counts(self, day: date) -> bool:
        """True if an acquisition of that day counts as a clear date."""
        return self._inside(day, 0)

    def reads(self, day: date) -> bool:
        """True if an acquisition of that day is read."""
        return self._inside(day, self.margin_days)

    def _inside(self, day: date, margin: int) -> bool:
        return (self.first is None or day >= self.first - timedelta(margin)) and (
            self.last is None or day <= self.last + timedelta(margin)
        )

    def __str__(self) -> str:
        return f"{self.first or 'the beginning'} to {self.last or 'the end'}"


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
