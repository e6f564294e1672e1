// Two clients that do the same: `theirs` is the npm package, `ours` is peer/. Each is called as
// `side.do(what, {queue, …})`, so that a test runs one sequence of calls on both.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { FlowProducer, Job, Queue, QueueEvents, QueueEventsProducer, Worker } from 'bullmq';
import { binary } from '../../../system/support/buildplan.mjs';
import { processor } from './processor.mjs';

export async function ours(redis, prefix, database = 0) {
  const child = spawn(join(dirname(binary), 'tests', 'bullmq_peer'), [redis.url(database)], { stdio: ['pipe', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill('SIGKILL'));
  const waiting = new Map();
  const listeners = new Map();
  let calls = 0;
  let ready;
  const started = new Promise((resolve) => (ready = resolve));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = JSON.parse(text);
    if (line.ready) return ready();
    if ('listening' in line) return listeners.get(line.listening)(line);
    const { resolve, reject } = waiting.get(line.call);
    waiting.delete(line.call);
    if ('error' in line) reject(Object.assign(new Error(line.error), { code: line.code }));
    else resolve(line.value);
  });
  await started;
  const send = (what, args = {}, listener) => {
    const call = ++calls;
    if (listener) listeners.set(call, listener);
    child.stdin.write(`${JSON.stringify({ prefix, ...args, call, do: what })}\n`);
    return new Promise((resolve, reject) => waiting.set(call, { resolve, reject }));
  };
  return {
    name: 'ours',
    prefix,
    redis: redis.database(database),
    child,
    do: (what, args) => send(what, args),
    listen: (queue, listener) => send('listen', { queue }, (line) => listener(line.event, line.fields)),
    async close() {
      child.stdin.end();
      await new Promise((resolve) => (child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve()));
    },
  };
}

