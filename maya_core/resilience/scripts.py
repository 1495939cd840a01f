"""The rules of `maya_core.resilience.rules` and `asides` once more, as Lua that Redis runs atomically.

Same names, same order, same arithmetic: a change in one is a change in both, and `tests/resilience/test_twins.py`
compares the records after every step. Runs on Redis 6.2 and later and on fakeredis with lupa.

A circuit is a hash (one field per attribute of `Record`, absent = its default) and a window hash (bucket number modulo
the number of buckets -> "slot:calls:failures:slow"). What is set aside at a provider is one hash (`aside_field` ->
"until|pause|on_trial|cause"). All keys of a provider carry the same `{tag}`.
"""

import math
from hashlib import sha1
from typing import Final

from maya_core.resilience.breaker_policy import BreakerPolicy
from maya_core.resilience.rules import RECENT_KEPT

KEPT_S: Final = 86_400
"""Every key expires so long after its last write, unless an admin's override stands in it."""


_CLOCK: Final = """
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return tonumber(t[1]) + math.floor(tonumber(t[2]) / 1000) / 1000
end

local function text(number) return string.format('%.17g', number) end
"""

_SHARED: Final = (
    _CLOCK
    + """
local FIELDS = {'generation', 'mode', 'open_until', 'lease', 'lease_until', 'cause', 'failed_probes', 'successes',
  'consecutive', 'failed_at', 'retry_at', 'recent'}

local function load(key)
  local values = redis.call('HMGET', key, unpack(FIELDS))
  local record = {}
  for i, name in ipairs(FIELDS) do record[name] = values[i] or '' end
  for _, name in ipairs({'open_until', 'lease_until', 'failed_probes', 'successes', 'consecutive', 'failed_at',
      'retry_at'}) do
    record[name] = tonumber(record[name]) or 0
  end
  if record.generation == '' then record.generation = '0' end
  if record.mode == '' then record.mode = 'normal' end
  return record
end

local function save(key, record, changes)
  local flat = {}
  for name, value in pairs(changes) do
    if type(value) == 'number' then value = text(value) end
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  if #flat == 0 then return end
  redis.call('HSET', key, unpack(flat))
  if record.mode == 'normal' then redis.call('EXPIRE', key, policy.ttl_s) else redis.call('PERSIST', key) end
end

local function clamped(record, changes, now)
  if record.open_until - now > 2 * policy.longest_open_s then
    record.open_until = now + policy.longest_open_s
    changes.open_until = record.open_until
  end
end

local function next_generation(record) return string.format('%d', tonumber(record.generation) + 1) end

local function parse_aside(value)
  if not value then return nil end
  local until_, pause, trial, cause = string.match(value, '^([^|]*)|(%d)|(%d)|(.*)$')
  return {until_ = tonumber(until_), pause = pause == '1', trial = trial == '1', cause = cause}
end
"""
)

