// script/bench load: one run, interleaved, against the limit that PostgreSQL itself sets (pgbench, pipelined and
// prepared, the same statements on the same server). Prints medians and ratios; absolute figures are this machine's mood.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Process, Up, dataFolder, removeFolder, until } from '../../tests/system/support/buildplan.mjs';

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

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

// CPU seconds of a process; PostgreSQL's backends are children of its first process.
function cpu(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticks;
  } catch {
    return 0;
  }
}
function cpuOfTree(root) {
  let sum = cpu(root);
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const parent = Number(readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
      if (parent === root) sum += cpu(Number(entry));
    } catch {}
  }
  return sum;
}
const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const report = `
done = function(summary, latency)
  io.stderr:write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`;

function wrk(name, url, key, lua = '') {
  const script = join(scratch, `${name}.lua`);
  writeFileSync(script, `wrk.headers["Authorization"] = "Bearer ${key}"\n${lua}${report}`);
  const run = spawnSync('wrk', ['-t1', `-c${options.connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url], { encoding: 'utf8' });
  const found = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(run.stderr);
  if (!found) throw new Error(`wrk ${name}: ${run.stdout}${run.stderr}`);
  const [requests, micros, p50, p99, errors] = found.slice(1).map(Number);
  return { rate: requests / (micros / 1e6), p50, p99, errors, requests };
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
  const port = 20000 + Math.floor(Math.random() * 20000);
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
    server = new Process(['serve'], { env: environment });
    await until(async () => (await fetch(`${base}/health`)).status === 200, { every: 1, what: 'first answer' });
    starts.push(performance.now() - server.started);
    if (i < 4) await server.stop();
  }
  await until(async () => (await fetch(`${base}/ready`)).status === 200);
  const idle = rss(server.pid);

  const organization = execFileSync('psql', ['-XAtc', "SELECT id FROM organizations WHERE slug = 'local'", postgres.system], { encoding: 'utf8' }).trim();
  const set = `SELECT set_config('app.current_organization_id', '${organization}', true);`;
  const columns = 'id, name, slug, description, archived_at, version, created_at, updated_at';
  const pgbench = (name, statement) => {
    const file = join(scratch, `${name}.sql`);
    writeFileSync(file, `\\startpipeline\n${set}\n${statement}\n\\endpipeline\n`);
    const run = spawnSync('pgbench', ['-n', '-M', 'prepared', '-c', '16', '-j', '1', '-T', String(seconds), '-f', file, postgres.app], { encoding: 'utf8' });
    const found = /tps = ([\d.]+)/.exec(run.stdout);
    if (!found) throw new Error(`pgbench ${name}: ${run.stdout}${run.stderr}`);
    return { rate: Number(found[1]), p50: NaN, p99: NaN, errors: 0, requests: Number(found[1]) * seconds };
  };
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
  const postgresPid = Number(readFileSync(join(up.folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
  for (let round = 0; round <= rounds; ++round) {
    for (const [name, run] of Object.entries(cases)) {
      const before = { server: cpu(server.pid), postgres: cpuOfTree(postgresPid) };
      const result = run();
      const per = 1000 / Math.max(1, result.requests);
      result.serverCpu = (cpu(server.pid) - before.server) * per;
      result.postgresCpu = (cpuOfTree(postgresPid) - before.postgres) * per;
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
    loadedRssMiB: rss(server.pid),
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
