// Added by one client, worked on by the other, in both directions.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis } from './support/redis.mjs';
import { ours, theirs } from './support/sides.mjs';

const redis = await startRedis();
const prefix = 'buildplan:{0193a5c0-0000-7000-8000-000000000001}';
const sides = { theirs: await theirs(redis, prefix), ours: await ours(redis, prefix) };
after(async () => {
  for (const side of Object.values(sides)) await side.close();
  await redis.stop();
});

let queues = 0;
// `body(adds, works, queue)`, once with each side in each part.
function bothWays(name, body) {
  for (const [from, to] of [['theirs', 'ours'], ['ours', 'theirs']]) {
    test(`${name}: added by ${from}, worked on by ${to}`, () => body(sides[from], sides[to], `q${++queues}`));
  }
}

async function until(what, condition, patience = 15_000) {
  for (const begin = Date.now(); ; await sleep(5)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() - begin > patience) assert.fail(`${what} does not happen`);
  }
}
const inState = (side, queue, id, state) =>
  until(`${id} is ${state}`, async () => (await side.do('state', { queue, id })) === state);
async function withWorker(side, options, body) {
  const worker = await side.do('work', { idle: 100, ...options });
  try {
    return await body(worker);
  } finally {
    await side.do('stop', { worker, grace: 5000 });
  }
}
const finished = async (side, queue, id) => side.do('waitUntilFinished', { queue, id, ttl: 15_000 });

bothWays('a job and its result', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const id = await adds.do('add', { queue, name: 'n', data: { returns: { answer: [42, 'ü', null] } } });
    assert.deepEqual(JSON.parse((await finished(adds, queue, id)).value), { answer: [42, 'ü', null] });
  });
});

for (const name of ['agent-jobs', 'github', 'email', 'webhook', 'documents', 'billing', 'notifications']) {
  bothWays(`a ping on ${name}`, async (adds, works) => {
    await withWorker(works, { queue: name }, async () => {
      const id = await adds.do('add', { queue: name, name: 'ping', data: {} });
      assert.deepEqual(JSON.parse((await finished(adds, name, id)).value), { pong: true });
    });
  });
}

bothWays('a failure reaches who waits', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const id = await adds.do('add', { queue, name: 'n', data: { fail: 'broken: ü' } });
    assert.deepEqual(await finished(adds, queue, id), { state: 'failed', value: 'broken: ü' });
  });
});

bothWays('one that has finished before anybody waits', async (adds, works, queue) => {
  const id = await adds.do('add', { queue, name: 'n', data: { returns: 7 } });
  await withWorker(works, { queue }, () => inState(works, queue, id, 'completed'));
  assert.equal((await finished(adds, queue, id)).value, '7');
});

bothWays('delayed, prioritised, in bulk, last in first out', async (adds, works, queue) => {
  const ids = await adds.do('addBulk', {
    queue,
    jobs: [
      { name: 'low', data: {}, opts: { priority: 9 } },
      { name: 'plain', data: {} },
      { name: 'high', data: {}, opts: { priority: 1 } },
      { name: 'lifo', data: {}, opts: { lifo: true } },
      { name: 'delayed', data: {}, opts: { delay: 700 } },
    ],
  });
  const begin = Date.now();
  await withWorker(works, { queue }, () => inState(adds, queue, ids[4], 'completed'));
  assert.ok(Date.now() - begin >= 500);
  const events = await redis.client.xrange(`${prefix}:${queue}:events`, '-', '+');
  const order = events.filter(([, fields]) => fields[1] === 'active').map(([, fields]) => ids.indexOf(fields[3]));
  assert.deepEqual(order, [3, 1, 2, 0, 4]);
});

bothWays('an idle worker is woken at once', async (adds, works, queue) => {
  await withWorker(works, { queue, idle: 30_000 }, async () => {
    await sleep(300);
    for (const opts of [{}, { priority: 2 }, { delay: 50 }]) {
      const begin = Date.now();
      const id = await adds.do('add', { queue, name: 'n', data: {}, opts });
      await inState(adds, queue, id, 'completed');
      assert.ok(Date.now() - begin < 3000, `it took ${Date.now() - begin} ms`);
    }
  });
});

bothWays('attempts and backoff are kept', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const opts = { attempts: 3, backoff: { type: 'exponential', delay: 20 } };
    const id = await adds.do('add', { queue, name: 'n', data: { fail: 'no', times: 2, returns: 1 }, opts });
    await inState(adds, queue, id, 'completed');
    const job = await adds.do('job', { queue, id });
    assert.equal(job.attemptsMade, 3);
    assert.equal(job.attemptsStarted, 3);
  });
});