_ADMIT: Final = """
-- KEYS: circuit, asides. ARGV: now or '', lease, '1' when early, model, keys...
-- Answers {'admit', generation, number of the key (0: none), lease granted or '', open for s, '1' when steady}
-- or {'refuse', reason, retry_in_s or '', cause}.
local now = clock(ARGV[1])
local lease, early, model, first_key = ARGV[2], ARGV[3] == '1', ARGV[4], 5
local key_count = #ARGV - first_key + 1
local record, changes = load(KEYS[1]), {}

clamped(record, changes, now)
if record.mode == 'isolated' then
  save(KEYS[1], record, changes)
  return {'refuse', 'isolated', '', ''}
end

local names = {model .. '|', '*|'}
for i = first_key, #ARGV do
  names[#names + 1] = model .. '|' .. ARGV[i]
  names[#names + 1] = '*|' .. ARGV[i]
end
local values = redis.call('HMGET', KEYS[2], unpack(names))

local function holds(aside) return now < aside.until_ and aside.until_ <= now + 2 * policy.longest_hold_s end

local function standing(first)
  local longest = nil
  for i = first, first + 1 do
    local aside = parse_aside(values[i])
    if aside and holds(aside) and (longest == nil or aside.until_ > longest.until_) then longest = aside end
  end
  return longest
end

local chosen, blocked = 0, standing(1)
if not blocked then
  for i = 1, key_count do
    local aside = standing(2 * i + 1)
    if not aside then
      chosen, blocked = i, nil
      break
    end
    if blocked == nil or aside.until_ < blocked.until_ then blocked = aside end
  end
end

local gate, gate_until = nil, 0
if record.open_until ~= 0 then
  local longest_lease = 2 * policy.probe_lease_s
  local leased = record.lease ~= '' and now < record.lease_until and record.lease_until <= now + longest_lease
  if leased then
    gate, gate_until = 'probing', record.lease_until
  elseif now < record.open_until and not early then
    gate, gate_until = 'open', record.open_until
  end
end

if record.mode ~= 'observe' and (gate or blocked) then
  save(KEYS[1], record, changes)
  if blocked and (not gate or blocked.until_ - now > gate_until - now) then
    return {'refuse', blocked.pause and 'paused' or 'held', text(blocked.until_ - now), blocked.cause}
  end
  return {'refuse', gate, text(gate_until - now), record.cause}
end

local tried = {}
if blocked then
  chosen = math.min(key_count, 1)
else
  for _, first in ipairs({1, 2 * chosen + 1}) do
    for i = first, first + 1 do
      local aside = parse_aside(values[i])
      if aside and not aside.pause then
        tried[#tried + 1] = names[i]
        tried[#tried + 1] = text(now + policy.probe_lease_s) .. '|0|1|' .. aside.cause
      end
    end
  end
  if #tried > 0 then redis.call('HSET', KEYS[2], unpack(tried)) end
end

local granted = ''
if record.open_until ~= 0 and not gate then
  granted = lease
  record.generation = next_generation(record)
  changes.generation, changes.lease, changes.lease_until = record.generation, lease, now + policy.probe_lease_s
end
save(KEYS[1], record, changes)
local steady = record.mode == 'normal' and record.open_until == 0 and #tried == 0
return {'admit', record.generation, chosen, granted, text(math.max(0, record.open_until - now)), steady and '1' or ''}
"""

