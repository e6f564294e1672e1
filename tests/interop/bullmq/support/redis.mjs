// A Redis of the test file's own, gone with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Redis from 'ioredis';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'bp-bullmq-'));
  const port = await freePort();
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = spawn('redis-server', args.map(String), { stdio: 'ignore' });
  process.on('exit', () => server.kill('SIGKILL'));
  const connection = { host: '127.0.0.1', port };
  const client = new Redis({ ...connection, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on('error', () => {});
  for (let i = 0; i < 200; ++i) {
    if ((await Promise.race([client.ping().catch(() => ''), sleep(50)])) === 'PONG') break;
  }
  const opened = [client];
  return {
    port,
    connection,
    client,
    url: (database = 0) => `redis://127.0.0.1:${port}/${database}`,
    database(db) {
      const other = new Redis({ ...connection, db, maxRetriesPerRequest: null, retryStrategy: () => 20 });
      other.on('error', () => {});
      opened.push(other);
      return other;
    },
    async stop() {
      for (const each of opened) each.disconnect();
      server.kill('SIGKILL');
      await new Promise((resolve) => (server.exitCode === null && server.signalCode === null ? server.once('exit', resolve) : resolve()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
