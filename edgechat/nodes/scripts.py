"""What the engine does in one step: Lua scripts, known to it by their SHA-1.

An append is compare-and-append: it happens iff the room's head is still the line, by `seq` and
`h`, that the new ones go on from. Numbers are compared as the text they are, for Lua's are doubles.
Only the beat and what is spent go by the time: the engine's, so that all nodes have one clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha1
from typing import Any, NamedTuple

import hiredis

STORED, MOVED, ABSENT = 1, 0, -1  # what `APPEND` and `SEED` answer

_TOUCH = """
local function touch(room)
  redis.call('ZADD', KEYS[3], redis.call('INCR', KEYS[4]), room)
end
"""


class Script(NamedTuple):
    """A script's text, and the SHA-1 that `EVALSHA` knows it by."""

    text: str
    sha: str


def _script(text: str) -> Script:
    text = _TOUCH + text
    return Script(text, sha1(text.encode()).hexdigest())


# KEYS: meta, stream, touched, clock.
# ARGV: after_seq, after_h, last_seq, last_h, header, channel, room, lines.
APPEND = _script("""
local head = redis.call('HMGET', KEYS[1], 'seq', 'h')
if not head[1] then
  if ARGV[5] == '' then return -1 end
  redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'h', ARGV[2], 'header', ARGV[5])
elseif head[1] ~= ARGV[1] or head[2] ~= ARGV[2] then
  if head[1] == ARGV[3] and head[2] == ARGV[4] then return 1 end
  local id = ARGV[3] .. '-0'
  local entry = redis.call('XRANGE', KEYS[2], id, id)[1]
  if entry and string.sub(entry[2][2], -19, -4) == ARGV[4] then return 1 end
  return 0
end
redis.call('XADD', KEYS[2], ARGV[3] .. '-0', 'l', ARGV[8])
redis.call('HSET', KEYS[1], 'seq', ARGV[3], 'h', ARGV[4])
touch(ARGV[7])
redis.call('PUBLISH', ARGV[6], ARGV[1] .. ' ' .. ARGV[8])
return 1
""")

# A room that an archive vouches for, where the engine does not know it.
# KEYS: as above. ARGV: seq, h, header, room, last lines (may be empty).
SEED = _script("""
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'seq', ARGV[1], 'h', ARGV[2], 'header', ARGV[3])
redis.call('DEL', KEYS[2])
if ARGV[5] ~= '' then redis.call('XADD', KEYS[2], ARGV[1] .. '-0', 'l', ARGV[5]) end
touch(ARGV[4])
return 1
""")

# A node lives. Answers whether it had been dead, and all that live. KEYS: nodes. ARGV: boot, lease.
BEAT = _script("""
local now = tonumber(redis.call('TIME')[1])
local last = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600)
local lapsed = (not last or tonumber(last) < now - ARGV[2]) and 1 or 0
return {lapsed, redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[2], '+inf')}
""")

# Addresses have spent: the demo's limiter (`chat.allowance`), in whole microseconds, below 2^53.
# Answers, for each, in how many of them its allowance is full again. What is full is not kept.
# KEYS: one for each address. ARGV: interval, then a number of messages for each; below 0: back.
SPEND = _script("""
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local owed = {}
for at, key in ipairs(KEYS) do
  local full_at = math.max(now, tonumber(redis.call('GET', key) or '0'))
  local left = full_at + ARGV[at + 1] * ARGV[1] - now
  if left > 0 then
    redis.call('SET', key, string.format('%.0f', now + left), 'PX', math.ceil(left / 1000))
  else
    redis.call('DEL', key)
  end
  owed[at] = left
end
return owed
""")

ALL = (APPEND, SEED, BEAT, SPEND)


async def run(
    request: Callable[..., Awaitable[Any]], script: Script, keys: Sequence[str], *words: str | int
) -> Any:
    """The answer of a script, which the engine is given once more if it was made to forget it.

    `request` is a connection's, and so is what this raises.
    """
    try:
        return await request("EVALSHA", script.sha, len(keys), *keys, *words)
    except hiredis.ReplyError as error:
        if not str(error).startswith("NOSCRIPT"):
            raise
        return await request("EVAL", script.text, len(keys), *keys, *words)