bothWays('a backoff as a number', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const id = await adds.do('add', { queue, name: 'n', data: { fail: 'no' }, opts: { attempts: 2, backoff: 30 } });
    await inState(adds, queue, id, 'failed');
    assert.equal((await adds.do('job', { queue, id })).attemptsMade, 2);
  });
});

bothWays('what cannot be helped is not tried again', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const id = await adds.do('add', { queue, name: 'n', data: { unrecoverable: 'no use' }, opts: { attempts: 5 } });
    await inState(adds, queue, id, 'failed');
    assert.equal((await adds.do('job', { queue, id })).attemptsMade, 1);
  });
});

bothWays('finished jobs are removed as the producer says', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    for (let i = 0; i < 8; ++i) await adds.do('add', { queue, name: 'n', data: {}, opts: { removeOnComplete: 3 } });
    const last = await adds.do('add', { queue, name: 'n', data: {}, opts: { removeOnComplete: 3 } });
    await inState(adds, queue, last, 'completed');
    assert.equal((await adds.do('counts', { queue, states: ['completed'] })).completed, 3);
  });
});

bothWays('progress, logs and new data are seen', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const id = await adds.do('add', { queue, name: 'n', data: { progress: { at: 'half' }, log: 'a line', update: { done: true } } });
    await inState(adds, queue, id, 'completed');
    const job = await adds.do('job', { queue, id });
    assert.deepEqual(job.progress, { at: 'half' });
    assert.deepEqual(typeof job.data === 'string' ? JSON.parse(job.data) : job.data, { done: true });
    assert.deepEqual(await adds.do('logs', { queue, id }), { logs: ['a line'], count: 1 });
  });
});

bothWays('events of the other are heard', async (adds, works, queue) => {
  const heard = [];
  await adds.listen(queue, (event, fields) => heard.push([event, fields]));
  await sleep(200);
  await withWorker(works, { queue }, async () => {
    await adds.do('add', { queue, name: 'a', data: { progress: 5, returns: 1 } });
    await adds.do('add', { queue, name: 'b', data: { fail: 'no' } });
    const names = () => heard.map(([event]) => event);
    await until('the events', () => ['added', 'waiting', 'active', 'progress', 'completed', 'failed'].every((each) => names().includes(each)));
  });
  const completed = heard.find(([event]) => event === 'completed')[1];
  assert.equal(completed.jobId, '1');
  assert.equal(JSON.parse(completed.returnvalue), 1);
  assert.equal(heard.find(([event]) => event === 'failed')[1].failedReason, 'no');
});

bothWays('an event of one’s own is heard', async (adds, works, queue) => {
  const heard = [];
  await adds.listen(queue, (event, fields) => heard.push([event, fields]));
  await sleep(200);
  await works.do('publish', { queue, name: 'news', text: 'hello' });
  await until('the news', () => heard.some(([event, fields]) => event === 'news' && fields.text === 'hello'));
});

bothWays('deduplicated against the other’s job', async (adds, works, queue) => {
  const opts = { deduplication: { id: 'd' } };
  const id = await adds.do('add', { queue, name: 'n', data: {}, opts });
  assert.equal(await works.do('add', { queue, name: 'n', data: {}, opts }), id);
  await withWorker(works, { queue }, () => inState(adds, queue, id, 'completed'));
  assert.notEqual(await works.do('add', { queue, name: 'n', data: {}, opts }), id);
});

bothWays('a flow: the parent gets what its children found', async (adds, works, queue) => {
  const other = `${queue}-children`;
  const children = [1, 2, 3].map((n) => ({ name: 'child', queueName: n === 2 ? queue : other, data: { returns: n } }));
  const [added] = await adds.do('addFlows', { queue, flows: [{ name: 'parent', queueName: queue, data: { children: true }, children }] });
  assert.equal(await adds.do('state', { queue, id: added.id }), 'waiting-children');
  await withWorker(works, { queue: other }, () =>
    withWorker(works, { queue }, async () => {
      const { value } = await finished(adds, queue, added.id);
      assert.deepEqual(Object.values(JSON.parse(value)).sort(), [1, 2, 3]);
    }),
  );
});

bothWays('a flow read back', async (adds, works, queue) => {
  const leaf = { name: 'leaf', queueName: queue };
  const flow = { name: 'root', queueName: queue, children: [{ name: 'middle', queueName: queue, children: [leaf, leaf] }, leaf] };
  const [added] = await adds.do('addFlows', { queue, flows: [flow] });
  const names = ({ job, children }) => [job.name, children.map(names).sort()];
  const tree = names(await works.do('getFlow', { queue, id: added.id }));
  assert.deepEqual(tree, ['root', [['leaf', []], ['middle', [['leaf', []], ['leaf', []]]]]]);
});

