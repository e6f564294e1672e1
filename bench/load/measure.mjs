// What the load benches share: programs that are started, watched and ended, what they cost, wrk and pgbench.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../tests/system/support/buildplan.mjs';

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const statOf = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');

function familyOf(root) {
  const children = readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && Number(statOf(entry)[1]) === root;
    } catch {
      return false;
    }
  });
  return [root, ...children.map(Number)];
}

function sum(pids, what) {
  return pids.reduce((total, pid) => {
    try {
      return total + what(pid);
    } catch {
      return total; // it ended meanwhile
    }
  }, 0);
}

// CPU seconds of a process and its children, those that ended included; PostgreSQL's backends are children of its
// first process, and so are a Node cluster's workers.
export const cpuOf = (root) =>
  sum(familyOf(root), (pid) => {
    const fields = statOf(pid);
    const own = Number(fields[11]) + Number(fields[12]);
    return (pid === root ? own + Number(fields[13]) + Number(fields[14]) : own) / ticks;
  });
// In MiB.
export const rssOf = (root) =>
  sum(familyOf(root), (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);

export const postmasterOf = (folder) => Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// Ctrl-C ends what runs now; whoever measures looks here between two steps and takes everything down in order.
export const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopped.abort(new Error('interrupted')));

// A server whose output goes to a file, as it does where it is run for others.
export class Server {
  constructor(command, args, { env, log, cwd }) {
    const file = openSync(log, 'a');
    this.began = performance.now();
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', file, file] });
    closeSync(file);
    running.add(this.child);
    this.log = log;
    this.exited = new Promise((resolve) => {
      const end = (how) => {
        running.delete(this.child);
        this.ended = true;
        resolve(how);
      };
      this.child.on('exit', end);
      this.child.on('error', end);
    });
  }

  get pid() {
    return this.child.pid;
  }

  // Milliseconds from the start to the first answer.
  async answers(url) {
    await until(
      async () => {
        if (this.ended) return true;
        return (await fetch(url)).status === 200;
      },
      { every: 1, within: 20_000, what: url },
    );
    if (this.ended) throw new Error(`${this.child.spawnfile} ended:\n${readFileSync(this.log, 'utf8').slice(-2000)}`);
    return performance.now() - this.began;
  }

  async stop() {
    if (!this.ended) this.child.kill('SIGTERM');
    const late = sleep(15_000, 'late', { ref: false });
    if ((await Promise.race([this.exited, late])) === 'late') {
      this.child.kill('SIGKILL');
      await this.exited;
    }
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// Runs it to its end and gives what it wrote.
export async function run(command, args, options = {}) {
  stopped.signal.throwIfAborted();
  const child = spawn(command, args, { ...options, stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] });
  running.add(child);
  if (options.input !== undefined) child.stdin.end(options.input);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  running.delete(child);
  stopped.signal.throwIfAborted();
  if (code !== 0) throw new Error(`${command} ${args.join(' ').slice(0, 200)}: exit ${code}\n${out.slice(-2000)}${err.slice(-4000)}`);
  return { out, err };
}

const report = `
done = function(summary, latency)
  io.stderr:write(string.format("RESULT %d %d %f %f %d\\n", summary.requests, summary.duration, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`;

// `lua` says what is asked; the file is `path`.
export async function wrk(path, url, lua, { connections, seconds }) {
  writeFileSync(path, lua + report);
  const { out, err } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', path, url]);
  const found = /RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)/.exec(err);
  if (!found) throw new Error(`wrk: ${out}${err}`);
  const [requests, micros, p50, p99, errors] = found.slice(1).map(Number);
  return { rate: requests / (micros / 1e6), p50, p99, errors, requests };
}

// One transaction after the other on each of 16 connections, pipelined and prepared. `before` are lines for each, outside.
export async function pgbench(path, url, statements, { seconds, before = [], variables = {} }) {
  writeFileSync(path, [...before, '\\startpipeline', ...statements, '\\endpipeline', ''].join('\n'));
  const given = Object.entries(variables).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const { out, err } = await run('pgbench', ['-n', '-M', 'prepared', '-c', '16', '-j', '1', '-T', String(seconds), ...given, '-f', path, url]);
  const rate = /tps = ([\d.]+)/.exec(out);
  const requests = /transactions actually processed: (\d+)/.exec(out);
  const average = /latency average = ([\d.]+) ms/.exec(out);
  if (!rate || !requests) throw new Error(`pgbench: ${out}${err}`);
  return { rate: Number(rate[1]), p50: NaN, p99: NaN, mean: Number(average?.[1]), errors: 0, requests: Number(requests[1]) };
}
