// The same calls by the npm package and by ours leave the same keys with the same values.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { dump } from './support/dump.mjs';
import { startRedis } from './support/redis.mjs';
import { ours, theirs } from './support/sides.mjs';

const redis = await startRedis();
// One prefix in two databases: sets and hashes then have one order, too.
const sides = [await theirs(redis, 'buildplan:{org}', 0), await ours(redis, 'buildplan:{org}', 1)];
after(async () => {
  for (const side of sides) await side.close();
  await redis.stop();
});

const queue = 'jobs';
const defaults = { attempts: 3, backoff: { type: 'exponential', delay: 2000 }, removeOnComplete: 100, removeOnFail: 50 };

// `sequence` is run on each side in an empty database; what it returns is compared, too.
function same(name, sequence) {
  test(name, async () => {
    const found = [];
    for (const side of sides) {
      await side.redis.flushdb();
      await side.do('announce', { queue });
      const call = (what, args = {}) => side.do(what, { queue, ...args });
      call.redis = side.redis;
      call.side = side.name;
      const result = await sequence(call, side);
      found.push({ result: JSON.parse(JSON.stringify(result ?? null)), keys: await dump(side.redis) });
    }
    assert.ok(Object.keys(found[0].keys).length > 0, 'nothing is there to compare');
    assert.deepEqual(found[1], found[0]);
  });
}

// Runs the queue until nothing is waiting, active or delayed.
async function workOff(call, options = {}) {
  const worker = await call('work', { name: 'worker', ...options });
  for (const begin = Date.now(); ; await sleep(5)) {
    const counts = await call('counts', { queue: options.queue ?? queue, states: ['waiting', 'active', 'delayed', 'prioritized'] });
    if (Object.values(counts).every((count) => count === 0)) break;
    if (Date.now() - begin > 10_000) throw new Error(`${call.side}: still there: ${JSON.stringify(counts)}`);
  }
  await stop(call, worker, options.queue);
}
// Whether an idle worker has just taken the marker out depends on the moment.
async function stop(call, worker, ...queues) {
  await sleep(20);
  await call('stop', { worker });
  for (const name of [queue, ...queues]) await call.redis.del(`buildplan:{org}:${name ?? queue}:marker`);
}
async function refusal(promise) {
  try {
    return { done: await promise };
  } catch (error) {
    return { code: error.code };
  }
}

same('a standard job', (call) => call('add', { name: 'build', data: { a: 1, b: ['ü', null, 1.5] } }));
same('a job with the contract’s defaults', (call) => call('add', { name: 'build', data: {}, defaults }));
same('a job with an id of its own, twice', async (call) => [
  await call('add', { name: 'a', data: {}, opts: { jobId: 'mine' } }),
  await call('add', { name: 'b', data: {}, opts: { jobId: 'mine' } }),
]);
same('delayed jobs', async (call) => {
  for (const delay of [60_000, 1000, 60_000]) await call('add', { name: 'later', data: {}, opts: { delay } });
});
same('prioritised jobs', async (call) => {
  for (const priority of [5, 1, 5, 2_097_151, 0]) await call('add', { name: 'n', data: {}, opts: { priority } });
});
same('jobs last in, first out', async (call) => {
  for (const lifo of [false, true, true]) await call('add', { name: 'n', data: {}, opts: { lifo } });
});
same('jobs in bulk, of all kinds', (call) =>
  call('addBulk', {
    jobs: [
      { name: 'a', data: { n: 1 } },
      { name: 'b', data: {}, opts: { delay: 5000 } },
      { name: 'c', data: {}, opts: { priority: 3, jobId: 'see' } },
      { name: 'd', data: {}, opts: { lifo: true, attempts: 2, backoff: 500 } },
    ],
  }),
);
same('every option of a job', (call) =>
  call('add', {
    name: 'n',
    data: {},
    opts: {
      attempts: 7,
      backoff: { type: 'fixed', delay: 12, jitter: 0.25 },
      removeOnComplete: { age: 3600, count: 10 },
      removeOnFail: true,
      keepLogs: 5,
      sizeLimit: 1000,
      stackTraceLimit: 2,
      timestamp: 1_700_000_000_000,
    },
  }),
);
same('a text of a megabyte', (call) => call('add', { name: 'n', data: { text: 'ü'.repeat(500_000) } }));

