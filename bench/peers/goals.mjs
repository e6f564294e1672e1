// The goals, and how near they are. A measure is a ratio of two that ran in the same round, and of these the median.
import { median } from '../load/measure.mjs';
import { kinds } from './load.mjs';

const upwards = (name, value, atLeast, aim, show) => ({ name, value, show, atLeast, aim, holds: value >= atLeast, near: value / aim });
const downwards = (name, value, atMost, aim, show) => ({ name, value, show, atLeast: atMost, aim, holds: value <= atMost, near: aim / value });

const times = (value) => `${value.toFixed(value < 10 ? 2 : 1)}x`;
const part = (value) => `1/${(1 / value).toFixed(1 / value < 10 ? 1 : 0)}`;
const percent = (value) => `${(100 * value).toFixed(0)} %`;

export function ratio(results, kind, whom, against, what) {
  const theirs = results[against][kind];
  return median(results[whom][kind].map((each, round) => each[what] / theirs[round][what]));
}

export function goalsOf(results, { starts, idle, hitRate }) {
  const against = (kind, peer, what) => ratio(results, kind, 'BuildPlan', peer, what);
  const all = [];
  for (const kind of kinds) {
    const [atLeast, aim] = kind === 'create' ? [9, 12] : [14, 20];
    all.push(upwards(`${kind}: requests/s against node-spec`, against(kind, 'node-spec', 'rate'), atLeast, aim, times));
  }
  for (const kind of kinds) {
    const [atLeast, aim] = kind === 'list' ? [2.8, 3.5] : [2, 2.5];
    all.push(upwards(`${kind}: requests/s against node-best`, against(kind, 'node-best', 'rate'), atLeast, aim, times));
  }
  all.push(upwards('list: requests/s against pipelined pgbench', against('list', 'pgbench', 'rate'), 0.6, 0.8, percent));
  for (const kind of kinds) all.push(downwards(`${kind}: server CPU against node-spec`, against(kind, 'node-spec', 'serverCpu'), 1 / 30, 1 / 45, part));
  for (const kind of kinds) all.push(downwards(`${kind}: server CPU against node-best`, against(kind, 'node-best', 'serverCpu'), 1 / 4, 1 / 6, part));
  for (const kind of kinds) all.push(downwards(`${kind}: p99 against node-best's`, against(kind, 'node-best', 'p99'), 1 / 3, 1 / 6, part));
  all.push(downwards('idle RSS of the server process', idle, 20, 15, (value) => `${value.toFixed(1)} MB`));
  all.push(downwards('first answer after start', median(starts), 150, 75, (value) => `${value.toFixed(0)} ms`));
  all.push(upwards('sessions found in a cache', hitRate, 0.8, 0.8, percent));
  return all;
}

// What a request costs with much more of everything, against what it costs with little.
export function growthOf(small, large) {
  const all = [];
  for (const kind of kinds) {
    const value = median(large.BuildPlan[kind].map((each, round) => cost(each) / cost(small.BuildPlan[kind][round])));
    all.push(downwards(`${kind}: CPU of server and PostgreSQL for a request, grown against small`, value, 1.3, 1.1, times));
  }
  return all;
}

const cost = (each) => each.serverCpu + each.postgresCpu;

export function verdict(goal) {
  const reached = goal.near >= 1 ? 'aim reached' : `${(100 * goal.near).toFixed(0)} % of the aim`;
  if (goal.holds) return `holds; ${reached}`;
  const short = goal.value < goal.atLeast ? 1 - goal.value / goal.atLeast : goal.value / goal.atLeast - 1;
  return `**missed** by ${(100 * short).toFixed(0)} %`;
}
