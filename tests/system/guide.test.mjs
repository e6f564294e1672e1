// What docs/guides says is what happens: every example of these pages is run, in order, against a fresh
// `buildplan up`, and its answer is compared with the one that is shown.
import assert from 'node:assert/strict';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { compare, unconventional, wronglyTold } from './support/answers.mjs';
import { Shell, carelessIn, examplesOf, guide } from './support/guide.mjs';
import { Up, binary, dataFolder, removeFolder, slowness, until } from './support/buildplan.mjs';

const pages = ['api.md', 'organizations-and-roles.md', 'limits-and-usage.md', 'audit.md'];
const address = 'http://127.0.0.1:8080'; // as the pages have it

// The letters that `up` has told of since the last time, as the page shows them.
async function letters(up, told, shown) {
  const all = () => up.output.split('\n').filter((line) => line.startsWith('Mail to ')).slice(told.count);
  await until(() => all().length >= shown.split('\n').length, { what: `a letter like ${shown}` });
  const lines = all().slice(0, shown.split('\n').length);
  told.count += lines.length;
  return lines.join('\n').replaceAll(up.url, address);
}

// What is counted by the hour or the minute is not to be counted in two of them.
async function awayFromTheEnd(length, needed) {
  const left = length - (Date.now() % length);
  if (left < needed * slowness) await sleep(left + 100);
}

for (const page of pages) {
  test(`${page}: every example is answered as it says`, async (t) => {
    const { examples } = examplesOf(guide(page));
    assert.ok(examples.length > 0, 'it has examples');
    await awayFromTheEnd(3_600_000, 60_000);
    const up = await Up.start(dataFolder());
    const place = mkdtempSync(join(tmpdir(), 'bp-guide-'));
    symlinkSync(up.folder, join(place, '.buildplan'));
    const shell = new Shell({ cwd: place, env: { HOME: place, PATH: `${dirname(binary)}:${process.env.PATH}`, LC_ALL: 'C.UTF-8' } });
    const wrong = [];
    const told = { count: 0 };
    let kept = new Map();
    let mutations = 0;
    try {
      for (const example of examples) {
        await awayFromTheEnd(60_000, 4_000);
        const ran = await shell.run(example.script.replaceAll(address, up.url));
        const out = ran.out.replaceAll(up.url, address);
        const refused = example.answers.some((answer) => answer.kind === 'http' && /^HTTP\/1.1 [45]/.test(answer.text));
        if (ran.code !== (refused ? 22 : 0)) wrong.push(`line ${example.line}: exit code ${ran.code}\n${out}${ran.err}`);
        for (const answer of example.answers) {
          try {
            const mail = answer.text.startsWith('Mail to ');
            const real = mail ? await letters(up, told, answer.text) : out;
            const before = kept;
            kept = compare(answer, real, before);
            for (const [name, value] of kept) if (before.get(name) !== value) await shell.set(name, value);
            for (const other of wronglyTold(answer)) {
              ++mutations;
              assert.throws(() => compare(other, real, before), `line ${answer.line}: would also be believed:\n${other.text}`);
            }
            const [head, body] = out.split('\r\n\r\n');
            if (/^content-type: application\/(problem\+)?json(;|\r)/im.test(head)) {
              assert.deepEqual(unconventional(JSON.parse(body)), [], 'not as the conventions have it');
            }
          } catch (error) {
            wrong.push(`line ${answer.line}: ${error.message}`);
          }
        }
      }
    } finally {
      shell.end();
      await up.stop();
      removeFolder(up.folder);
      removeFolder(place);
    }
    t.diagnostic(`${examples.length} examples; ${mutations} wrong answers told apart`);
    assert.equal(wrong.length, 0, `docs/guides/${page}\n${wrong.join('\n')}`);
  });

  test(`${page}: examples can be copied, and fail where the call does`, () => {
    const { examples, others } = examplesOf(guide(page));
    assert.deepEqual(examples.flatMap(carelessIn), []);
    assert.deepEqual(others.filter((block) => block.kind !== '').map((block) => `line ${block.line}: ${block.kind}`), [], 'blocks that nobody runs');
  });
}

test('every section on conventions has an example', () => {
  const text = guide('api.md');
  const sections = text.split('\n').filter((line) => line.startsWith('## ')).map((line) => line.slice(3));
  const shown = new Set(examplesOf(text).examples.map((example) => example.section));
  assert.deepEqual(sections.filter((section) => !shown.has(section)), []);
});

test('what is said of problems and routes is in the OpenAPI document', async () => {
  const up = await Up.start(dataFolder());
  try {
    const problems = await (await fetch(`${up.url}/docs/problems`)).text();
    const there = new Set([...problems.matchAll(/id="([a-z-]+)"/g)].map(([, id]) => id).filter((id) => !['content', 'contents'].includes(id)));
    const listed = [...guide('api.md').matchAll(/^\| \d{3} \| (.*) \|/gm)].flatMap(([, row]) => [...row.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
    assert.deepEqual([...listed].sort(), [...there].sort(), 'the table of problems');

    const { paths } = await (await fetch(`${up.url}/openapi.json`)).json();
    for (const page of pages) {
      for (const { text, line } of examplesOf(guide(page)).others.filter((block) => block.kind === '')) {
        for (const row of text.split('\n')) {
          const [, method, path] = /^([A-Z]+) +(\/[^\s?]*)/.exec(row) ?? [];
          assert.ok(method && paths[path]?.[method.toLowerCase()], `${page}, line ${line}: no such route: ${row}`);
        }
      }
    }
  } finally {
    await up.stop();
    removeFolder(up.folder);
  }
});

test('a difference is found in each part of an answer, and nothing that is left open counts as one', () => {
  const real = 'HTTP/1.1 200 OK\r\nETag: "1.ab"\r\nContent-Type: application/json\r\n\r\n{"id":"7","list":[1,2],"more":{"a":null}}\n';
  const told = (text) => () => compare({ kind: 'http', text }, real, new Map([['known', '7']]));
  const head = 'HTTP/1.1 200 OK\nETag: "1.…"';
  for (const body of ['{"id": "…", "list": [1, 2], "more": {…}}', '{"id": "<known>", …}', '{"id": …, "list": […], "more": …}', '{"list": [1, …], …}', '…']) {
    assert.doesNotThrow(told(`${head}\n\n${body}`), body);
  }
  assert.equal(told(`${head}\n\n{"id": "<it>", …}`)().get('it'), '7');
  for (const text of ['HTTP/1.1 201 Created\n\n…', 'HTTP/1.1 200 OK\nETag: "2.…"\n\n…', 'HTTP/1.1 200 OK\nAllow: GET\n\n…', head,
    ...['{"id": "7", "list": [1, 2]}', '{"id": "8", …}', '{"other": …, …}', '{"list": [2, …], …}', '{"list": [1, 2, 3], …}', '{"more": {}, …}', '{"id": 7, …}'].map((body) => `${head}\n\n${body}`)]) {
    assert.throws(told(text), text);
  }
  assert.throws(() => compare({ kind: 'http', text: `${head}\n\n{"id": "<known>", …}` }, real, new Map([['known', '8']])));
  assert.throws(() => examplesOf('```json\n{}\n```'), /without an example/);
  assert.deepEqual(unconventional({ id: '7', at: '2026-11-25T22:25:40.449979+00:00', createdAt: '2026-11-25T22:25:40.449Z' }), ['/id: 7', '/at: 2026-11-25T22:25:40.449979+00:00']);
});