same('deduplication until the job is finished', async (call) => {
  const opts = { deduplication: { id: 'd' } };
  const ids = [await call('add', { name: 'a', data: {}, opts }), await call('add', { name: 'b', data: {}, opts })];
  const found = await call('getDeduplicationJobId', { id: 'd' });
  await workOff(call);
  return [ids, found, await call('add', { name: 'c', data: {}, opts })];
});
same('deduplication for a time, extended', async (call) => {
  const opts = { deduplication: { id: 'd', ttl: 60_000, extend: true } };
  return [await call('add', { name: 'a', data: {}, opts }), await call('add', { name: 'b', data: {}, opts })];
});
same('deduplication in which a delayed job gives way', async (call) => {
  const opts = { delay: 60_000, deduplication: { id: 'd', ttl: 60_000, extend: true, replace: true } };
  return [await call('add', { name: 'a', data: { n: 1 }, opts }), await call('add', { name: 'b', data: { n: 2 }, opts })];
});
same('deduplication that keeps the last while one is active', async (call) => {
  const opts = { deduplication: { id: 'd', keepLastIfActive: true } };
  await call('add', { name: 'a', data: { n: 1 }, opts });
  await call('take');
  await call('add', { name: 'b', data: { n: 2 }, opts });
  await call('add', { name: 'c', data: { n: 3 }, opts });
  await call('complete', { id: '1', value: 1 });
});
same('a deduplication key that is removed', async (call) => {
  const opts = { deduplication: { id: 'd' } };
  await call('add', { name: 'a', data: {}, opts });
  return [await call('removeDeduplicationKey', { id: 'd' }), await call('add', { name: 'b', data: {}, opts })];
});

same('a job taken', async (call) => {
  await call('add', { name: 'n', data: { x: 1 } });
  const { id, name, attemptsStarted } = await call('take');
  return { id, name, attemptsStarted };
});
same('a job completed', async (call) => {
  await call('add', { name: 'n', data: {} });
  await call('take');
  await call('complete', { id: '1', value: { answer: 42, text: 'ü' } });
});
same('a job completed that takes the next with it', async (call) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {} }] });
  await call('take');
  await call('complete', { id: '1', value: null, fetchNext: true });
});
same('a job failed for good', async (call) => {
  await call('add', { name: 'n', data: {}, opts: { attempts: 1 } });
  await call('take');
  await call('fail', { id: '1', reason: 'no: ü' });
});
same('a job given back, a plain and a prioritised one', async (call, side) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { priority: 2 } }] });
  await call('take', { token: 'a' });
  await call('take', { token: 'b' });
  await call('giveBack', { id: '1', token: 'a' });
  await call('giveBack', { id: '2', token: 'b' });
  // Ours wakes a worker for the prioritised one, too; theirs leaves it to chance.
  await side.redis.zadd(`${side.prefix}:${queue}:marker`, 0, '0');
});
same('a job put off by its worker', async (call) => {
  await call('add', { name: 'n', data: {} });
  await call('take');
  await call('delay', { id: '1', delay: 60_000 });
});
same('a lock extended, and another’s not', async (call) => {
  await call('add', { name: 'n', data: {} });
  await call('take');
  return [await call('extendLock', { id: '1', lock: 60_000 }), await call('extendLock', { id: '1', token: 'other', lock: 60_000 })];
});
same('a job finished without its lock is refused', async (call) => {
  await call('add', { name: 'n', data: {} });
  await call('take');
  return refusal(call('complete', { id: '1', token: 'other', value: 1 }));
});
same('a stalled job comes back, and fails the second time', async (call) => {
  await call('add', { name: 'n', data: {} });
  for (let i = 0; i < 2; ++i) {
    await call('take', { lock: 5 });
    await call('stalled', { interval: 1 });
    await sleep(20);
    await call('stalled', { interval: 1 });
    await sleep(5);
  }
});

