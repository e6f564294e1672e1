// When a pattern comes up next, by npm's cron-parser and by ours.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { CronExpressionParser } from 'cron-parser';
import { startRedis } from './support/redis.mjs';
import { ours } from './support/sides.mjs';

const redis = await startRedis();
const peer = await ours(redis, 'p');
after(async () => {
  await peer.close();
  await redis.stop();
});

function theirTimes(pattern, tz, from, count) {
  const times = [];
  let at = from;
  // As BullMQ does it: parsed anew for each.
  while (times.length < count) {
    try {
      at = CronExpressionParser.parse(pattern, { tz: tz || 'UTC', currentDate: new Date(at) }).next().getTime();
    } catch {
      break;
    }
    times.push(at);
  }
  return times;
}
async function compare(pattern, tz, from, count) {
  let parsed = true;
  try {
    CronExpressionParser.parse(pattern, { tz: tz || 'UTC' });
  } catch {
    parsed = false;
  }
  const label = `${pattern} in ${tz || 'UTC'} from ${new Date(from).toISOString()}`;
  const our = await peer.do('cron', { pattern, tz, from, count }).catch((error) => error);
  if (!parsed) return assert.ok(our instanceof Error, `${label} should be refused and is ${our}`);
  assert.deepEqual(our, theirTimes(pattern, tz, from, count), label);
}

const zones = ['', 'Europe/Berlin', 'America/New_York', 'America/Sao_Paulo', 'Asia/Kolkata', 'Australia/Sydney', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Auckland', 'Africa/Cairo'];
const starts = ['2026-01-01T00:00:00Z', '2026-02-27T23:59:59.500Z', '2026-03-28T22:10:00Z', '2026-03-08T05:30:00Z', '2026-10-24T21:59:00Z', '2026-10-31T23:15:00Z', '2026-04-03T12:00:00Z', '2026-04-23T20:00:00Z', '2027-12-31T23:59:59Z'].map((each) => Date.parse(each));
const patterns = ['* * * * *', '*/5 * * * *', '0 * * * *', '30 2 * * *', '0 2 * * *', '15 1-3 * * *', '0 0 * * *', '0 3 * * 1-5', '0 12 1 * *', '0 0 L * *', '0 9 * * 5L', '0 9 * * 1#2', '0 0 13 * 5', '0 0 29 2 *', '30 */6 1,15 jan,jul *', '0 0 * * sun', '*/20 */10 * * * *', '59 59 23 31 12 *', '5/15 8-18/2 ? * *', '@daily', '@hourly', '@weekly', '@monthly', '@yearly', '@weekdays', '@weekends', '0 0 * * 7', '0 0 * * 5-7', '0 */3 * * *', '0 23,0 * * *', '* *', '30 1 * * 0'];

for (const tz of zones) {
  test(`usual patterns in ${tz || 'UTC'}, clocks going forward and back among them`, async () => {
    for (const pattern of patterns) for (const from of starts) await compare(pattern, tz, from, 4);
  });
}

test('patterns that make no sense are refused by both', async () => {
  const bad = ['60 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * * 8', '5-1 * * * *', '*/0 * * * *', '*/x * * * *', '1,,2 * * * *', '1,1 * * * *', '0 0 30 2 *', '0 0 31 4 *', 'a * * * *', '* * * foo *', '1 2 3 4 5 6 7', '* * * * L', '* * * * 1#6', '* * * * 1,2#3', '* * * * 0,7', '1/2/3 * * * *', '-1 * * * *', '1- * * * *', '@never'];
  for (const pattern of bad) await compare(pattern, 'UTC', starts[0], 1);
});

// The seed is in the message of whatever differs.
test('patterns made up at random', async () => {
  let seed = Date.now() % 2 ** 31;
  const random = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((seed / 0x80000000) * below);
  };
  const field = (min, max, extra = []) => {
    const value = () => min + random(max - min + 1);
    const range = () => [value(), value()].sort((a, b) => a - b).join('-');
    const kinds = [() => '*', () => '*', value, () => `*/${1 + random(max)}`, range, () => `${range()}/${1 + random(9)}`, () => `${value()},${value()}`, () => '?', ...extra];
    return String(kinds[random(kinds.length)]());
  };
  for (let i = 0; i < 1500; ++i) {
    const fields = [field(0, 59), field(0, 23), field(1, 31, [() => 'L']), field(1, 12), field(0, 7, [() => `${random(7)}L`, () => `${random(7)}#${1 + random(5)}`])];
    if (random(3) === 0) fields.unshift(field(0, 59));
    const from = starts[random(starts.length)] + random(3 * 86_400_000) - 86_400_000;
    await compare(fields.join(' '), zones[random(zones.length)], from, 3);
  }
});
