// `buildplan up` as the person who runs it meets it: starting, stopping, and everything that can be in the way.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Process, Up, binary, dataFolder, descendants, kill, processesOf, removeFolder, slowness, until } from './support/buildplan.mjs';

const folders = [];
function folder() {
  const made = dataFolder();
  folders.push(made);
  return made;
}
test.after(() => folders.forEach(removeFolder));

test('a first start is ready within 8 s, a later one within 2 s, and both serve what was stored', async (t) => {
  const data = folder();
  const first = await Up.start(data);
  t.diagnostic(`first start: ${first.readyAfter.toFixed(0)} ms`);
  assert.ok(first.readyAfter < 8000 * slowness, `first start took ${first.readyAfter} ms`);
  const made = await first.call('POST', '/v1/workspaces', { body: { name: 'Kept' } });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(await first.stop('SIGINT'), { code: 0, signal: null });
  assert.deepEqual(processesOf(data), [], 'no server is left behind');

  const second = await Up.start(data);
  t.diagnostic(`later start: ${second.readyAfter.toFixed(0)} ms`);
  assert.ok(second.readyAfter < 2000 * slowness, `later start took ${second.readyAfter} ms`);
  const found = await second.call('GET', `/v1/workspaces/${made.json.id}`);
  assert.equal(found.json.name, 'Kept');
  assert.deepEqual(await second.stop('SIGTERM'), { code: 0, signal: null });
});