same('worked off: results, progress, logs and new data', async (call) => {
  await call('addBulk', {
    jobs: [
      { name: 'a', data: { returns: { n: 1 } } },
      { name: 'b', data: { progress: 40, log: 'first', returns: 'x' }, opts: { keepLogs: 3 } },
      { name: 'c', data: { progress: { step: 'two' }, update: { done: true } } },
      { name: 'ping', data: {} },
    ],
  });
  await workOff(call);
});
same('worked off: attempts with a fixed backoff', async (call) => {
  await call('add', { name: 'a', data: { fail: 'not yet', times: 2, returns: 1 }, opts: { attempts: 3, backoff: { type: 'fixed', delay: 10 } } });
  await workOff(call);
  await call('add', { name: 'b', data: { fail: 'never' }, opts: { attempts: 2, backoff: { type: 'fixed', delay: 10 }, stackTraceLimit: 1 } });
  await workOff(call);
});
same('worked off: attempts with exponential backoff wait longer each time', async (call, side) => {
  await call('add', { name: 'a', data: { fail: 'no' }, opts: { attempts: 4, backoff: { type: 'exponential', delay: 60 } } });
  await workOff(call);
  const events = await side.redis.xrange(`${side.prefix}:${queue}:events`, '-', '+');
  const failed = await side.redis.hgetall(`${side.prefix}:${queue}:1`);
  const times = events.map(([id, fields]) => [Number(id.split('-')[0]), fields[1]]);
  const waits = [];
  for (let i = 1; i < times.length; ++i) if (times[i][1] === 'waiting' && times[i - 1][1] === 'delayed') waits.push(times[i][0] - times[i - 1][0]);
  return [failed.delay, waits.length, waits.every((wait, i) => wait >= 60 * 2 ** i - 40)];
});
same('worked off: attempts without backoff', async (call) => {
  await call('add', { name: 'a', data: { fail: 'no' }, opts: { attempts: 3 } });
  await workOff(call);
});
same('worked off: what cannot be helped is not tried again', async (call) => {
  await call('add', { name: 'a', data: { unrecoverable: 'no use' }, opts: { attempts: 5 } });
  await workOff(call);
});
same('worked off: put off and rate limited by the handler', async (call) => {
  await call('add', { name: 'a', data: { delayOnce: 15, returns: 1 } });
  await workOff(call);
  await call('add', { name: 'b', data: { limitOnce: 30, returns: 2 } });
  await workOff(call);
});
same('worked off: delayed and prioritised jobs in their order', async (call) => {
  for (const priority of [3, 1, 2]) await call('add', { name: `p${priority}`, data: {}, opts: { priority } });
  await call('add', { name: 'later', data: {}, opts: { delay: 800 } });
  await workOff(call);
});
same('worked off: finished jobs are kept as they say', async (call) => {
  for (let i = 0; i < 6; ++i) await call('add', { name: 'n', data: { returns: i }, opts: { removeOnComplete: 3 } });
  await call('add', { name: 'gone', data: {}, opts: { removeOnComplete: true } });
  await call('add', { name: 'gone', data: { fail: 'x' }, opts: { removeOnFail: true } });
  await call('add', { name: 'aged', data: {}, opts: { removeOnComplete: { age: 1000, count: 2 } } });
  await workOff(call);
});
same('worked off: with metrics', async (call) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: { fail: 'x' } }] });
  await workOff(call, { metrics: 60 });
});

same('paused, added to and resumed', async (call) => {
  await call('add', { name: 'a', data: {} });
  await call('pause');
  await call('add', { name: 'b', data: {} });
  await call('add', { name: 'c', data: {}, opts: { priority: 1 } });
  const paused = [await call('isPaused'), await call('take')];
  await call('resume');
  return [...paused, await call('isPaused')];
});
same('paused and left so', async (call) => {
  await call('add', { name: 'a', data: {} });
  await call('pause');
});
same('drained, but for what is delayed', async (call) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { priority: 1 } }, { name: 'c', data: {}, opts: { delay: 5000 } }] });
  await call('drain');
});
same('drained of all', async (call) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'c', data: {}, opts: { delay: 5000 } }] });
  await call('drain', { delayed: true });
});
same('cleaned of completed jobs', async (call) => {
  for (let i = 0; i < 4; ++i) await call('add', { name: 'n', data: { returns: i } });
  await workOff(call);
  await sleep(5);
  return (await call('clean', { state: 'completed', grace: 0, limit: 3 })).sort();
});
same('obliterated: nothing is left but what was not its own', async (call, side) => {
  await side.redis.set(`${side.prefix}:other:key`, 1);
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { delay: 5000 } }] });
  await call('upsertJobScheduler', { id: 's', repeat: { every: 60_000 }, template: { name: 'n' } });
  await call('obliterate');
});
same('not obliterated while a job is active, unless by force', async (call, side) => {
  await side.redis.set(`${side.prefix}:other:key`, 1);
  await call('add', { name: 'a', data: {} });
  await call('take');
  const refused = await call('obliterate').then(() => false, () => true);
  await call('obliterate', { force: true });
  return refused;
});