_REPORT: Final = """
-- KEYS: circuit, window, asides.
-- ARGV: now or '', generation, lease, verdict, cause, retry_after_s (0: none), model, key, how often.
-- Answers, for each time, {'stale'} or {'counted', event or '', generation, open for s, calls, failures, slow, recent}.
local now = clock(ARGV[1])
local generation, lease, verdict, cause = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local retry_at, model, key = now + tonumber(ARGV[6]), ARGV[7], ARGV[8]
local record, changes = load(KEYS[1]), {}
local calls, failures, slow = 0, 0, 0
local probe, failed = lease ~= '', verdict == 'failure'

if generation ~= record.generation or (probe and lease ~= record.lease) then return {'stale'} end

local function done(event)
  save(KEYS[1], record, changes)
  local generation_now = changes.generation or record.generation
  local open_for = math.max(0, (changes.open_until or record.open_until) - now)
  local recent = event ~= '' and (changes.recent or record.recent) or ''
  return {'counted', event, generation_now, text(open_for), calls, failures, slow, recent}
end

local function release()
  changes.lease, changes.lease_until = '', 0
end

local function remember()
  local recent = cause .. '@' .. text(now)
  if record.recent ~= '' then recent = recent .. ',' .. record.recent end
  local seen = 0
  for comma in string.gmatch(recent, '(),') do
    seen = seen + 1
    if seen == policy.recent_kept then
      recent = string.sub(recent, 1, comma - 1)
      break
    end
  end
  changes.recent = recent
end

local function win_trial()
  local names = {model .. '|', '*|', model .. '|' .. key, '*|' .. key}
  for i, value in ipairs(redis.call('HMGET', KEYS[3], unpack(names))) do
    local aside = parse_aside(value)
    if aside and aside.trial then redis.call('HDEL', KEYS[3], names[i]) end
  end
end

local function count()
  local slot = math.floor(now / policy.bucket_s)
  local late = (verdict == 'slow' or cause == 'first_token_timeout') and 1 or 0
  local mine = {1, failed and 1 or 0, late}
  local stored = redis.call('HGETALL', KEYS[2])
  for i = 2, #stored, 2 do
    local at, c, f, s = string.match(stored[i], '^(%-?%d+):(%d+):(%d+):(%d+)$')
    at, c, f, s = tonumber(at), tonumber(c), tonumber(f), tonumber(s)
    if at == slot then
      mine = {mine[1] + c, mine[2] + f, mine[3] + s}
    elseif slot - policy.buckets < at and at < slot then
      calls, failures, slow = calls + c, failures + f, slow + s
    end
  end
  calls, failures, slow = calls + mine[1], failures + mine[2], slow + mine[3]
  redis.call('HSET', KEYS[2], slot % policy.buckets, string.format('%d:%d:%d:%d', slot, mine[1], mine[2], mine[3]))
  redis.call('EXPIRE', KEYS[2], policy.ttl_s)
end

clamped(record, changes, now)
if cause ~= '' then remember() end
if verdict == 'neutral' or verdict == 'ignored' then
  if probe then release() end
  return done('')
end
if not failed then win_trial() end

if probe then
  release()
  if failed then
    local failed_probes = record.failed_probes + 1
    local again, ladder = policy.open_s, policy.reopen_ladder_s
    if failed_probes >= 3 and #ladder > 0 then again = ladder[math.min(failed_probes - 2, #ladder)] end
    changes.generation = next_generation(record)
    changes.since = now
    changes.open_until = math.max(record.open_until, now + again, retry_at)
    changes.failed_probes, changes.successes = failed_probes, 0
    if cause ~= '' then changes.cause = cause end
    return done('reopened')
  end
  if record.successes + 1 < policy.successes_to_close then
    changes.successes = record.successes + 1
    return done('')
  end
  redis.call('DEL', KEYS[2])
  for _, name in ipairs({'open_until', 'failed_probes', 'successes', 'consecutive', 'failed_at', 'retry_at'}) do
    changes[name] = 0
  end
  changes.generation, changes.since, changes.cause = next_generation(record), now, ''
  return done('closed')
end

count()
if record.open_until ~= 0 then return done('') end
local run, asked = record.consecutive, record.retry_at
if failed then
  local gap = now - record.failed_at
  run = (gap >= 0 and gap <= policy.consecutive_within_s) and run + 1 or 1
  asked = math.max(asked, retry_at)
  changes.consecutive, changes.failed_at, changes.retry_at = run, now, asked
  if cause ~= '' then changes.cause = cause end
elseif run > 0 then
  run, asked = 0, 0
  changes.consecutive, changes.retry_at = 0, 0
end
local ratios = calls >= policy.min_calls
  and (failures >= policy.failure_ratio * calls or slow >= policy.slow_ratio * calls)
if run < policy.consecutive and not ratios then return done('') end
changes.generation = next_generation(record)
changes.since = now
changes.open_until = math.max(now + policy.open_s, asked)
return done('opened')
"""

_EACH_TIME: Final = """
local replies = {}
for i = 1, tonumber(ARGV[#ARGV]) do replies[i] = once() end
return replies
"""

