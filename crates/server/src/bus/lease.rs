//! One server's turn: it says that it is there, and learns who else is and who leads. One script, so that two servers
//! cannot both find the lead free.

use std::time::Duration;

use redis::aio::ConnectionLike;

use super::{Epoch, Instance, LEASE, Member, SILENCE, inbox};

/// The lead is kept as `EPOCH INSTANCE`. Epochs come from the clock where that is ahead of the last one, so that they rise
/// even when Redis has forgotten everything.
const TURN: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local me, url, lease, silence = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZADD', KEYS[2], now, me .. ' ' .. url)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - silence)
redis.call('XTRIM', KEYS[4], 'MINID', '~', ARGV[6])
redis.call('PEXPIRE', KEYS[4], silence * 10)
local lead = redis.call('GET', KEYS[1])
local leader = lead and string.match(lead, '%d+ (%d+)')
if leader == me then
  if ARGV[5] == 'resign' then
    redis.call('DEL', KEYS[1])
    lead = false
  else
    redis.call('PEXPIRE', KEYS[1], lease)
  end
elseif not lead and ARGV[5] == 'lead' then
  local epoch = math.max(now, (tonumber(redis.call('GET', KEYS[3])) or 0) + 1)
  redis.call('SET', KEYS[3], string.format('%.0f', epoch))
  lead = string.format('%.0f', epoch) .. ' ' .. me
  redis.call('SET', KEYS[1], lead, 'PX', lease)
end
return { lead or '', redis.call('ZRANGE', KEYS[2], 0, -1) }
";

/// What a server learns in its turn.
#[derive(Debug)]
pub struct Turn {
    /// Who leads, if anybody does.
    pub leader: Option<(Epoch, Instance)>,
    /// Every server that is there.
    pub members: Vec<Member>,
}

/// Takes a server's turn. `read` is the last entry of its inbox that it has read.
pub async fn take_turn(
    connection: &mut impl ConnectionLike,
    instance: Instance,
    url: Option<&str>,
    resigned: bool,
    read: &str,
) -> Result<Turn, redis::RedisError> {
    let script = redis::Script::new(TURN);
    let (lead, members): (String, Vec<String>) = script
        .key("vireo:lead")
        .key("vireo:members")
        .key("vireo:epoch")
        .key(inbox(instance))
        .arg(instance)
        .arg(url.unwrap_or_default())
        .arg(milliseconds(LEASE))
        .arg(milliseconds(SILENCE))
        .arg(if resigned { "resign" } else { "lead" })
        .arg(read)
        .invoke_async(connection)
        .await?;
    Ok(Turn {
        leader: leader(&lead),
        members: members.iter().filter_map(|text| member(text)).collect(),
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn leader(text: &str) -> Option<(Epoch, Instance)> {
    let (epoch, instance) = text.split_once(' ')?;
    Some((epoch.parse().ok()?, instance.parse().ok()?))
}

pub(super) fn member(text: &str) -> Option<Member> {
    let (instance, url) = text.split_once(' ')?;
    Some(Member {
        instance: instance.parse().ok()?,
        url: (!url.is_empty()).then(|| url.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redis_keeps_is_read_back_or_left_out() {
        assert_eq!(leader("1764000000000 7"), Some((1_764_000_000_000, 7)));
        assert_eq!(leader(""), None);
        assert_eq!(leader("x 7"), None);
        let url = Some("https://a.example".to_owned());
        let instance = 7;
        assert_eq!(
            member("7 https://a.example"),
            Some(Member { instance, url })
        );
        let url = None;
        assert_eq!(member("7 "), Some(Member { instance, url }));
        assert_eq!(member("x"), None);
    }
}
