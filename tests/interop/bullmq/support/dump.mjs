// All keys under a prefix with their types, whether they expire, and values, so that two databases on which the same was
// done are equal: what tells them apart and nothing else is taken out, namely moments, random ids and lock tokens, and
// the texts of stack traces.
const day = 86_400_000;
const isMoment = (number) => Math.abs(number - Date.now()) < 400 * day;

function normal(text) {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\b\d{13}\b/g, (digits) => (isMoment(Number(digits)) ? 'MOMENT' : digits));
}

const json = new Set(['opts', 'parent', 'data', 'returnvalue', 'progress']);
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

function field(name, value, hash) {
  if (name === 'stacktrace') return `${JSON.parse(value).length} entries`;
  // How long until a scheduler's job is due depends on the moment.
  if (name === 'delay' && hash.rjk) return 'UNTIL DUE';
  // Without one of its own a scheduler by interval counts from the moment it was made.
  if (name === 'offset' && value !== '0' && value !== '1234') return 'SINCE IT WAS MADE';
  if (!json.has(name)) return value;
  const parsed = JSON.parse(value);
  if (name === 'opts' && hash.rjk && parsed.delay) parsed.delay = 'UNTIL DUE';
  return JSON.stringify(sorted(parsed));
}

function score(name, text) {
  const number = Number(text);
  if (isMoment(number)) return 'MOMENT';
  if (name === 'delayed' && isMoment(number / 4096)) return 'MOMENT';
  return text;
}

async function read(client, key, type) {
  const name = key.slice(key.lastIndexOf(':') + 1);
  switch (type) {
    case 'string':
      return name === 'lock' ? 'TOKEN' : await client.get(key);
    case 'list':
      return client.lrange(key, 0, -1);
    case 'set':
      return (await client.smembers(key)).sort();
    case 'zset': {
      const flat = await client.zrange(key, 0, -1, 'WITHSCORES');
      const pairs = [];
      for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i], score(name, flat[i + 1])]);
      // What happened within a millisecond on one side and not on the other lies in another order.
      return pairs.some(([, each]) => each === 'MOMENT') ? pairs.sort() : pairs;
    }
    case 'hash': {
      const hash = await client.hgetall(key);
      return Object.fromEntries(Object.keys(hash).sort().map((each) => [each, field(each, hash[each], hash)]));
    }
    case 'stream':
      return (await client.xrange(key, '-', '+')).map(([, fields]) => fields.join(' '));
    default:
      throw new Error(`a key of type ${type}`);
  }
}

export async function dump(client) {
  const out = {};
  for (const key of (await client.keys('*')).sort()) {
    const type = await client.type(key);
    const expires = (await client.pttl(key)) >= 0;
    const value = JSON.parse(normal(JSON.stringify(await read(client, key, type))));
    out[normal(key)] = { type, expires, value };
  }
  return out;
}
