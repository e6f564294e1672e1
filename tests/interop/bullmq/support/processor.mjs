// What the tests' jobs do is written in their data; peer/read.cpp reads it the same way.
import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, Queue, RateLimitError, UnrecoverableError, WaitingChildrenError } from 'bullmq';

export function processor({ connection, prefix }) {
  return async (job, token, signal) => {
    const data = job.data ?? {};
    if (job.name === 'ping') return { pong: true };
    if ('progress' in data) await job.updateProgress(data.progress);
    if ('log' in data) await job.log(data.log);
    if ('update' in data) await job.updateData(data.update);
    if ('sleep' in data) await sleep(data.sleep, undefined, { signal });
    if ('delayOnce' in data && job.attemptsStarted === 1) {
      await job.moveToDelayed(Date.now() + data.delayOnce, token);
      throw new DelayedError();
    }
    if ('limitOnce' in data && job.attemptsStarted === 1) {
      await job.queue.rateLimit(data.limitOnce);
      throw new RateLimitError();
    }
    if ('unrecoverable' in data) throw new UnrecoverableError(data.unrecoverable);
    if ('fail' in data && job.attemptsMade < (data.times ?? 1e6)) throw new Error(data.fail);
    if ('addChildren' in data && job.attemptsStarted === 1) {
      for (const child of data.addChildren) {
        const queue = new Queue(child.queueName, { connection, prefix, skipMetasUpdate: true });
        await queue.add(child.name, child.data, { ...child.opts, parent: { id: job.id, queue: job.queueQualifiedName } });
        await queue.close();
      }
      if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    }
    if (data.children || 'addChildren' in data) return job.getChildrenValues();
    return 'returns' in data ? data.returns : null;
  };
}
