"""Schedules of CronJobs as the controller's parser reads them (`github.com/robfig/cron/v3`: parser.go, spec.go), and when
they fire.

Times are whole seconds of UTC. A schedule without a time zone counts in UTC, the zone that the controller manager runs in
almost everywhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from kubedoctor.cluster.grammar.durations import DurationError, parse_nanoseconds

YEARS: Final = 5
"""A schedule that does not fire within this time never fires."""
_EVERY: Final = "@every "
_SECOND: Final = timedelta(seconds=1)
_MAX_INT: Final = (1 << 63) - 1
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class ScheduleError(ValueError):
    """A schedule that the controller refuses, in its parser's words."""


class UnknownTimeZone(ScheduleError):
    """A time zone that is not in the time zone database."""


class _Field(msgspec.Struct, frozen=True):
    """The allowed values of one field; the place in `names` plus `least` is what a name stands for."""

    least: int
    most: int
    names: tuple[str, ...] = ()


_MINUTE: Final = _Field(0, 59)
_HOUR: Final = _Field(0, 23)
_DAY: Final = _Field(1, 31)
_MONTH: Final = _Field(1, 12, _MONTHS)
_WEEKDAY: Final = _Field(0, 6, _DAYS)
_DESCRIPTORS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Every(msgspec.Struct, frozen=True):
    """`@every 90m`: a constant distance in seconds, counted from the last run."""

    seconds: int

    def next(self, after: datetime) -> datetime | None:
        """The next run after a time."""
        return after.replace(microsecond=0) + timedelta(seconds=self.seconds)


class Calendar(msgspec.Struct, frozen=True):
    """Five fields: which values each allows, and in which zone they are read."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    both_days: bool
    """Day and weekday must both match, because one of them is `*`; else either is enough."""
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """The first run after a time; None if it never fires."""
        return _Search(self, after).run() if self._has_values else None

    @property
    def _has_values(self) -> bool:
        """No field is only commas, which the parser takes for no value at all."""
        dates = self.days and self.weekdays if self.both_days else self.days or self.weekdays
        return bool(self.minutes and self.hours and self.months and dates)

    def fires_on(self, local: datetime) -> bool:
        """Whether the date matches."""
        day = local.day in self.days
        weekday = local.isoweekday() % 7 in self.weekdays
        return day and weekday if self.both_days else day or weekday


Schedule = Calendar | Every


class _Search:
    """`SpecSchedule.Next`: each field is advanced until it matches; a wrap-around starts again with the month."""

    def __init__(self, schedule: Calendar, after: datetime) -> None:
        self.schedule = schedule
        self.at = after.astimezone(schedule.zone).replace(microsecond=0)
        self.at = self._plus(_SECOND)
        self.last_year = self.at.year + YEARS
        self.added = False

    def run(self) -> datetime | None:
        try:
            while self.at.year <= self.last_year:
                if self._month() and self._day() and self._hour() and self._minute() and self._second():
                    return self.at.astimezone(UTC)
        except OverflowError:
            return None
        return None

    def _plus(self, distance: timedelta) -> datetime:
        return (self.at.astimezone(UTC) + distance).astimezone(self.schedule.zone)

    def _reset(self, begin: datetime) -> None:
        """The first time that a field is advanced, the smaller ones start at their beginning."""
        if not self.added:
            self.added = True
            self.at = _instant(begin, self.schedule.zone)

    def _month(self) -> bool:
        while self.at.month not in self.schedule.months:
            self._reset(self.at.replace(day=1, hour=0, minute=0, second=0))
            naive = self.at.replace(tzinfo=None)
            year, month = (naive.year + 1, 1) if naive.month == 12 else (naive.year, naive.month + 1)
            following = naive.replace(year=year, month=month, day=1) + timedelta(days=naive.day - 1)
            self.at = _instant(following, self.schedule.zone)
            if self.at.month == 1:
                return False
        return True

    def _day(self) -> bool:
        while not self.schedule.fires_on(self.at):
            self._reset(self.at.replace(hour=0, minute=0, second=0))
            self.at = _instant(self.at.replace(tzinfo=None) + timedelta(days=1), self.schedule.zone)
            if self.at.hour:  # midnight does not exist on this day
                hours = 24 - self.at.hour if self.at.hour > 12 else -self.at.hour
                self.at = self._plus(timedelta(hours=hours))
            if self.at.day == 1:
                return False
        return True

    def _hour(self) -> bool:
        while self.at.hour not in self.schedule.hours:
            self._reset(self.at.replace(minute=0, second=0))
            self.at = self._plus(timedelta(hours=1))
            if self.at.hour == 0:
                return False
        return True

    def _minute(self) -> bool:
        while self.at.minute not in self.schedule.minutes:
            self.added = True
            self.at = self._plus(timedelta(seconds=60 - self.at.second))
            if self.at.minute == 0:
                return False
        return True

    def _second(self) -> bool:
        if self.at.second:
            self.added = True
            self.at = self._plus(timedelta(seconds=60 - self.at.second))
            return False
        return True


def _instant(local: datetime, zone: tzinfo) -> datetime:
    """A local time as Go's `time.Date` reads it where it exists twice or not at all."""
    naive = local.replace(tzinfo=None, fold=0)
    as_utc = naive.replace(tzinfo=UTC)
    first = _offset(as_utc, zone)
    return (as_utc - (_offset(as_utc - first, zone) if first else first)).astimezone(zone)


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def time_zone(name: str) -> tzinfo:
    """The zone of a name as Go's `time.LoadLocation` finds it; raises UnknownTimeZone."""
    if name in ("", "UTC", "Local"):
        return UTC
    if ".." in name or name[0] in "/\\" or "\\" in name:
        raise UnknownTimeZone("time: invalid location name")
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownTimeZone(f"unknown time zone {name}") from None