same('promoted, one and all', async (call) => {
  for (let i = 0; i < 3; ++i) await call('add', { name: 'n', data: {}, opts: { delay: 60_000 } });
  await call('promote', { id: '2' });
  const again = await refusal(call('promote', { id: '2' }));
  await call('promoteJobs');
  return again;
});
same('a delay and a priority changed', async (call) => {
  await call('add', { name: 'a', data: {}, opts: { delay: 60_000 } });
  await call('changeDelay', { id: '1', delay: 5000 });
  await call('add', { name: 'b', data: {} });
  await call('changePriority', { id: '2', priority: 4 });
  await call('add', { name: 'c', data: {}, opts: { priority: 9 } });
  await call('changePriority', { id: '3', priority: 0, lifo: true });
});
same('failed jobs retried, one and all, and a completed one', async (call) => {
  for (let i = 0; i < 3; ++i) await call('add', { name: 'n', data: { fail: 'x' } });
  await call('add', { name: 'good', data: { returns: 1 } });
  await workOff(call);
  await call('retry', { id: '2' });
  await call('retry', { id: '4', state: 'completed' });
  await call('retryJobs');
});
same('jobs removed, but not one that is active', async (call) => {
  for (let i = 0; i < 3; ++i) await call('add', { name: 'n', data: {} });
  await call('take');
  return [await call('remove', { id: '1' }), await call('remove', { id: '2' })];
});
same('data, progress and logs from outside', async (call) => {
  await call('add', { name: 'n', data: { a: 1 } });
  await call('updateData', { id: '1', data: { b: [2] } });
  await call('updateProgress', { id: '1', progress: 33 });
  for (const line of ['one', 'two', 'three', 'four']) await call('log', { id: '1', line, keep: 3 });
  const logs = await call('logs', { id: '1' });
  const backwards = await call('logs', { id: '1', start: 0, end: 1, desc: true });
  await call('clearLogs', { id: '1', keep: 1 });
  return [logs, backwards, await refusal(call('updateProgress', { id: '99', progress: 1 }))];
});
same('an event of one’s own', (call) => call('publish', { name: 'news', text: 'hello' }).then(() => null));
same('states and counts', async (call) => {
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {}, opts: { delay: 5000 } }, { name: 'c', data: {}, opts: { priority: 1 } }, { name: 'd', data: {} }] });
  await call('take');
  const states = [];
  for (const id of ['1', '2', '3', '4', '5']) states.push(await call('state', { id }));
  const all = ['waiting', 'active', 'delayed', 'prioritized', 'completed', 'failed', 'waiting-children'];
  return [states, await call('counts', { states: all }), (await call('jobs', { states: ['waiting', 'delayed', 'active'] })).map(({ id }) => id)];
});

same('at its global concurrency', async (call) => {
  await call('setGlobalConcurrency', { most: 1 });
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {} }] });
  await call('take');
  return [await call('isMaxed'), await call('take', { token: 'second' })];
});
same('rate limited by a worker', async (call) => {
  for (let i = 0; i < 4; ++i) await call('add', { name: 'n', data: {} });
  await workOff(call, { limiter: { max: 2, duration: 60 } });
  await sleep(120); // until the limit is over
});
same('rate limited as a whole', async (call) => {
  await call('setGlobalRateLimit', { max: 1, duration: 60_000 });
  await call('addBulk', { jobs: [{ name: 'a', data: {} }, { name: 'b', data: {} }] });
  await call('take');
  await call('take', { token: 'second' });
  await call('rateLimit', { for: 60_000 });
  const left = await call('getRateLimitTtl');
  return left > 0;
});

