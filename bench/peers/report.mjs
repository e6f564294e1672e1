// The page that the run prints and, with --write, docs/benchmarks.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { median } from '../load/measure.mjs';
import { cores, versions } from './contestants.mjs';
import { ratio, verdict } from './goals.mjs';
import { kinds } from './load.mjs';

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const cell = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '');
const of = (all, what) => median(all.map((each) => each[what]));
const many = (value) => value.toLocaleString('en-US');
const firstLine = (command, args) => execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0];

const titles = { list: 'list of 20', get: 'get one', create: 'create' };
const notes = { BuildPlan: '', 'node-best': '', 'node-spec': '', pgbench: ', pipelined' };

function measured({ results }) {
  const rows = kinds.flatMap((kind) =>
    Object.entries(results).map(([name, byKind]) => {
      const all = byKind[kind];
      const against = name === 'BuildPlan' ? '' : `${ratio(results, kind, 'BuildPlan', name, 'rate').toFixed(2)}x`;
      return [
        titles[kind], name + notes[name], cell(of(all, 'rate'), 0), against, cell(of(all, 'p50'), 1), cell(of(all, 'p99'), 1),
        cell(of(all, 'serverCpu'), 3), cell(of(all, 'postgresCpu'), 3), all.reduce((sum, each) => sum + each.errors, 0),
      ];
    }),
  );
  return table(['', '', 'requests/s', 'BuildPlan has', 'p50 ms', 'p99 ms', 'server CPU s/1000', 'PostgreSQL CPU s/1000', 'errors'], rows);
}

const processes = ({ servers }) =>
  table(['', 'first answer after start, ms', 'RSS idle, MB', 'RSS after the load, MB'],
    servers.map((each) => [each.name, cell(each.firstAnswerMs, 0), cell(each.idleRss, 1), cell(each.loadedRss, 1)]));

function judged(goals) {
  const shown = (goal, value) => goal.show(value);
  return table(['goal', 'at least', 'aim', 'measured', ''],
    goals.map((goal) => [goal.name, shown(goal, goal.atLeast), shown(goal, goal.aim), `**${shown(goal, goal.value)}**`, verdict(goal)]));
}

function sizeOf({ organizations, workspaces, bytes }) {
  return `${many(organizations)} organizations with ${many(workspaces)} workspaces each: ${many(organizations * workspaces)} rows, ${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB with everything`;
}

export function page(summary) {
  const { datasets, growthGoals, rounds, seconds, connections } = summary;
  const { node, best, spec } = versions();
  const goals = [...datasets.flatMap((each) => each.goals), ...growthGoals];
  const missed = goals.filter((goal) => !goal.holds).length;
  const command = ['script/bench peers', ...summary.arguments].join(' ');
  const lines = [
    `Made by \`${command}\`: ${rounds} round${rounds === 1 ? '' : 's'} of ${seconds} s for each line, after warming up; ${connections} connections; medians, and of ratios the median over the rounds.`,
    `${goals.length - missed} of ${goals.length} goals hold${missed ? `, ${missed} missed` : ''}.`,
    `Before it began, ${summary.busy.toFixed(1)} other processes wanted a core (load average).`,
    '',
    `${cpus()[0].model.trim()}, ${cores} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}; PostgreSQL ${summary.postgres}, shared_buffers ${summary.sharedBuffers} MB; ${firstLine('redis-server', ['--version']).split(' sha')[0]}.`,
    `Peers on Node ${node}. node-best: ${best}. node-spec: ${spec}.`,
  ];
  for (const dataset of datasets) {
    lines.push('', `## ${sizeOf(dataset)}`, '', measured(dataset), '', processes(dataset), '',
      `Sessions of BuildPlan found in a cache: ${(100 * dataset.hitRate).toFixed(1)} %.`, '', judged(dataset.goals));
  }
  if (growthGoals.length > 0) {
    const [small, large] = datasets;
    const factor = (large.organizations * large.workspaces) / (small.organizations * small.workspaces);
    lines.push('', `## Growth: ${many(Math.round(factor))} times the rows, ${large.organizations / small.organizations} times the tenants`, '', judged(growthGoals));
  }
  return lines.join('\n');
}

const document = new URL('../../docs/benchmarks.md', import.meta.url);
const begin = '<!-- What follows is written by script/bench peers --write. -->';

// What stands above the mark is written by people.
export function updateDocument(text) {
  const found = readFileSync(document, 'utf8');
  const at = found.indexOf(begin);
  if (at < 0) throw new Error(`${document.pathname} has no line "${begin}"`);
  writeFileSync(document, `${found.slice(0, at)}${begin}\n\n${text}\n`);
}
