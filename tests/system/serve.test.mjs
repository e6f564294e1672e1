// `serve`, `work` and `migrate` on databases that somebody else runs (those of an `up`), and what happens to requests
// when a database dies.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { Process, Up, dataFolder, kill, removeFolder, slowness, until } from './support/buildplan.mjs';

let up;
test.before(async () => {
  up = await Up.start(dataFolder());
});
test.after(async () => {
  await up?.stop();
  if (up) removeFolder(up.folder);
});

function settings(more = {}) {
  const { postgres, redisQueue, redisCache } = up.endpoints;
  return {
    BUILDPLAN_POSTGRES_APP_URL: postgres.app,
    BUILDPLAN_POSTGRES_SYSTEM_URL: postgres.system,
    BUILDPLAN_REDIS_QUEUE_URL: redisQueue,
    BUILDPLAN_REDIS_CACHE_URL: redisCache,
    BUILDPLAN_API_SECRET: 'thirty-two bytes or more, of this test alone',
    BUILDPLAN_HTTP_PORT: '0',
    ...more,
  };
}

async function started(command, more = {}) {
  const process_ = new Process([command], { env: settings(more) });
  const port = await until(
    () => {
      if (process_.ended) throw new Error(process_.output);
      return /"message":"started".*"port":(\d+)/.exec(process_.output)?.[1];
    },
    { within: 20_000 * slowness, what: `${command} started` },
  );
  return { process_, url: `http://127.0.0.1:${port}` };
}

const sql = (statement) => execFileSync('psql', ['-XAtqc', statement, up.endpoints.postgres.owner], { encoding: 'utf8' }).trim();

test('serve says everything that is missing at once', async () => {
  const process_ = new Process(['serve'], { env: { BUILDPLAN_HTTP_PORT: '0' } });
  const { code } = await process_.exit();
  assert.equal(code, 78);
  for (const name of ['POSTGRES_APP_URL', 'POSTGRES_SYSTEM_URL', 'REDIS_QUEUE_URL', 'REDIS_CACHE_URL', 'API_SECRET']) {
    assert.match(process_.output, new RegExp(`BUILDPLAN_${name}`));
  }
  assert.equal(process_.output.trim().split('\n').length, 1);
});