bothWays('a flow whose child fails its parent', async (adds, works, queue) => {
  const child = { name: 'child', queueName: queue, data: { fail: 'no' }, opts: { failParentOnFailure: true } };
  const [added] = await adds.do('addFlows', { queue, flows: [{ name: 'parent', queueName: queue, data: {}, children: [child] }] });
  await withWorker(works, { queue }, () => inState(adds, queue, added.id, 'failed'));
});

bothWays('children added while the parent runs', async (adds, works, queue) => {
  const data = { addChildren: [{ name: 'c', queueName: queue, data: { returns: 'late' } }] };
  const id = await adds.do('add', { queue, name: 'parent', data });
  await withWorker(works, { queue }, async () => {
    const { value } = await finished(adds, queue, id);
    assert.deepEqual(Object.values(JSON.parse(value)), ['late']);
  });
});

bothWays('a scheduler by interval goes on with the other’s worker', async (adds, works, queue) => {
  await adds.do('upsertJobScheduler', { queue, id: 's', repeat: { every: 150 }, template: { name: 'tick', data: { returns: 1 } } });
  await withWorker(works, { queue }, () =>
    until('the fourth tick', async () => (await adds.do('counts', { queue, states: ['completed'] })).completed >= 4),
  );
  const [scheduler] = await adds.do('getJobSchedulers', { queue });
  assert.ok(scheduler.iterationCount >= 4);
  assert.equal(scheduler.every, 150);
  assert.equal(await works.do('removeJobScheduler', { queue, id: 's' }), true);
  assert.equal((await adds.do('getJobSchedulers', { queue })).length, 0);
});

bothWays('a scheduler by pattern goes on with the other’s worker', async (adds, works, queue) => {
  await adds.do('upsertJobScheduler', { queue, id: 's', repeat: { pattern: '* * * * * *', tz: 'Asia/Kolkata', limit: 3 }, template: { name: 'tick', data: {} } });
  await withWorker(works, { queue }, () =>
    until('the third tick', async () => (await adds.do('counts', { queue, states: ['completed'] })).completed === 3),
  );
  const ids = (await adds.do('jobs', { queue, states: ['completed'] })).map(({ id }) => Number(id.split(':')[2]));
  for (const id of ids) assert.equal(id % 1000, 0);
  assert.equal(new Set(ids).size, 3);
});

bothWays('a job whose worker is gone is taken over', async (adds, works, queue) => {
  const id = await adds.do('add', { queue, name: 'n', data: { returns: 'saved' } });
  assert.equal((await adds.do('take', { queue, token: 'dead', lock: 50 })).id, id);
  await withWorker(works, { queue, stalledInterval: 100 }, async () => {
    assert.equal(JSON.parse((await finished(adds, queue, id)).value), 'saved');
  });
  assert.equal((await adds.do('job', { queue, id })).stalledCounter, 1);
});

bothWays('a job that stalls too often fails', async (adds, works, queue) => {
  const id = await adds.do('add', { queue, name: 'n', data: { returns: 1 } });
  await adds.do('take', { queue, token: 'dead', lock: 50 });
  await withWorker(works, { queue, stalledInterval: 100, maxStalledCount: 0 }, () => inState(adds, queue, id, 'failed'));
  assert.match((await adds.do('job', { queue, id })).failedReason, /stalled more than allowable limit/);
});

bothWays('a lock of the other is respected', async (adds, works, queue) => {
  const id = await adds.do('add', { queue, name: 'n', data: {} });
  await adds.do('take', { queue, token: 'mine' });
  await assert.rejects(works.do('complete', { queue, id, token: 'other', value: 1 }), { code: -6 });
  assert.equal(await works.do('remove', { queue, id }), false);
  await works.do('complete', { queue, id, token: 'mine', value: 1 });
  assert.equal(await adds.do('state', { queue, id }), 'completed');
});

bothWays('pause and resume hold for the other', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    await adds.do('pause', { queue });
    const id = await adds.do('add', { queue, name: 'n', data: {} });
    await sleep(300);
    assert.equal(await works.do('state', { queue, id }), 'waiting');
    assert.equal(await works.do('isPaused', { queue }), true);
    await adds.do('resume', { queue });
    await inState(works, queue, id, 'completed');
  });
});

bothWays('promoted and retried by who added', async (adds, works, queue) => {
  await withWorker(works, { queue }, async () => {
    const later = await adds.do('add', { queue, name: 'n', data: {}, opts: { delay: 600_000 } });
    await adds.do('promote', { queue, id: later });
    await inState(works, queue, later, 'completed');
    const bad = await adds.do('add', { queue, name: 'n', data: { fail: 'once', times: 1, returns: 'better' } });
    await inState(works, queue, bad, 'failed');
    await adds.do('retry', { queue, id: bad });
    await inState(works, queue, bad, 'completed');
  });
});

