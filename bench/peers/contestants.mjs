// Who is measured: BuildPlan and the two peers, each with as many threads or processes as the machine has cores, on the
// databases of one `buildplan up`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary } from '../../tests/system/support/buildplan.mjs';
import { Server, freePort, rssOf } from '../load/measure.mjs';
import { forPeers } from './statements.mjs';

const here = dirname(fileURLToPath(import.meta.url));
export const cores = availableParallelism();
const node = join(here, `node_modules/node-linux-${process.arch}/bin/node`);

// Versions are those of package-lock.json, the Node that runs the peers included. Prisma's engines are never run (its
// query compiler is WebAssembly) and so not downloaded.
export function install(say) {
  const lock = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).update(readFileSync(join(here, 'node-spec/prisma/schema.prisma'))).digest('hex');
  const stamp = join(here, 'node_modules/.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  say('installing the peers (npm ci)');
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' };
  const quiet = { cwd: here, env, stdio: ['ignore', 'ignore', 'inherit'] };
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], quiet);
  execFileSync(node, [join(here, 'node_modules/prisma/build/index.js'), 'generate'], { ...quiet, cwd: join(here, 'node-spec') });
  writeFileSync(stamp, lock);
}

export function versions() {
  const of = (name) => JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8')).version;
  return {
    node: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1),
    best: `Fastify ${of('fastify')}, pg ${of('pg')}, ioredis ${of('ioredis')}, fast-jwt ${of('fast-jwt')}`,
    spec: `Express ${of('express')}, Prisma ${of('@prisma/client')}, ioredis ${of('ioredis')}, jose ${of('jose')}`,
  };
}

// "postgresql://role@/database?host=folder&port=n", as endpoints.json has it.
function parts(url) {
  const [, user, database, host, port] = /^postgresql:\/\/(\w+)@\/(\w+)\?host=([^&]+)&port=(\d+)$/.exec(url);
  return { user, database, host, port: Number(port) };
}

const secret = 'a secret of this run alone, thirty-two bytes and more';

function buildplan({ postgres, redisQueue, redisCache }, port) {
  return {
    command: binary,
    args: ['serve'],
    env: {
      BUILDPLAN_HTTP_PORT: String(port),
      BUILDPLAN_HTTP_ADDRESS: '127.0.0.1',
      BUILDPLAN_HTTP_SHARDS: String(cores),
      BUILDPLAN_POSTGRES_APP_URL: postgres.app,
      BUILDPLAN_POSTGRES_SYSTEM_URL: postgres.system,
      BUILDPLAN_REDIS_QUEUE_URL: redisQueue,
      BUILDPLAN_REDIS_CACHE_URL: redisCache,
      BUILDPLAN_API_SECRET: secret,
    },
  };
}

// Connections of a process (of node-best those that write): what was quickest.
const peer = (name, connections) => ({ postgres, redisCache }, port, tokens) => ({
  command: node,
  args: [join(here, `node-${name}/server.mjs`)],
  env: {
    NODE_ENV: 'production',
    PEER_CONFIG: JSON.stringify({
      name, port, workers: cores, connections, secret,
      app: parts(postgres.app),
      system: parts(postgres.system),
      redis: redisCache.replace(/^unix:/, ''),
      publicKey: tokens.pem,
      issuer: tokens.issuer,
      audience: tokens.audience,
      statements: forPeers(),
    }),
  },
});

export const contestants = { BuildPlan: buildplan, 'node-best': peer('best', 8), 'node-spec': peer('spec', 8) };

// Started `starts` times for the time to the first answer, and left running the last time.
export async function start(name, endpoints, tokens, { scratch, starts }) {
  const port = await freePort();
  const how = contestants[name](endpoints, port, tokens);
  const log = join(scratch, `${name}.log`);
  const base = `http://127.0.0.1:${port}`;
  const times = [];
  let server;
  for (let i = 0; i < starts; ++i) {
    if (server) await server.stop();
    server = new Server(how.command, how.args, { env: how.env, log });
    times.push(await server.answers(`${base}/health`));
  }
  return { name, base, server, times, log, idle: () => rssOf(server.pid) };
}
