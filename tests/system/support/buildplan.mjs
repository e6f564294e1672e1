// Starts the real binary on a data folder of its own, and takes it down again whatever happens.
import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const binary = process.env.BUILDPLAN_BINARY ?? new URL('../../../build/release/buildplan', import.meta.url).pathname;

// Sanitized builds are slower; bounds on time are widened by this factor and by nothing else.
export const slowness = binary.includes('/asan/') || binary.includes('/tsan/') ? 4 : 1;

const running = new Set();
process.on('exit', () => {
  for (const child of running) kill(child.pid, 'SIGKILL');
});

export function kill(pid, signal = 'SIGKILL') {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export function dataFolder() {
  return mkdtempSync(join(tmpdir(), 'bp-system-'));
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
}

// All descendants of a process, nearest first.
export function descendants(pid) {
  const out = [];
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const children = new Map();
  for (const line of lines) {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), child]);
  }
  const queue = [pid];
  while (queue.length > 0) {
    for (const child of children.get(queue.shift()) ?? []) {
      out.push(child);
      queue.push(child);
    }
  }
  return out;
}

// Processes whose command line names the folder, e.g. the servers that a killed `up` left behind.
export function processesOf(folder) {
  return execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes(folder) && !line.includes('ps -eo'))
    .map((line) => Number(line.split(/\s+/)[0]));
}

export class Process {
  constructor(args, { env = {} } = {}) {
    this.output = '';
    this.started = performance.now();
    this.child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => (this.output += text));
    }
    this.exited = new Promise((resolve) =>
      this.child.on('close', (code, signal) => {
        running.delete(this.child);
        this.ended = { code, signal };
        resolve(this.ended);
      }),
    );
  }

  get pid() {
    return this.child.pid;
  }

  async exit(within = 30_000) {
    const bound = new AbortController();
    const late = sleep(within, 'late', { signal: bound.signal }).catch(() => 'late');
    const end = await Promise.race([this.exited, late]);
    bound.abort();
    if (end === 'late') throw new Error(`still running after ${within} ms:\n${this.output}`);
    return end;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.ended) this.child.kill(signal);
    return this.exit();
  }
}

// Asks `check` again and again until it answers something true.
export async function until(check, { within = 10_000, every = 10, what = 'condition' } = {}) {
  const end = performance.now() + within;
  let last;
  for (;;) {
    try {
      const found = await check();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`${what}: not within ${within} ms${last ? ` (${last.message})` : ''}`);
    await sleep(every);
  }
}

// `buildplan up` on a folder, ready to be called.
export class Up extends Process {
  constructor(folder, args = [], options = {}) {
    super(['up', '--data', folder, '--port', '0', ...args], options);
    this.folder = folder;
  }

  static async start(folder = dataFolder(), args = [], options = {}) {
    const endpoints = join(folder, 'run', 'endpoints.json');
    rmSync(endpoints, { force: true });
    const up = new Up(folder, args, options);
    await until(
      async () => {
        if (up.ended) return true;
        if (!existsSync(endpoints)) return false;
        up.endpoints = JSON.parse(readFileSync(endpoints, 'utf8'));
        return (await fetch(`${up.endpoints.api}/ready`)).status === 200;
      },
      { within: 40_000 * slowness, every: 5, what: 'ready' },
    );
    if (up.ended) throw new Error(`buildplan up ended: ${JSON.stringify(up.ended)}\n${up.output}`);
    up.readyAfter = performance.now() - up.started;
    return up;
  }

  get url() {
    return this.endpoints.api;
  }

  get key() {
    return readFileSync(join(this.folder, 'key'), 'utf8').trim();
  }

  // A call with the key of the first start; the answer with its body read.
  async call(method, path, { body, headers = {}, key = this.key } = {}) {
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body !== undefined ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await answer.text();
    let json;
    try {
      json = JSON.parse(text);
    } catch {
      json = undefined;
    }
    return { status: answer.status, headers: answer.headers, text, json };
  }

  // The server processes by what they are.
  server(word) {
    return descendants(this.pid).find((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return args.includes(word);
      } catch {
        return false;
      }
    });
  }

  // Everything at once, as a power cut would.
  async killAll() {
    const all = [this.pid, ...descendants(this.pid)];
    for (const pid of all) kill(pid);
    await this.exit();
    for (const pid of processesOf(this.folder)) kill(pid);
    await until(() => processesOf(this.folder).length === 0, { what: 'all processes gone' });
  }
}