bothWays('drained, cleaned and obliterated by the other', async (adds, works, queue) => {
  for (let i = 0; i < 3; ++i) await adds.do('add', { queue, name: 'n', data: {} });
  await works.do('drain', { queue });
  assert.equal((await adds.do('counts', { queue, states: ['waiting'] })).waiting, 0);
  const id = await adds.do('add', { queue, name: 'n', data: {} });
  await withWorker(works, { queue }, () => inState(adds, queue, id, 'completed'));
  await sleep(5);
  assert.deepEqual(await works.do('clean', { queue, state: 'completed' }), [id]);
  await adds.do('add', { queue, name: 'n', data: {} });
  await works.do('obliterate', { queue });
  assert.deepEqual(await redis.client.keys(`${prefix}:${queue}:*`), []);
});

bothWays('a rate limit is shared', async (adds, works, queue) => {
  await adds.do('addBulk', { queue, jobs: Array.from({ length: 6 }, () => ({ name: 'n', data: {} })) });
  const limiter = { max: 2, duration: 300 };
  const begin = Date.now();
  await withWorker(works, { queue, limiter }, () =>
    withWorker(adds, { queue, limiter }, () => until('the last', async () => (await adds.do('counts', { queue, states: ['completed'] })).completed === 6)),
  );
  assert.ok(Date.now() - begin >= 550, 'two in each 300 ms');
});

bothWays('a limit of what is active is shared', async (adds, works, queue) => {
  await adds.do('setGlobalConcurrency', { queue, most: 1 });
  await adds.do('addBulk', { queue, jobs: Array.from({ length: 4 }, () => ({ name: 'n', data: { sleep: 60 } })) });
  let most = 0;
  await withWorker(works, { queue, concurrency: 5 }, () =>
    withWorker(adds, { queue, concurrency: 5 }, () =>
      until('the last', async () => {
        const { active, completed } = await adds.do('counts', { queue, states: ['active', 'completed'] });
        most = Math.max(most, active);
        return completed === 4;
      }),
    ),
  );
  assert.equal(most, 1);
});

bothWays('both work on one queue, and each job is done once', async (adds, works, queue) => {
  const jobs = Array.from({ length: 300 }, (_, i) => ({ name: 'n', data: { returns: i } }));
  const ids = await adds.do('addBulk', { queue, jobs });
  await withWorker(works, { queue, concurrency: 5, name: 'one' }, () =>
    withWorker(adds, { queue, concurrency: 5, name: 'two' }, () =>
      until('the last', async () => (await adds.do('counts', { queue, states: ['completed'] })).completed === 300),
    ),
  );
  const events = await redis.client.xrange(`${prefix}:${queue}:events`, '-', '+');
  assert.equal(events.filter(([, fields]) => fields[1] === 'completed').length, 300);
  for (const id of [ids[0], ids[299]]) assert.equal((await adds.do('job', { queue, id })).attemptsStarted, 1);
});

bothWays('cancelled by its worker', async (adds, works, queue) => {
  await withWorker(works, { queue }, async (worker) => {
    const id = await adds.do('add', { queue, name: 'n', data: { sleep: 20_000 }, opts: { attempts: 1 } });
    await inState(adds, queue, id, 'active');
    await until('the cancellation', () => works.do('cancel', { worker, id, reason: 'not wanted' }));
    await inState(adds, queue, id, 'failed');
  });
});

test('what ours hands back when it stops goes on with theirs at once', async () => {
  const queue = 'handed-back';
  const worker = await sides.ours.do('work', { queue });
  const id = await sides.ours.do('add', { queue, name: 'n', data: { sleep: 1500, returns: 1 } });
  await inState(sides.ours, queue, id, 'active');
  await sides.ours.do('stop', { worker, grace: 0 });
  const begin = Date.now();
  await withWorker(sides.theirs, { queue }, () => inState(sides.theirs, queue, id, 'completed'));
  assert.ok(Date.now() - begin < 10_000, 'well before its lock would have run out');
  assert.equal((await sides.theirs.do('job', { queue, id })).attemptsMade, 1);
});

test('what ours held when it was killed goes on with theirs', async () => {
  const queue = 'killed';
  const mortal = await ours(redis, prefix);
  await mortal.do('work', { queue, lockDuration: 300, stalledInterval: 200 });
  const id = await sides.ours.do('add', { queue, name: 'n', data: { sleep: 1000, returns: 1 } });
  await inState(sides.ours, queue, id, 'active');
  mortal.child.kill('SIGKILL');
  await withWorker(sides.theirs, { queue, stalledInterval: 200 }, () => inState(sides.theirs, queue, id, 'completed'));
  assert.equal((await sides.theirs.do('job', { queue, id })).stalledCounter, 1);
});