def parse_schedule(text: str, zone: str = "") -> Schedule:
    """What `spec.schedule` and `spec.timeZone` mean; raises ScheduleError."""
    location = time_zone(zone)
    if not text and not zone:
        raise ScheduleError("empty spec string")
    if not zone and text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, text = text.partition(" ")
        name = prefix.partition("=")[2]
        try:
            location = time_zone(name)
        except UnknownTimeZone as error:
            raise UnknownTimeZone(f"provided bad location {name}: {error}") from None
    text = text.strip() if zone else text
    if text.startswith("@"):
        return _descriptor(text, location)
    fields = text.split()
    if len(fields) != 5:
        raise ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
    return _calendar(fields, location)


def _descriptor(text: str, zone: tzinfo) -> Schedule:
    if text in _DESCRIPTORS:
        return _calendar(_DESCRIPTORS[text].split(), zone)
    if not text.startswith(_EVERY):
        raise ScheduleError(f"unrecognized descriptor: {text}")
    try:
        nanoseconds = parse_nanoseconds(text[len(_EVERY) :])
    except DurationError:
        raise ScheduleError(f"failed to parse duration {text}: {_duration_error(text[len(_EVERY) :])}") from None
    return Every(max(1, nanoseconds // 1_000_000_000))


_UNIT_OF: Final = re.compile(r"[-+]?(?:[0-9]*\.?[0-9]*(?:ns|us|µs|μs|ms|s|m|h))*([0-9]*\.?[0-9]*)([^0-9.]*)")


def _duration_error(text: str) -> str:
    """Go's words for a text that is no duration (`time.ParseDuration`)."""
    rest = _UNIT_OF.match(text)
    number, unit = (rest[1], rest[2]) if rest else ("", "")
    if number.strip(".") and not unit:
        return f"time: missing unit in duration {_quoted(text)}"
    if number.strip("."):
        return f"time: unknown unit {_quoted(unit)} in duration {_quoted(text)}"
    return f"time: invalid duration {_quoted(text)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _calendar(fields: list[str], zone: tzinfo) -> Calendar:
    kinds = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)
    minutes, hours, days, months, weekdays = (_values(text, kind) for text, kind in zip(fields, kinds, strict=True))
    return Calendar(minutes[0], hours[0], days[0], months[0], weekdays[0], both_days=days[1] or weekdays[1], zone=zone)


def _values(text: str, field: _Field) -> tuple[frozenset[int], bool]:
    """The values of a comma-separated list, and whether one of its parts is a whole `*`."""
    values: set[int] = set()
    starred = False
    for part in filter(None, text.split(",")):
        found, star = _range(part, field)
        values.update(found)
        starred = starred or star
    return frozenset(values), starred


def _range(text: str, field: _Field) -> tuple[range, bool]:
    bounds, *steps = text.split("/")
    low, *highs = bounds.split("-")
    star = low in ("*", "?")
    if star:
        start, end = field.least, field.most
    else:
        start = _number(low, field)
        if len(highs) > 1:
            raise ScheduleError(f"too many hyphens: {text}")
        end = _number(highs[0], field) if highs else start
    if len(steps) > 1:
        raise ScheduleError(f"too many slashes: {text}")
    step = _integer(steps[0]) if steps else 1
    if steps and not highs:
        end = field.most
    if start < field.least:
        raise ScheduleError(f"beginning of range ({start}) below minimum ({field.least}): {text}")
    if end > field.most:
        raise ScheduleError(f"end of range ({end}) above maximum ({field.most}): {text}")
    if start > end:
        raise ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise ScheduleError(f"step of range should be a positive number: {text}")
    return range(start, end + 1, step), star and step == 1


def _number(text: str, field: _Field) -> int:
    name = text.lower()
    return field.names.index(name) + field.least if name in field.names else _integer(text)


_INTEGER: Final = re.compile(r"[+-]?[0-9]+", re.ASCII)


def _integer(text: str) -> int:
    failed = f"failed to parse int from {text}: strconv.Atoi: parsing {_quoted(text)}: "
    if not _INTEGER.fullmatch(text):
        raise ScheduleError(f"{failed}invalid syntax")
    if len(text.lstrip("+-0")) > 19 or not -_MAX_INT - 1 <= int(text) <= _MAX_INT:
        raise ScheduleError(f"{failed}value out of range")
    if int(text) < 0:
        raise ScheduleError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