_SET_ASIDE: Final = """
-- KEYS: asides. ARGV: now or '', name, for_s, pause, cause.
local now = clock(ARGV[1])
local name, for_s = ARGV[2], tonumber(ARGV[3])
local until_ = now + math.min(for_s, policy.longest_hold_s)
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local aside = parse_aside(stored[i + 1])
  local holds = now < aside.until_ and aside.until_ <= now + 2 * policy.longest_hold_s
  if stored[i] == name then
    if holds and not aside.trial and aside.until_ >= until_ then return 0 end
  elseif aside.until_ < now - policy.longest_hold_s then
    redis.call('HDEL', KEYS[1], stored[i])
  end
end
redis.call('HSET', KEYS[1], name, text(until_) .. '|' .. ARGV[4] .. '|0|' .. ARGV[5])
redis.call('EXPIRE', KEYS[1], policy.ttl_s)
return 1
"""

_OVERRIDE: Final = """
-- KEYS: circuit, window, asides. ARGV: now or '', mode ('normal' resets), model.
local now = clock(ARGV[1])
local record = load(KEYS[1])
record.mode = ARGV[2]
local changes = {generation = next_generation(record), mode = record.mode, lease = '', lease_until = 0}
if record.mode == 'normal' then
  for _, name in ipairs({'open_until', 'failed_probes', 'successes', 'consecutive', 'failed_at', 'retry_at'}) do
    changes[name] = 0
  end
  changes.since, changes.cause = now, ''
  redis.call('DEL', KEYS[2])
  for _, name in ipairs(redis.call('HKEYS', KEYS[3])) do
    for _, gone in ipairs({ARGV[3] .. '|', '*|'}) do
      if string.sub(name, 1, #gone) == gone then redis.call('HDEL', KEYS[3], name) end
    end
  end
end
save(KEYS[1], record, changes)
return 1
"""

_LAST_RESORT: Final = """
-- KEYS: the turn. ARGV: now or '', every_s. Answers {how long to wait}, 0 when the turn was taken.
local now, every = clock(ARGV[1]), tonumber(ARGV[2])
local next_at = tonumber(redis.call('GET', KEYS[1]) or '0')
if now < next_at and next_at <= now + every then return {text(next_at - now)} end
redis.call('SET', KEYS[1], text(now + every), 'EX', math.ceil(every) + 1)
return {'0'}
"""


class Script:
    """A Lua script and the digest under which Redis keeps it."""

    __slots__ = ("sha", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.sha = sha1(source.encode(), usedforsecurity=False).hexdigest()


class Scripts:
    """The scripts for circuits that live under one policy, whose figures are written into them."""

    __slots__ = ("admit", "override", "report", "set_aside")

    def __init__(self, policy: BreakerPolicy) -> None:
        head = _policy_table(policy) + _SHARED
        self.admit = Script(head + _ADMIT)
        self.report = Script(f"{head}local function once(){_REPORT}end\n{_EACH_TIME}")
        self.set_aside = Script(head + _SET_ASIDE)
        self.override = Script(head + _OVERRIDE)


LAST_RESORT: Final = Script(_CLOCK + _LAST_RESORT)


def _policy_table(policy: BreakerPolicy) -> str:
    figures: dict[str, float] = {
        "open_s": policy.open_s,
        "consecutive": policy.consecutive,
        "consecutive_within_s": policy.consecutive_within_s,
        "bucket_s": policy.bucket_s,
        "buckets": policy.buckets,
        "min_calls": policy.min_calls,
        "failure_ratio": policy.failure_ratio,
        "slow_ratio": policy.slow_ratio,
        "probe_lease_s": policy.probe_lease_s,
        "successes_to_close": policy.successes_to_close,
        "longest_open_s": policy.longest_open_s,
        "longest_hold_s": policy.longest_hold_s,
        "recent_kept": RECENT_KEPT,
        "ttl_s": math.ceil(max(KEPT_S, policy.longest_hold_s, policy.longest_open_s)),
    }
    rows = [f"{name} = {figure!r}" for name, figure in figures.items()]
    rows.append(f"reopen_ladder_s = {{{', '.join(map(repr, policy.reopen_ladder_s))}}}")
    return f"local policy = {{{', '.join(rows)}}}\n"