export async function theirs(redis, prefix, database = 0) {
  const connection = { ...redis.connection, db: database, maxRetriesPerRequest: null };
  const opened = [];
  const queues = new Map();
  const hands = new Map();
  const workers = [];
  const open = (thing) => {
    thing.on?.('error', () => {});
    opened.push(thing);
    return thing;
  };
  const queueOf = ({ queue, prefix: other = prefix, defaults }) => {
    const key = JSON.stringify([other, queue, defaults]);
    if (!queues.has(key)) {
      queues.set(key, open(new Queue(queue, { connection, prefix: other, skipMetasUpdate: true, defaultJobOptions: defaults })));
    }
    return queues.get(key);
  };
  const handOf = ({ queue, lock = 30_000, max = 1, interval = 1 }) => {
    const key = JSON.stringify([queue, lock, max, interval]);
    if (!hands.has(key)) {
      const options = { connection, prefix, autorun: false, lockDuration: lock, maxStalledCount: max, stalledInterval: interval };
      hands.set(key, open(new Worker(queue, null, options)));
    }
    return hands.get(key);
  };
  let flowProducer;
  const flows = () => (flowProducer ??= open(new FlowProducer({ connection, prefix })));
  const job = async (args) => {
    const found = await queueOf(args).getJob(args.id);
    if (!found) throw Object.assign(new Error(`Missing key for job ${args.id}`), { code: -1 });
    return found;
  };
  const taken = async (args) => Job.fromId(handOf(args), args.id);
  const shape = ({ job: { id }, children = [] }) => ({ id, children: children.map(shape) });
  const states = (list) => list.map((each) => (each === 'waiting' ? 'wait' : each));

  const all = {
    async announce(args) {
      const queue = new Queue(args.queue, { connection, prefix });
      await queue.waitUntilReady();
      await queue.getVersion();
      await queue.close();
    },
    add: async (args) => (await queueOf(args).add(args.name, args.data, args.opts)).id,
    addBulk: async (args) => (await queueOf(args).addBulk(args.jobs)).map(({ id }) => id),
    addFlows: async (args) => (args.flows.length === 1 ? [await flows().add(args.flows[0])] : await flows().addBulk(args.flows)).map(shape),
    async getFlow(args) {
      const tree = ({ job: node, children = [] }) => ({ job: { id: node.id, name: node.name }, children: children.map(tree) });
      return tree(await flows().getFlow({ id: args.id, queueName: args.queue, prefix }));
    },
    upsertJobScheduler: async (args) => (await queueOf(args).upsertJobScheduler(args.id, args.repeat, args.template))?.id ?? null,
    getJobSchedulers: (args) => queueOf(args).getJobSchedulers(0, -1, true),
    getJobScheduler: (args) => queueOf(args).getJobScheduler(args.id),
    removeJobScheduler: (args) => queueOf(args).removeJobScheduler(args.id),
    async job(args) {
      const found = await queueOf(args).getJob(args.id);
      return found ? JSON.parse(JSON.stringify(found.asJSON())) : null;
    },
    jobs: async (args) => (await queueOf(args).getJobs(states(args.states), args.start ?? 0, args.end ?? -1, args.asc ?? false)).map(({ id }) => ({ id })),
    state: (args) => queueOf(args).getJobState(args.id),
    counts: (args) => queueOf(args).getJobCounts(...args.states),
    async waitUntilFinished(args) {
      const events = new QueueEvents(args.queue, { connection, prefix });
      try {
        const value = await (await job(args)).waitUntilFinished(events, args.ttl ?? 10_000);
        return { state: 'completed', value: JSON.stringify(value) };
      } catch (error) {
        return { state: 'failed', value: error.message };
      } finally {
        await events.close();
      }
    },
    logs: (args) => queueOf(args).getJobLogs(args.id, args.start ?? 0, args.end ?? -1, !args.desc),
    pause: (args) => queueOf(args).pause(),
    resume: (args) => queueOf(args).resume(),
    drain: (args) => queueOf(args).drain(args.delayed),
    obliterate: (args) => queueOf(args).obliterate({ force: args.force }),
    promoteJobs: (args) => queueOf(args).promoteJobs(),
    retryJobs: (args) => queueOf(args).retryJobs({ state: args.state }),
    isPaused: (args) => queueOf(args).isPaused(),
    isMaxed: (args) => queueOf(args).isMaxed(),
    clean: (args) => queueOf(args).clean(args.grace ?? 0, args.limit ?? 0, args.state),
    trimEvents: (args) => queueOf(args).trimEvents(args.most),
    setGlobalConcurrency: (args) => queueOf(args).setGlobalConcurrency(args.most),
    removeGlobalConcurrency: (args) => queueOf(args).removeGlobalConcurrency(),
    setGlobalRateLimit: (args) => queueOf(args).setGlobalRateLimit(args.max, args.duration),
    rateLimit: (args) => queueOf(args).rateLimit(args.for),
    removeRateLimitKey: (args) => queueOf(args).removeRateLimitKey(),
    getRateLimitTtl: (args) => queueOf(args).getRateLimitTtl(),
    promote: async (args) => (await job(args)).promote(),
    changeDelay: async (args) => (await job(args)).changeDelay(args.delay),
    changePriority: async (args) => (await job(args)).changePriority({ priority: args.priority, lifo: args.lifo }),
    retry: async (args) => (await job(args)).retry(args.state ?? 'failed'),
    remove: async (args) => (await queueOf(args).remove(args.id)) === 1,
    removeUnprocessedChildren: async (args) => (await job(args)).removeUnprocessedChildren(),
    removeChildDependency: async (args) => (await job(args)).removeChildDependency(),
    updateData: async (args) => (await job(args)).updateData(args.data),
    updateProgress: (args) => queueOf(args).updateJobProgress(args.id, args.progress),
    log: (args) => queueOf(args).addJobLog(args.id, args.line, args.keep),
    clearLogs: async (args) => (await job(args)).clearLogs(args.keep),
    getDeduplicationJobId: (args) => queueOf(args).getDeduplicationJobId(args.id),
    removeDeduplicationKey: async (args) => (await queueOf(args).removeDeduplicationKey(args.id)) > 0,
    async publish(args) {
      const producer = new QueueEventsProducer(args.queue, { connection, prefix });
      await producer.publishEvent({ eventName: args.name, text: args.text });
      await producer.close();
    },
    async take(args) {
      const found = await handOf(args).getNextJob(args.token ?? 'token', { block: false });
      return found ? JSON.parse(JSON.stringify(found.asJSON())) : null;
    },
    complete: async (args) => void (await (await taken(args)).moveToCompleted(args.value, args.token ?? 'token', args.fetchNext ?? false)),
    async fail(args) {
      const found = await taken(args);
      found.opts.attempts = 0; // by hand it fails for good
      await found.moveToFailed(new Error(args.reason), args.token ?? 'token', args.fetchNext ?? false);
    },
    giveBack: async (args) => void (await (await taken(args)).moveToWait(args.token ?? 'token')),
    delay: async (args) => void (await handOf(args).backend.moveToDelayed(args.id, Date.now(), args.delay, args.token ?? 'token', { skipAttempt: true })),
    extendLock: async (args) => (await taken(args)).extendLock(args.token ?? 'token', args.lock),
    stalled: (args) => handOf(args).backend.moveStalledJobsToWait(),
    work(args) {
      const worker = open(
        new Worker(args.queue, processor({ connection, prefix }), {
          connection,
          prefix,
          concurrency: args.concurrency ?? 1,
          ...(args.name && { name: args.name }),
          lockDuration: args.lockDuration ?? 30_000,
          stalledInterval: args.stalledInterval ?? 30_000,
          maxStalledCount: args.maxStalledCount ?? 1,
          drainDelay: (args.idle ?? 5_000) / 1000,
          ...(args.limiter && { limiter: args.limiter }),
          ...(args.metrics && { metrics: { maxDataPoints: args.metrics } }),
        }),
      );
      return workers.push(worker);
    },
    stop: (args) => workers[args.worker - 1].close(),
    cancel: (args) => workers[args.worker - 1].cancelJob(args.id, args.reason),
  };
  return {
    name: 'theirs',
    prefix,
    redis: redis.database(database),
    do: async (what, args) => all[what](args),
    async listen(queue, listener) {
      const events = open(new QueueEvents(queue, { connection, prefix, lastEventId: '0-0' }));
      await events.waitUntilReady();
      const emit = events.emit.bind(events);
      events.emit = (event, fields, ...rest) => {
        listener(String(event), fields);
        return emit(event, fields, ...rest);
      };
    },
    async close() {
      await Promise.allSettled(opened.map((thing) => thing.close(true)));
    },
  };
}
