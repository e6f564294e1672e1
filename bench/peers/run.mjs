// script/bench peers: BuildPlan, two Node servers that do the same job, and pgbench, on the same PostgreSQL and Redis, in
// turn within each round; then how near the goals are. Figures are ratios of what ran in the same round.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Up, dataFolder, removeFolder, until } from '../../tests/system/support/buildplan.mjs';
import { cpuOf, median, pgbench, postmasterOf, stopped, wrk } from '../load/measure.mjs';
import { check, likeSignedIn } from './check.mjs';
import { contestants, install, start } from './contestants.mjs';
import { Tokens, psql, settle } from './crowd.mjs';
import { goalsOf, growthOf } from './goals.mjs';
import { kinds, lua, sql } from './load.mjs';
import { page, updateDocument } from './report.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '64' },
    organizations: { type: 'string', default: '1000' },
    workspaces: { type: 'string', default: '25' },
    growth: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

function number(name, most) {
  const value = Number(options[name]);
  if (!Number.isInteger(value) || value < 1 || value > most) {
    console.error(`script/bench peers: --${name} is a whole number from 1 to ${most}`);
    process.exit(2);
  }
  return value;
}

const quick = options.quick;
const rounds = quick ? 1 : number('rounds', 1000);
const seconds = quick ? 1 : number('seconds', 3600);
const connections = number('connections', 10_000);
const sizes = [{ organizations: quick ? 50 : number('organizations', 100_000), workspaces: number('workspaces', 1_000_000) }];
if (sizes[0].workspaces < 21) {
  console.error('script/bench peers: a list of 20 needs --workspaces 21 or more');
  process.exit(2);
}
// 10 times the tenants, and so many times the rows.
const growth = options.growth === undefined ? undefined : number('growth', 10_000);
if (growth) {
  const { organizations, workspaces } = sizes[0];
  sizes.push({ organizations: organizations * 10, workspaces: Math.ceil((workspaces * growth) / 10) });
}

const say = (text) => process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);

// A quarter of the memory is what PostgreSQL's documentation begins with; here others want some, too.
const sharedBuffers = Math.min(4096, Math.floor(totalmem() / 2 ** 20 / 8));
// Each server has connections of its own.
const mostConnections = 400;
const superuser = (up) => up.endpoints.postgres.owner.replace('buildplan_owner', 'postgres');

async function prepare(size, scratch) {
  const folder = dataFolder();
  const dataset = { ...size, folder, scratch, servers: [], tokens: join(scratch, `tokens-${size.organizations}`) };
  made.push(dataset);
  const env = { BUILDPLAN_LOG_LEVEL: 'warning' };
  dataset.up = await Up.start(folder, ['--shards', '1'], { env });
  await dataset.up.stop();
  writeFileSync(join(folder, 'postgres', 'custom.conf'), `shared_buffers = ${sharedBuffers}MB\nmax_wal_size = 16GB\nmax_connections = ${mostConnections}\n`);
  dataset.up = await Up.start(folder, ['--shards', '1'], { env });
  say(`settling ${size.organizations} organizations with ${size.workspaces} workspaces each`);
  await settle({ ...size, postgres: superuser(dataset.up), say });
  dataset.bytes = Number(await psql(superuser(dataset.up), 'SELECT pg_database_size(current_database())'));
  dataset.postmaster = postmasterOf(folder);
  return dataset;
}

// In the order in which they are named, each idle when the next one starts.
async function open(dataset, starts) {
  const { endpoints } = dataset.up;
  const first = await start('BuildPlan', endpoints, undefined, { scratch: dataset.scratch, starts });
  dataset.servers.push(first);
  await until(async () => (await fetch(`${first.base}/ready`)).status === 200);
  first.idleRss = first.idle();
  const signedIn = await likeSignedIn(first.base);
  const tokens = new Tokens(signedIn);
  await tokens.trust(superuser(dataset.up));
  tokens.write(dataset.tokens, dataset.organizations);
  for (const name of Object.keys(contestants).slice(1)) {
    const server = await start(name, endpoints, tokens, { scratch: dataset.scratch, starts });
    dataset.servers.push(server);
    server.idleRss = server.idle();
  }
  await check(dataset.servers, tokens, signedIn);
}

const tagOf = (() => {
  let count = 0;
  return () => `${Date.now().toString(36)}${(count++).toString(36).padStart(3, '0')}`;
})();