const family = {
  name: 'parent',
  queueName: queue,
  data: { children: true },
  opts: { jobId: 'parent' },
  children: [
    { name: 'child', queueName: 'other', data: { returns: 1 }, opts: { jobId: 'one' } },
    {
      name: 'middle',
      queueName: queue,
      data: { children: true },
      opts: { jobId: 'middle', priority: 2 },
      children: [{ name: 'leaf', queueName: 'other', data: { returns: 'leaf' }, opts: { jobId: 'leaf', delay: 300 } }],
    },
  ],
};
same('a flow added', async (call) => {
  const added = await call('addFlows', { flows: [family] });
  const ids = ({ id, children }) => [id, children.map(ids)];
  return added.map(ids);
});
same('a flow worked off', async (call) => {
  await call('addFlows', { flows: [family] });
  await workOff(call, { queue: 'other' });
  await workOff(call);
  await workOff(call);
});
same('flows in bulk', (call) =>
  call('addFlows', {
    flows: [
      { name: 'a', queueName: queue, opts: { jobId: 'pa' }, children: [{ name: 'c', queueName: queue, opts: { jobId: 'ca' } }] },
      { name: 'b', queueName: queue, opts: { jobId: 'pb' }, children: [{ name: 'c', queueName: queue, opts: { jobId: 'cb' } }] },
    ],
  }).then((added) => added.map(({ id }) => id)),
);
for (const option of ['failParentOnFailure', 'continueParentOnFailure', 'ignoreDependencyOnFailure', 'removeDependencyOnFailure']) {
  same(`a flow whose child fails: ${option}`, async (call) => {
    await call('addFlows', {
      flows: [
        {
          name: 'parent',
          queueName: queue,
          data: { returns: 'p' },
          opts: { jobId: 'p' },
          children: [
            { name: 'bad', queueName: 'other', data: { fail: 'broken' }, opts: { jobId: 'bad', [option]: true } },
            { name: 'good', queueName: 'other', data: { returns: 1 }, opts: { jobId: 'good' } },
          ],
        },
      ],
    });
    await workOff(call, { queue: 'other' });
    await workOff(call);
  });
}
same('a flow taken apart: children removed', async (call, side) => {
  await call('addFlows', { flows: [family] });
  await call('removeChildDependency', { queue: 'other', id: 'one', parentKey: `${side.prefix}:${queue}:parent` });
  await call('removeUnprocessedChildren', { id: 'middle' });
});
same('a parent removed takes its children along', async (call) => {
  await call('addFlows', { flows: [family] });
  return call('remove', { id: 'parent' });
});
same('children added while the parent runs', async (call) => {
  await call('add', { name: 'parent', data: { addChildren: [{ name: 'c', queueName: queue, data: { returns: 'c' }, opts: { jobId: 'late' } }] }, opts: { jobId: 'p' } });
  await workOff(call);
  await sleep(20);
  await workOff(call);
});

same('a scheduler by interval', (call) =>
  call('upsertJobScheduler', { id: 's', repeat: { every: 3_600_000 }, template: { name: 'tick', data: { a: 1 }, opts: { removeOnComplete: 5 } }, defaults }).then((id) => id.replace(/\d{13}/, '')),
);
same('a scheduler by interval with an offset and a limit', (call) =>
  call('upsertJobScheduler', { id: 's', repeat: { every: 3_600_000, offset: 1234, limit: 7 }, template: { name: 'tick' } }).then(() => null),
);
same('a scheduler by pattern in a time zone', (call) =>
  call('upsertJobScheduler', { id: 's', repeat: { pattern: '0 3 * * *', tz: 'America/New_York', limit: 3 }, template: { name: 'tick', data: { a: 1 } }, defaults }).then(() => null),
);
same('a scheduler that begins and ends', (call) => {
  const hour = 3_600_000;
  const start = Math.floor(Date.now() / hour) * hour + 24 * hour;
  return call('upsertJobScheduler', { id: 's', repeat: { pattern: '*/10 * * * *', tz: 'UTC', startDate: start, endDate: start + 48 * hour }, template: { name: 'tick' } }).then(() => null);
});
same('a scheduler changed', async (call) => {
  await call('upsertJobScheduler', { id: 's', repeat: { every: 3_600_000 }, template: { name: 'a' } });
  await call('upsertJobScheduler', { id: 's', repeat: { pattern: '0 4 * * *', tz: 'UTC' }, template: { name: 'b', data: { n: 2 } } });
});
same('a scheduler removed', async (call) => {
  await call('upsertJobScheduler', { id: 's', repeat: { every: 3_600_000 } });
  await call('upsertJobScheduler', { id: 't', repeat: { pattern: '0 4 * * *', tz: 'UTC' } });
  return [await call('removeJobScheduler', { id: 't' }), await call('removeJobScheduler', { id: 'nobody' })];
});
same('a scheduler’s jobs worked off until its limit', async (call) => {
  await call('upsertJobScheduler', { id: 's', repeat: { every: 100, limit: 3 }, template: { name: 'tick', data: { returns: 1 }, opts: { attempts: 2 } } });
  await workOff(call);
});
same('a scheduler’s job taken: the next is there', async (call) => {
  await call('upsertJobScheduler', { id: 's', repeat: { pattern: '0 0 1 1 *', tz: 'UTC', immediately: true }, template: { name: 'tick', opts: { backoff: { type: 'fixed', delay: 50 } } } });
  const worker = await call('work', {});
  for (let i = 0; i < 200 && (await call('counts', { states: ['completed'] })).completed === 0; ++i) await sleep(5);
  await stop(call, worker);
});