test('endpoints.json tells scripts where everything is', async () => {
  const up = await Up.start(folder());
  const { api, postgres, redisQueue, redisCache } = up.endpoints;
  assert.match(api, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.deepEqual(Object.keys(postgres).sort(), ['app', 'owner', 'system']);
  for (const url of Object.values(postgres)) assert.match(url, /^postgres(ql)?:\/\//);
  for (const url of [redisQueue, redisCache]) assert.match(url, /^(unix|redis):/);
  await up.stop();
});

test('whatever is killed at whatever moment of the start, the next start works', async (t) => {
  const data = folder();
  for (const after of [20, 150, 400, 700, 900, 1200, 1600].map((ms) => ms * slowness)) {
    const up = new Up(data);
    await new Promise((resolve) => setTimeout(resolve, after));
    await up.killAll();
  }
  const up = await Up.start(data);
  t.diagnostic(`ready ${up.readyAfter.toFixed(0)} ms after the last kill`);
  const made = await up.call('POST', '/v1/workspaces', { body: { name: 'Survives' } });
  assert.equal(made.status, 201, made.text);
  await up.killAll();
  const again = await Up.start(data);
  assert.equal((await again.call('GET', `/v1/workspaces/${made.json.id}`)).status, 200);
  // Only the program itself dies; its servers may live on for a moment.
  kill(again.pid);
  await again.exit();
  const third = await Up.start(data);
  assert.equal((await third.call('GET', `/v1/workspaces/${made.json.id}`)).status, 200);
  await third.stop();
});

test('a server that dies is started again, and the log says so', async () => {
  const up = await Up.start(folder());
  for (const word of ['redis-cache', 'redis-queue', 'postgres']) {
    const pid = up.server(word);
    assert.ok(pid, `${word} runs`);
    kill(pid);
    await until(() => { const now = up.server(word); return now && now !== pid; }, { what: `${word} is back` });
    await until(async () => (await up.call('GET', '/v1/workspaces')).status === 200, { what: `served after ${word} died` });
  }
  const log = up.output + (existsSync(join(up.folder, 'logs', 'buildplan.log')) ? readFileSync(join(up.folder, 'logs', 'buildplan.log'), 'utf8') : '');
  assert.match(log, /restarted/i);
  await up.stop();
});

// Each of these ends with one line that says what to do, and with a code that is not 0.
async function refuses(args, pattern, options) {
  const process_ = new Process(args, options);
  const { code } = await process_.exit(30_000 * slowness);
  assert.notEqual(code, 0, process_.output);
  assert.match(process_.output, pattern);
  const lines = process_.output.trim().split('\n').filter((line) => pattern.test(line));
  assert.equal(lines.length, 1, `one clear line:\n${process_.output}`);
  assert.doesNotMatch(process_.output, /terminate called|std::|Sanitizer/);
}

test('a port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => taken.once('listening', resolve));
  const { port } = taken.address();
  try {
    await refuses(['up', '--data', folder(), '--port', String(port)], new RegExp(`listens on 127.0.0.1:${port}.*another port`, 'i'));
  } finally {
    taken.close();
  }
});

test('a second start on the same folder', async () => {
  const up = await Up.start(folder());
  await refuses(['up', '--data', up.folder, '--port', '0'], new RegExp(`${up.pid}`));
  assert.equal((await up.call('GET', '/v1/workspaces')).status, 200, 'the first goes on');
  await up.stop();
});

test('a data folder of another PostgreSQL, and of another BuildPlan', async () => {
  const data = folder();
  await (await Up.start(data)).stop();
  const version = join(data, 'postgres', 'PG_VERSION');
  const was = readFileSync(version, 'utf8');
  writeFileSync(version, '12\n');
  await refuses(['up', '--data', data, '--port', '0'], /PostgreSQL 12/);
  writeFileSync(version, was);
  const format = ['VERSION', 'FORMAT', 'format'].map((name) => join(data, name)).find(existsSync);
  assert.ok(format, 'the folder says what format it has');
  writeFileSync(format, '999\n');
  await refuses(['up', '--data', data, '--port', '0'], /999/);
});

test('a missing program', async () => {
  const empty = folder();
  mkdirSync(join(empty, 'bin'));
  await refuses(['up', '--data', join(empty, 'data'), '--port', '0'], /redis-server.*(install|script\/setup)/i, { env: { PATH: join(empty, 'bin') } });
});

test('a folder that cannot be written', async () => {
  await refuses(['up', '--data', '/proc/buildplan', '--port', '0'], /\/proc\/buildplan/);
});

test('unknown arguments and settings are named', async () => {
  await refuses(['up', '--prot', '1'], /--prot/);
  await refuses(['up', '--data', folder(), '--port', '70000'], /70000|port/i);
  await refuses(['config', 'check'], /BUILDPLAN_HTTP_PROT/, { env: { BUILDPLAN_HTTP_PROT: '1' } });
});

test('SIGTERM answers 503 on /ready, finishes what is in flight, and leaves with 0', async () => {
  const up = await Up.start(folder(), [], { env: { BUILDPLAN_SHUTDOWN_READY_DELAY: '1s' } });
  const statuses = [];
  let calling = true;
  const callers = Array.from({ length: 8 }, async () => {
    while (calling) statuses.push((await up.call('GET', '/v1/workspaces')).status);
  });
  await until(() => statuses.length > 50);
  up.child.kill('SIGTERM');
  await until(async () => (await fetch(`${up.url}/ready`)).status === 503, { within: 900, what: '/ready says 503' });
  calling = false;
  await Promise.all(callers);
  assert.deepEqual([...new Set(statuses)], [200]);
  assert.deepEqual(await up.exit(10_000 * slowness), { code: 0, signal: null });
  assert.deepEqual(descendants(up.pid), []);
});

test('version and config list speak to people and to scripts', async () => {
  const version = new Process(['version', '--json']);
  await version.exit();
  assert.match(JSON.parse(version.output).version, /^\d+\.\d+\.\d+$/);
  const list = new Process(['config', 'list', '--json']);
  await list.exit();
  const settings = JSON.parse(list.output);
  assert.ok(settings.length > 20);
  for (const each of settings) assert.ok(each.name && each.env.startsWith('BUILDPLAN_') && each.meaning.length > 10, JSON.stringify(each));
  assert.ok(binary);
});
