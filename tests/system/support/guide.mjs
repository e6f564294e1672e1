// The examples of docs/guides, and the shell that they are run in. An example is a fenced `sh` block; what it
// answers follows directly in blocks of these kinds:
//   http    the answer of its one `curl -i`: status line, the headers that matter, an empty line, the body
//   json    what it prints, as JSON
//   text    what it prints, line by line; lines that begin with "Mail to" are what `buildplan up` says meanwhile
// In an answer `…` stands for what is another one each time: within a string or a line, for a value, for further
// members (`{"id": "…", …}`), items or lines. `<name>` stands for the same and is kept: later examples have it as
// `$name`, and where an answer shows it again it is the same. What is not said to be left out is not there.
// Blocks without a word are lists of routes: every one must be in the OpenAPI document.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { slowness } from './buildplan.mjs';

const kinds = ['http', 'json', 'text'];

// [{ line, section, script, answers: [{ kind, line, text }] }], and the blocks that are no examples.
export function examplesOf(markdown) {
  const examples = [];
  const others = [];
  const lines = markdown.split('\n');
  let section = '';
  for (let at = 0; at < lines.length; ++at) {
    if (lines[at].startsWith('## ')) section = lines[at].slice(3);
    const fence = /^```(\w*)$/.exec(lines[at]);
    if (!fence) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: a block without an end`);
    const block = { kind: fence[1], line: at + 1, section, text: lines.slice(at + 1, end).join('\n') };
    const before = lines.slice(0, at).findLast((line) => line !== '');
    if (block.kind === 'sh') examples.push({ line: block.line, section, script: block.text, answers: [] });
    else if (kinds.includes(block.kind)) {
      if (before !== '```' || examples.length === 0) throw new Error(`line ${block.line}: an answer without an example`);
      examples.at(-1).answers.push(block);
    } else others.push(block);
    at = end;
  }
  return { examples, others };
}

// What somebody who copies from the page would stumble over.
export function carelessIn({ line, script, answers: shown }) {
  const wrong = [];
  const calls = script.match(/\bcurl\b/g)?.length ?? 0;
  if (calls > (script.match(/--fail-with-body/g)?.length ?? 0)) wrong.push('curl without --fail-with-body');
  if (calls > 0 && shown.length === 0 && !script.includes('$(')) wrong.push('a call whose answer is not shown');
  if (shown.some((answer) => answer.kind === 'http') && !/\bcurl (-s )?-[iI]\b/.test(script)) wrong.push('an http answer without curl -i');
  return wrong.map((what) => `line ${line}: ${what}`);
}

// One shell, which keeps its variables from example to example.
export class Shell {
  constructor(options) {
    this.child = spawn('bash', ['--noprofile', '--norc'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], ...options });
    this.out = '';
    this.err = '';
    this.status = '';
    const read = (stream, name) => stream.setEncoding('utf8').on('data', (text) => { this[name] += text; this.arrived?.(); });
    read(this.child.stdout, 'out');
    read(this.child.stderr, 'err');
    read(this.child.stdio[3], 'status');
    this.child.on('close', () => { this.closed = true; this.arrived?.(); });
  }

  async run(script) {
    this.out = this.err = this.status = '';
    const mark = `ended-${Math.random().toString(36).slice(2)}`;
    // The mark on every stream, so that all that was printed has arrived.
    this.child.stdin.write(`{ ${script}\n} </dev/null\nlast=$?; printf ${mark}; printf ${mark} >&2; printf '%s' "$last ${mark}" >&3\n`);
    const late = setTimeout(() => this.child.kill('SIGKILL'), 60_000 * slowness);
    while (![this.out, this.err, this.status].every((text) => text.endsWith(mark))) {
      if (this.closed) throw new Error(`the shell ended, or was ended after a minute:\n${script}\n${this.out}${this.err}`);
      await new Promise((resolve) => (this.arrived = resolve));
    }
    clearTimeout(late);
    const cut = (text) => text.slice(0, -mark.length);
    return { out: cut(this.out), err: cut(this.err), code: Number(cut(this.status)) };
  }

  async set(name, value) {
    await this.run(`${name}='${value.replaceAll("'", "'\\''")}'`);
  }

  end() {
    this.child.stdin.end();
  }
}

export function guide(name) {
  return readFileSync(new URL(`../../../docs/guides/${name}`, import.meta.url), 'utf8');
}
