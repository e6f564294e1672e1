// script/bench queue: our client of BullMQ beside the npm package, on one Redis, in turns. Figures: jobs a second, client
// CPU in ms for 1,000 jobs, and the medians of their ratios.
import { execFileSync } from 'node:child_process';
import { startRedis } from '../../tests/interop/bullmq/support/redis.mjs';

const rounds = Number(process.argv[2] ?? 3);
const ours = new URL('../../build/release/bench/bench_queue', import.meta.url).pathname;
const theirs = new URL('client.mjs', import.meta.url).pathname;
const redis = await startRedis();
const url = redis.url();
const measure = (program, ...args) => JSON.parse(execFileSync(program, args, { encoding: 'utf8' }).trim().split('\n').at(-1));
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

console.log('                          ours            npm            jobs/s   CPU a job');
for (const [what, jobs, width] of [['add', 40_000, 50], ['bulk', 40_000, 500], ['work', 20_000, 1], ['work', 40_000, 50]]) {
  const runs = [];
  for (let i = 0; i < rounds; ++i) {
    const npm = measure(process.execPath, theirs, url, what, String(jobs), String(width));
    runs.push({ npm, our: measure(ours, url, what, String(jobs), String(width)) });
  }
  const of = (pick) => median(runs.map(pick));
  const figures = (who) => `${of((r) => r[who].rate)}/s ${of((r) => r[who].cpu).toFixed(1)} ms`;
  const rate = of((r) => r.our.rate / r.npm.rate).toFixed(2);
  const cpu = of((r) => r.npm.cpu / r.our.cpu).toFixed(1);
  console.log(`${`${what}, ${width} at once`.padEnd(20)} ${figures('our').padEnd(18)} ${figures('npm').padEnd(18)} ${rate}x    1/${cpu}`);
}
await redis.stop();
process.exit(0);
