// Work in the background as an operator meets it: `buildplan queue` and `buildplan owner` beside a running installation,
// foreign jobs, a wiped queue, and a stop in the middle.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Up, binary, dataFolder, removeFolder, until } from './support/buildplan.mjs';

const data = dataFolder();
let up;
test.before(async () => {
  up = await Up.start(data);
});
test.after(async () => {
  await up.stop();
  removeFolder(data);
});

function buildplan(...args) {
  return new Promise((resolve) => {
    execFile(binary, args, (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr }));
  });
}
const queue = (...args) => buildplan('queue', '--data', data, ...args);

// One command to the queue's Redis, inline; its raw answer.
function redis(command) {
  return new Promise((resolve, reject) => {
    const socket = connect(up.endpoints.redisQueue.replace(/^unix:/, ''));
    let answer = '';
    socket.on('error', reject);
    socket.on('data', (piece) => {
      answer += piece;
      if (answer.endsWith('\r\n')) socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.write(`${command}\r\n`);
  });
}

async function owedOf(name) {
  const { stdout } = await queue('show', name, '--json');
  return JSON.parse(stdout).queue;
}

test('queue ls shows all queues, for people and for scripts', async () => {
  const { code, stdout } = await queue('ls');
  assert.equal(code, 0);
  for (const name of ['agent-jobs', 'github', 'email', 'webhook', 'documents', 'billing', 'notifications']) {
    assert.match(stdout, new RegExp(`^${name} `, 'm'));
  }
  const list = JSON.parse((await queue('ls', '--json')).stdout);
  assert.equal(list.items.length, 7);
});

test('the first key runs the installation, and another key of the organization does not', async () => {
  assert.equal((await up.call('GET', '/v1/admin/queues')).status, 200);
  const made = await up.call('POST', '/v1/api-keys', { body: { kind: 'service', name: 'Robot', scopes: ['*'] } });
  assert.equal(made.status, 201, made.text);
  const other = await fetch(`${up.endpoints.api}/v1/admin/queues`, { headers: { authorization: `Bearer ${made.json.key}` } });
  assert.equal(other.status, 403);
});

test('events of the API are relayed at once', async () => {
  const made = await up.call('POST', '/v1/workspaces', { body: { name: 'Told' } });
  assert.equal(made.status, 201, made.text);
  await until(async () => JSON.parse((await queue('ls', '--json')).stdout).waitingEvents === 0);
});

test('a queue can be paused, resumed and drained', async () => {
  assert.equal((await queue('pause', 'webhook')).code, 0);
  assert.equal((await owedOf('webhook')).paused, true);
  assert.match((await queue('show', 'webhook')).stdout, /paused/);
  assert.equal((await queue('resume', 'webhook')).code, 0);
  assert.equal((await owedOf('webhook')).paused, false);
  assert.match((await queue('drain', 'webhook')).stdout, /^0 jobs of webhook are given up/);
});

test('what cannot be is said with a remedy', async () => {
  const nothing = await queue('pause', 'nothing');
  assert.equal(nothing.code, 64);
  assert.match(nothing.stderr, /There is no queue nothing/);
  const none = await queue('retry', 'webhook', '0198c5a2-7c4e-7b1a-9d3f-5e8a1c2b4d6f');
  assert.equal(none.code, 66);
  assert.equal((await queue('retry', 'webhook')).code, 64);
  const nobody = await buildplan('owner', '--data', data, 'add', 'nobody@example.com');
  assert.equal(nobody.code, 67);
  assert.match(nobody.stderr, /Nobody has the address/);
});

test('an owner is made and unmade by the command line', async () => {
  const account = { email: 'operator@example.com', password: 'correct horse battery staple 42', name: 'Operator', organizationName: 'Operators' };
  const registered = await fetch(`${up.endpoints.api}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(account),
  });
  assert.ok(registered.status < 300, await registered.text());
  assert.equal((await buildplan('owner', '--data', data, 'add', 'Operator@example.com')).code, 0);
  const owners = JSON.parse((await buildplan('owner', '--data', data, 'ls', '--json')).stdout);
  assert.deepEqual(owners.map((each) => each.email), ['operator@example.com']);
  assert.equal((await buildplan('owner', '--data', data, 'remove', 'operator@example.com')).code, 0);
  assert.equal((await buildplan('owner', '--data', data, 'remove', 'operator@example.com')).code, 67);
});

test('the metrics tell depth, lag and times by queue and tier', async () => {
  await until(async () => {
    const metrics = await (await fetch(`${up.endpoints.api}/metrics`)).text();
    return /buildplan_queue_depth\{queue="webhook",tier="PRO",state="waiting"\} 0/.test(metrics) &&
      /buildplan_queue_lag_seconds\{queue="webhook",tier="FREE"\}/.test(metrics) &&
      /buildplan_job_wait_seconds_bucket\{queue="webhook",tier="FREE"/.test(metrics) &&
      /buildplan_job_run_seconds_bucket\{queue="agent-jobs",tier="ENTERPRISE"/.test(metrics);
  });
});

test('a wiped queue has an epoch again within a second or so', async () => {
  await redis('FLUSHALL');
  await until(async () => /^\$\d+\r\n-?\d{5,}\r\n$/.test(await redis('GET buildplan:queue:epoch')));
});