test('serve and work share the databases; work answers only for itself', async () => {
  const serve = await started('serve');
  const made = await fetch(`${serve.url}/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${up.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Made by serve' }),
  });
  assert.equal(made.status, 201);
  assert.equal((await up.call('GET', `/v1/workspaces/${(await made.json()).id}`)).status, 200);
  const work = await started('work');
  assert.equal((await fetch(`${work.url}/ready`)).status, 200);
  assert.equal((await fetch(`${work.url}/v1/workspaces`, { headers: { authorization: `Bearer ${up.key}` } })).status, 404);
  for (const each of [serve, work]) assert.deepEqual(await each.process_.stop(), { code: 0, signal: null });
});

test('serve refuses a schema that is older, changed or too new, and accepts one that was only expanded', async () => {
  const known = Number(sql('SELECT max(version) FROM schema_migrations'));
  const refused = async (pattern) => {
    const process_ = new Process(['serve'], { env: settings() });
    const { code } = await process_.exit();
    assert.notEqual(code, 0);
    assert.match(process_.output, pattern);
  };
  const row = sql(`SELECT row_to_json(s) FROM schema_migrations s WHERE version = ${known}`);
  const columns = Object.keys(JSON.parse(row));
  const insert = (version, phase) =>
    sql(`INSERT INTO schema_migrations (${columns}) SELECT ${columns.map((c) => (c === 'version' ? version : c === 'phase' ? `'${phase}'` : c === 'file' || c === 'name' ? `'${String(version).padStart(4, '0')}_later.sql'` : c))} FROM schema_migrations WHERE version = ${known}`);
  try {
    insert(known + 1, 'expand');
    const newer = await started('serve');
    assert.equal((await fetch(`${newer.url}/ready`)).status, 200);
    await newer.process_.stop();
    insert(known + 2, 'contract');
    await refused(/too new|newer/i);
  } finally {
    sql(`DELETE FROM schema_migrations WHERE version > ${known}`);
  }
  const checksum = sql(`SELECT checksum FROM schema_migrations WHERE version = ${known}`);
  try {
    sql(`UPDATE schema_migrations SET checksum = repeat('0', 64) WHERE version = ${known}`);
    await refused(/changed|differ|not the/i);
  } finally {
    sql(`UPDATE schema_migrations SET checksum = '${checksum}' WHERE version = ${known}`);
  }
});

test('migrate has nothing to do twice, and --dry-run does nothing', async () => {
  const process_ = new Process(['migrate', '--dry-run', '--json'], { env: { BUILDPLAN_POSTGRES_OWNER_URL: up.endpoints.postgres.owner } });
  assert.equal((await process_.exit()).code, 0, process_.output);
  const report = JSON.parse(process_.output);
  assert.deepEqual(report.applied, []);
  assert.equal(report.before, report.after);
});

test('without Redis answers come all the same, and it is used again when it is back', async () => {
  const before = await up.call('POST', '/v1/workspaces', { body: { name: 'Before' } });
  const pid = up.server('redis-cache');
  process.kill(pid, 'SIGSTOP'); // silent, which is worse than gone
  try {
    for (let i = 0; i < 20; ++i) {
      const begin = performance.now();
      const got = await up.call('GET', `/v1/workspaces/${before.json.id}`);
      assert.equal(got.status, 200, got.text);
      assert.ok(performance.now() - begin < 3000 * slowness);
    }
    assert.equal((await up.call('POST', '/v1/workspaces', { body: { name: 'Meanwhile' } })).status, 201);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  kill(pid);
  await until(async () => (await (await fetch(`${up.url}/ready`)).json()).redis === 'ok', { within: 10_000 * slowness, what: 'Redis is used again' });
});

test('PostgreSQL dies under load: nothing that was answered is lost, nothing hangs, and it goes on', async (t) => {
  const answered = [];
  const others = new Map();
  let going = true;
  let firstAfter;
  let returned;
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    for (let i = 0; going; ++i) {
      const begin = performance.now();
      const made = await up.call('POST', '/v1/workspaces', { body: { name: `Writer ${writer} row ${i}` } });
      assert.ok(performance.now() - begin < 15_000 * slowness, 'no call hangs');
      if (made.status === 201) {
        answered.push(made.json.id);
        if (returned && !firstAfter) firstAfter = performance.now();
      } else {
        others.set(made.status, (others.get(made.status) ?? 0) + 1);
      }
    }
  });
  await until(() => answered.length > 100, { what: 'writers write' });
  for (let round = 0; round < 2; ++round) {
    const pid = up.server('postgres -D');
    firstAfter = returned = undefined;
    kill(pid);
    await until(() => { const now = up.server('postgres -D'); return now && now !== pid; }, { within: 20_000 * slowness, what: 'PostgreSQL is back' });
    await until(
      () => {
        try {
          return execFileSync('psql', ['-XAtqc', 'SELECT 1', up.endpoints.postgres.owner], { stdio: ['ignore', 'pipe', 'ignore'] });
        } catch {
          return false;
        }
      },
      { within: 20_000 * slowness, what: 'PostgreSQL answers' },
    );
    returned = performance.now();
    await until(() => firstAfter, { within: 5000 * slowness, what: 'a write after the return' });
    t.diagnostic(`first write ${(firstAfter - returned).toFixed(0)} ms after PostgreSQL answered again`);
    assert.ok(firstAfter - returned < 1000 * slowness);
  }
  going = false;
  await Promise.all(writers);
  t.diagnostic(`${answered.length} writes answered; other statuses: ${JSON.stringify([...others])}`);
  assert.deepEqual([...others.keys()].filter((status) => status !== 503), []);
  const kept = new Set(sql(`ALTER TABLE workspaces NO FORCE ROW LEVEL SECURITY; SELECT id FROM workspaces; ALTER TABLE workspaces FORCE ROW LEVEL SECURITY`).split('\n'));
  assert.deepEqual(answered.filter((id) => !kept.has(id)), [], 'every answered write is there');
});

test('/metrics is what Prometheus wants, and shows what was asked', async () => {
  await up.call('GET', '/v1/workspaces');
  const text = await (await fetch(`${up.url}/metrics`)).text();
  const said = execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  assert.equal(said, '');
  for (const name of ['buildplan_http_requests_total', 'buildplan_loop_lag_seconds_bucket', 'buildplan_authentication_lookups_total']) {
    assert.match(text, new RegExp(`^${name}`, 'm'));
  }
  assert.match(text, /^buildplan_http_requests_total\{[^}]*route="\/v1\/workspaces[^}]*\} [1-9]/m);
});

test('twins with one Idempotency-Key have one effect and one answer', async () => {
  const headers = { 'idempotency-key': `twins-${Date.now()}` };
  const body = { name: 'Once only' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => up.call('POST', '/v1/workspaces', { body, headers })));
  const ids = new Set(answers.filter((a) => a.status === 201).map((a) => a.json.id));
  assert.equal(ids.size, 1, JSON.stringify(answers.map((a) => a.status)));
  for (const answer of answers) assert.ok([201, 409].includes(answer.status), answer.text);
  const again = await up.call('POST', '/v1/workspaces', { body, headers });
  assert.equal(again.status, 201);
  assert.equal(again.headers.get('idempotent-replayed'), 'true');
  assert.ok(ids.has(again.json.id));
  const other = await up.call('POST', '/v1/workspaces', { body: { name: 'Something else' }, headers });
  assert.equal(other.status, 409);
  assert.equal(other.json.code, 'idempotency-key-reused');
});
