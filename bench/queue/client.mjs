// The npm package's part; see client.cpp.
import { createRequire } from 'node:module';

const { Queue, Worker } = createRequire(new URL('../../tests/package.json', import.meta.url))('bullmq');
const [url, what, jobs, width] = [process.argv[2], process.argv[3], Number(process.argv[4]), Number(process.argv[5])];
const connection = { host: '127.0.0.1', port: Number(new URL(url).port), maxRetriesPerRequest: null };
const prefix = 'buildplan:{ORG}';
const data = { agentId: 'a1', organizationId: 'ORG', projectId: 'p1', input: { q: 'Summarise drawing A-101', tags: ['mep', 'l3'], n: 7 } };
const some = (count) => Array.from({ length: count }, () => ({ name: 'run', data }));
const watch = () => ({ begin: performance.now(), cpu: process.cpuUsage() });
function report({ begin, cpu }) {
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - begin) / 1000;
  console.log(JSON.stringify({ rate: Math.round(jobs / seconds), cpu: (user + system) / jobs }));
}

const queue = new Queue('agent-jobs', { connection, prefix });
await queue.obliterate({ force: true });
await queue.resume();
await queue.addBulk(some(500));
if (what === 'add') {
  const begin = watch();
  for (let left = jobs; left > 0; left -= width) await Promise.all(some(width).map(() => queue.add('run', data)));
  report(begin);
} else if (what === 'bulk') {
  const begin = watch();
  for (let left = jobs; left > 0; left -= width) await queue.addBulk(some(width));
  report(begin);
} else {
  for (let left = jobs + 1000; left > 0; left -= 500) await queue.addBulk(some(500));
  let done = 0;
  let begin;
  await new Promise((resolve) => {
    new Worker(
      'agent-jobs',
      async () => {
        ++done;
        if (done === 1000) begin = watch();
        if (done === 1000 + jobs) resolve(report(begin));
        return { ok: 1 };
      },
      { connection, prefix, concurrency: width, removeOnComplete: { count: 1000 } },
    );
  });
}
process.exit(0);
