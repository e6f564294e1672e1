// script/bench load: one run, interleaved, against the limit that PostgreSQL itself sets (pgbench, pipelined and
// prepared, the same statements on the same server). Prints medians and ratios; absolute figures are this machine's mood.
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Up, binary, dataFolder, removeFolder, until } from '../../tests/system/support/buildplan.mjs';
import { Server, cpuOf, freePort, median, pgbench as runPgbench, postmasterOf, rssOf, wrk as runWrk } from './measure.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    workspaces: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

function wrk(name, url, key, lua = '') {
  const headers = `wrk.headers["Authorization"] = "Bearer ${key}"\n`;
  return runWrk(join(scratch, `${name}.lua`), url, headers + lua, { connections: options.connections, seconds });
}

const scratch = mkdtempSync(join(tmpdir(), 'bp-bench-'));
const up = await Up.start(dataFolder(), [], { env: { BUILDPLAN_API_RATE_LIMITS: 'false', BUILDPLAN_LOG_LEVEL: 'info' } });
let server;
try {
  const ids = [];
  for (let i = 0; i < Number(options.workspaces); ++i) {
    const made = await up.call('POST', '/v1/workspaces', { body: { name: `Workspace ${i}`, description: 'Made for the load run' } });
    if (made.status !== 201) throw new Error(made.text);
    ids.push(made.json.id);
  }
  const key = up.key;
  const { postgres, redisQueue, redisCache } = up.endpoints;

  // A server of its own, as a deployment has it, on the databases of `up`.
  const port = await freePort();
  const environment = {
    BUILDPLAN_HTTP_PORT: String(port),
    BUILDPLAN_HTTP_ADDRESS: '127.0.0.1',
    BUILDPLAN_POSTGRES_APP_URL: postgres.app,
    BUILDPLAN_POSTGRES_SYSTEM_URL: postgres.system,
    BUILDPLAN_REDIS_QUEUE_URL: redisQueue,
    BUILDPLAN_REDIS_CACHE_URL: redisCache,
    BUILDPLAN_API_SECRET: 'a secret of this run alone, thirty-two bytes and more',
    BUILDPLAN_API_RATE_LIMITS: 'false',
  };
  const base = `http://127.0.0.1:${port}`;
  const starts = [];
  for (let i = 0; i < 5; ++i) {
    server = new Server(binary, ['serve'], { env: environment, log: join(scratch, 'serve.log') });
    starts.push(await server.answers(`${base}/health`));
    if (i < 4) await server.stop();
  }
  await until(async () => (await fetch(`${base}/ready`)).status === 200);
  const idle = rssOf(server.pid);

  const organization = execFileSync('psql', ['-XAtc', "SELECT id FROM organizations WHERE slug = 'local'", postgres.system], { encoding: 'utf8' }).trim();
  const set = `SELECT set_config('app.current_organization_id', '${organization}', true);`;
  const columns = 'id, name, slug, description, archived_at, version, created_at, updated_at';
  const pgbench = (name, statement) => runPgbench(join(scratch, `${name}.sql`), postgres.app, [set, statement], { seconds });
  const table = Object.fromEntries(ids.map((id, i) => [i, id]));
  const luaIds = `local ids = {${Object.values(table).map((id) => `"${id}"`).join(',')}}\nlocal n = 0\n`;
  const cases = {
    'health: parser, router, answer': () => wrk('health', `${base}/health`, key),
    'get one: one statement': () => wrk('get', base, key, `${luaIds}request = function() n = n % #ids + 1 return wrk.format("GET", "/v1/workspaces/" .. ids[n]) end\n`),
    'get one: pgbench pipelined': () => pgbench('get', `SELECT ${columns} FROM workspaces WHERE id = '${ids[7]}';`),
    'list of 20': () => wrk('list', `${base}/v1/workspaces?limit=20`, key),
    'list of 20: pgbench pipelined': () => pgbench('list', `SELECT ${columns} FROM workspaces ORDER BY created_at DESC, id DESC LIMIT 21;`),
    'create': () => wrk('create', `${base}/v1/workspaces`, key, `local n = 0\nlocal seed = ${Date.now() % 1e7}\nwrk.headers["Content-Type"] = "application/json"\nrequest = function() n = n + 1 return wrk.format("POST", "/v1/workspaces", nil, '{"name":"Load ' .. seed .. "-" .. n .. '"}') end\n`),
  };
  const results = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  const postgresPid = postmasterOf(up.folder);
  for (let round = 0; round <= rounds; ++round) {
    for (const [name, run] of Object.entries(cases)) {
      const before = { server: cpuOf(server.pid), postgres: cpuOf(postgresPid) };
      const result = await run();
      const per = 1000 / Math.max(1, result.requests);
      result.serverCpu = (cpuOf(server.pid) - before.server) * per;
      result.postgresCpu = (cpuOf(postgresPid) - before.postgres) * per;
      if (round > 0) results[name].push(result); // the first round warms everything up
      if (!options.json) process.stderr.write(`round ${round}  ${name.padEnd(32)} ${result.rate.toFixed(0).padStart(8)}/s\n`);
    }
  }
  const rows = Object.entries(results).map(([name, all]) => ({
    name,
    rate: median(all.map((r) => r.rate)),
    p50: median(all.map((r) => r.p50)),
    p99: median(all.map((r) => r.p99)),
    serverCpu: name.includes('pgbench') ? NaN : median(all.map((r) => r.serverCpu)),
    postgresCpu: median(all.map((r) => r.postgresCpu)),
    errors: all.reduce((sum, r) => sum + r.errors, 0),
  }));
  const of = (name) => rows.find((row) => row.name === name).rate;
  const summary = {
    firstAnswerMs: median(starts),
    idleRssMiB: idle,
    loadedRssMiB: rssOf(server.pid),
    getAgainstPgbench: of('get one: one statement') / of('get one: pgbench pipelined'),
    listAgainstPgbench: of('list of 20') / of('list of 20: pgbench pipelined'),
    rows,
  };
  if (options.json) {
    console.log(JSON.stringify(summary, null, 2));
  } else {
    const cell = (value, digits) => (Number.isNaN(value) ? '' : value.toFixed(digits));
    console.log(`\n${options.connections} connections, ${seconds} s, median of ${rounds} interleaved rounds\n`);
    console.log('| | requests/s | p50 ms | p99 ms | server CPU s/1000 | PostgreSQL CPU s/1000 | errors |\n|---|---|---|---|---|---|---|');
    for (const row of rows) {
      console.log(`| ${row.name} | ${cell(row.rate, 0)} | ${cell(row.p50, 1)} | ${cell(row.p99, 1)} | ${cell(row.serverCpu, 3)} | ${cell(row.postgresCpu, 3)} | ${row.errors} |`);
    }
    console.log(`\nget against pipelined pgbench: ${(summary.getAgainstPgbench * 100).toFixed(0)} %, list: ${(summary.listAgainstPgbench * 100).toFixed(0)} %`);
    console.log(`first answer after start: ${summary.firstAnswerMs.toFixed(0)} ms; RSS idle ${idle.toFixed(1)} MiB, after load ${summary.loadedRssMiB.toFixed(1)} MiB`);
  }
} finally {
  if (server && !server.ended) await server.stop();
  await up.stop();
  removeFolder(up.folder);
  removeFolder(scratch);
}
