"""Times, lengths and counts as people read them."""

from datetime import date, datetime, timedelta, tzinfo

_LATER = timedelta(minutes=5)
"""What begins at midnight is not told as the day before because its wait was counted some seconds later."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def said_when(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """A short time in the reader's zone: "10:42", "Yesterday 10:42", "Mon 10:42", "3 Nov", "3 Nov 2025"."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    days = (today.date() - local.date()).days
    if days <= 0:
        return f"{local:%H:%M}"
    if days == 1:
        return f"Yesterday {local:%H:%M}"
    if days < 7:
        return f"{_DAYS[local.weekday()]} {local:%H:%M}"
    return day(at, now=now, zone=zone)


def day(at: datetime, *, now: datetime, zone: tzinfo) -> str:
    """A date as short as it can be: "3 Nov", and with the year when it is another one."""
    local = at.astimezone(zone)
    short = f"{local.day} {local:%b}"
    return short if local.year == now.astimezone(zone).year else f"{short} {local.year}"


def full_date(at: date) -> str:
    """A date with its year: "3 November 2026"."""
    return f"{at.day} {at:%B %Y}"


def exact(at: datetime, *, zone: tzinfo) -> str:
    """The whole time, for hovering: "Tuesday, 3 November 2026, 10:42:07"."""
    local = at.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B %Y, %H:%M:%S}"


def clock(at: datetime, *, after_s: float, zone: tzinfo) -> str:
    """The time of day `after_s` seconds after `at`: "10:47"; on another day and over 12 h later that day: "1 Dec"."""
    then = at + timedelta(seconds=after_s)
    local = then.astimezone(zone)
    if after_s > 12 * 3600 and local.date() != at.astimezone(zone).date():
        return day(then + _LATER, now=at, zone=zone)
    return f"{local:%H:%M}"


def length(ms: float) -> str:
    """A duration: "<1 ms", "38 ms", "1.2 s", "2 min 5 s"."""
    if ms < 1:
        return "<1 ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    return f"{minutes} min {seconds} s"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 memory", "2 memories"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