async function measure(dataset, who, kind) {
  const server = dataset.servers.find((each) => each.name === who);
  const before = { server: server ? cpuOf(server.server.pid) : 0, postgres: cpuOf(dataset.postmaster) };
  const path = join(dataset.scratch, `${who}-${kind}`);
  let result;
  if (server) {
    const what = lua(kind, { tokens: dataset.tokens, workspaces: dataset.workspaces, tag: tagOf() });
    result = await wrk(`${path}.lua`, server.base, what, { connections, seconds });
  } else {
    const { before: lines, statements, variables } = sql(kind, dataset);
    result = await pgbench(`${path}.sql`, dataset.up.endpoints.postgres.app, statements, { seconds, before: lines, variables });
  }
  if (server?.server.ended) throw new Error(`${who} ended; see ${server.log}`);
  const per = 1000 / Math.max(1, result.requests);
  result.serverCpu = server ? (cpuOf(server.server.pid) - before.server) * per : NaN;
  result.postgresCpu = (cpuOf(dataset.postmaster) - before.postgres) * per;
  say(`${String(dataset.organizations).padStart(6)} organizations  ${kind.padEnd(7)} ${who.padEnd(10)} ${result.rate.toFixed(0).padStart(7)}/s${result.errors ? `  ${result.errors} errors` : ''}`);
  return result;
}

async function sessions(base) {
  const text = await (await fetch(`${base}/metrics`)).text();
  const of = (name) => Number(new RegExp(`^${name}\\{cache="session"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return { hits: of('buildplan_cache_hits_total'), misses: of('buildplan_cache_misses_total') };
}

const scratch = mkdtempSync(join(tmpdir(), 'bp-peers-'));
const made = [];
try {
  install(say);
  for (const size of sizes) await prepare(size, mkdtempSync(join(scratch, 'run-')));
  for (const dataset of made) {
    await open(dataset, quick ? 1 : 5);
    const who = [...Object.keys(contestants), 'pgbench'];
    dataset.results = Object.fromEntries(who.map((name) => [name, Object.fromEntries(kinds.map((kind) => [kind, []]))]));
  }
  const busy = loadavg()[0]; // of others: everybody here is idle
  // The first rounds warm everything up: Node compiles what it has seen often. Whoever comes first in a round comes last
  // in the next.
  for (let round = quick ? 0 : -1; round <= rounds; ++round) {
    say(round < 1 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const kind of kinds) {
      for (const dataset of made) {
        const who = Object.keys(dataset.results);
        for (let i = 0; i < who.length; ++i) {
          stopped.signal.throwIfAborted();
          const name = who[(i + round + 1) % who.length];
          const result = await measure(dataset, name, kind);
          if (round > 0) dataset.results[name][kind].push(result);
        }
      }
    }
  }
  for (const dataset of made) {
    const { hits, misses } = await sessions(dataset.servers[0].base);
    dataset.hitRate = hits / Math.max(1, hits + misses);
    for (const server of dataset.servers) server.loadedRss = server.idle();
    dataset.goals = goalsOf(dataset.results, {
      starts: dataset.servers[0].times, idle: dataset.servers[0].idleRss, hitRate: dataset.hitRate,
    });
  }
  const growthGoals = growth ? growthOf(made[0].results, made[1].results) : [];
  const summary = {
    rounds, seconds, connections, growth, sharedBuffers, busy, postgres: await psql(superuser(made[0].up), 'SHOW server_version'),
    arguments: process.argv.slice(2).filter((each) => each !== '--write' && each !== '--json'),
    datasets: made.map(({ organizations, workspaces, bytes, results, goals, hitRate, servers }) => ({
      organizations, workspaces, bytes, hitRate, goals, results,
      servers: servers.map(({ name, times, idleRss, loadedRss }) => ({ name, firstAnswerMs: median(times), idleRss, loadedRss })),
    })),
    growthGoals,
  };
  if (options.json) console.log(JSON.stringify(summary, null, 2));
  else console.log(`\n${page(summary)}`);
  if (options.write) updateDocument(page(summary));
} catch (error) {
  if (!stopped.signal.aborted) throw error;
  console.error('script/bench peers: interrupted');
  process.exitCode = 130;
} finally {
  for (const dataset of made) {
    for (const { server } of dataset.servers) await server.stop();
    if (dataset.up) await dataset.up.stop();
    removeFolder(dataset.folder);
  }
  removeFolder(scratch);
}
