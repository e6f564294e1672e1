// bull-board's API reads and works our queues as its own.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { Queue } from 'bullmq';
import { startRedis } from './support/redis.mjs';
import { ours } from './support/sides.mjs';

const redis = await startRedis();
const prefix = 'buildplan:{0193a5c0-0000-7000-8000-000000000002}';
const peer = await ours(redis, prefix);
const queue = new Queue('agent-jobs', { connection: redis.connection, prefix, skipMetasUpdate: true });
after(async () => {
  await queue.close();
  await peer.close();
  await redis.stop();
});

// What bull-board would register with Express.
let routes = [];
let queues;
const serverAdapter = {
  setQueues(given) {
    queues = given;
    return this;
  },
  setApiRoutes(given) {
    routes = given;
    return this;
  },
};
for (const method of ['setViewsPath', 'setStaticPath', 'setUIConfig', 'setEntryRoute', 'setErrorHandler']) serverAdapter[method] = () => serverAdapter;
createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter, options: { uiBasePath: '/nowhere' } });

async function call(method, route, { params = {}, query = {}, body = {} } = {}) {
  const found = routes.find((each) => [each.method].flat().includes(method) && [each.route].flat().includes(route));
  assert.ok(found, `bull-board has no ${method} ${route}`);
  const answer = await found.handler({ queues, params, query, body, headers: {} });
  assert.ok((answer.status ?? 200) < 300, JSON.stringify(answer));
  return answer.body;
}
const names = { queueName: 'agent-jobs' };
const list = async (status) => (await call('get', '/api/queues', { query: { activeQueue: 'agent-jobs', status, page: '1', jobsPerPage: '50' } })).queues[0];

test('queues, their counts and jobs', async () => {
  await peer.do('announce', { queue: 'agent-jobs' });
  const worker = await peer.do('work', { queue: 'agent-jobs', name: 'ours' });
  const good = await peer.do('add', { queue: 'agent-jobs', name: 'good', data: { returns: { n: 1 }, progress: 50, log: 'a line' } });
  const bad = await peer.do('add', { queue: 'agent-jobs', name: 'bad', data: { fail: 'broken' } });
  for (const id of [good, bad]) await peer.do('waitUntilFinished', { queue: 'agent-jobs', id });
  assert.equal((await queue.getWorkers()).length, 1, 'our worker is seen');
  await peer.do('stop', { worker });
  await peer.do('add', { queue: 'agent-jobs', name: 'later', data: {}, opts: { delay: 600_000 } });
  await peer.do('add', { queue: 'agent-jobs', name: 'first', data: {}, opts: { priority: 1 } });
  await peer.do('add', { queue: 'agent-jobs', name: 'plain', data: {} });

  const { counts, jobs } = await list('completed');
  assert.deepEqual(
    Object.fromEntries(['waiting', 'active', 'completed', 'failed', 'delayed', 'prioritized'].map((each) => [each, counts[each]])),
    { waiting: 1, active: 0, completed: 1, failed: 1, delayed: 1, prioritized: 1 },
  );
  assert.equal(jobs[0].name, 'good');
  assert.deepEqual(jobs[0].returnValue, { n: 1 });
  assert.equal(jobs[0].progress, 50);
  assert.equal(jobs[0].processedBy, 'ours');
  const [failed] = (await list('failed')).jobs;
  assert.equal(failed.failedReason, 'broken');
  assert.equal(failed.stacktrace.length, 1);
  assert.deepEqual(await call('get', '/api/queues/:queueName/:jobId/logs', { params: { ...names, jobId: good } }), ['a line']);
});

test('retry, promote, pause and remove', async () => {
  await call('put', '/api/queues/:queueName/:jobId/retry', { params: { ...names, jobId: '2', queueStatus: 'failed' } });
  assert.equal(await peer.do('state', { queue: 'agent-jobs', id: '2' }), 'waiting');
  await call('put', '/api/queues/:queueName/:jobId/promote', { params: { ...names, jobId: '3' } });
  assert.equal(await peer.do('state', { queue: 'agent-jobs', id: '3' }), 'waiting');
  await call('put', '/api/queues/:queueName/pause', { params: names });
  assert.equal(await peer.do('isPaused', { queue: 'agent-jobs' }), true);
  await call('put', '/api/queues/:queueName/resume', { params: names });
  assert.equal(await peer.do('isPaused', { queue: 'agent-jobs' }), false);
  await call('put', '/api/queues/:queueName/:jobId/clean', { params: { ...names, jobId: '3' } });
  assert.equal(await peer.do('job', { queue: 'agent-jobs', id: '3' }), null);
});

test('what bull-board adds is worked on', async () => {
  await call('post', '/api/queues/:queueName/add', { params: names, body: { name: 'ping', data: {}, options: {} } });
  const worker = await peer.do('work', { queue: 'agent-jobs' });
  const id = (await peer.do('jobs', { queue: 'agent-jobs', states: ['waiting', 'active', 'completed'] })).find(({ name }) => name === 'ping').id;
  const { value } = await peer.do('waitUntilFinished', { queue: 'agent-jobs', id });
  assert.deepEqual(JSON.parse(value), { pong: true });
  await peer.do('stop', { worker });
});

test('job schedulers and flows', async () => {
  await peer.do('upsertJobScheduler', { queue: 'agent-jobs', id: 'nightly', repeat: { pattern: '0 3 * * *', tz: 'Europe/Berlin' }, template: { name: 'tidy' } });
  const { schedulers } = await call('get', '/api/job-schedulers', { query: {} });
  const found = JSON.stringify(schedulers);
  assert.match(found, /nightly/);
  assert.match(found, /0 3 \* \* \*/);
  const [flow] = await peer.do('addFlows', {
    queue: 'agent-jobs',
    flows: [{ name: 'parent', queueName: 'agent-jobs', children: [{ name: 'child', queueName: 'agent-jobs' }] }],
  });
  const tree = await call('get', '/api/queues/:queueName/:jobId/flow', { params: { ...names, jobId: flow.id } });
  assert.match(JSON.stringify(tree), /child/);
});
