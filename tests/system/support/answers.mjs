// Whether an answer is what a guide shows (the notation is told in guide.mjs), and whether the comparison would notice a
// page that is wrong.

// Differences are thrown as these; `kept` is only taken over when there is none.
class Difference extends Error {}
function differ(where, shown, real) {
  throw new Difference(`${where}\n  shown: ${typeof shown === 'string' ? shown : JSON.stringify(shown)}\n  real:  ${typeof real === 'string' ? real : JSON.stringify(real)}`);
}

const literally = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const placeholder = /…|<([a-z][A-Za-z0-9]*)>/g;

function matchText(shown, real, where, kept) {
  let pattern = '';
  let from = 0;
  const names = [];
  for (const found of shown.matchAll(placeholder)) {
    pattern += literally(shown.slice(from, found.index));
    pattern += found[1] ? '(.+?)' : '.+?';
    if (found[1]) names.push(found[1]);
    from = found.index + found[0].length;
  }
  pattern += literally(shown.slice(from));
  const match = typeof real === 'string' ? new RegExp(`^${pattern}$`, 's').exec(real) : undefined;
  if (!match) differ(where, shown, real);
  names.forEach((name, i) => {
    if (kept.has(name) && kept.get(name) !== match[i + 1]) differ(`${where}: <${name}>`, kept.get(name), match[i + 1]);
    kept.set(name, match[i + 1]);
  });
}

// JSON in which a bare … stands for a value, or for further members or items.
const anything = '\u0000any';
const further = '\u0000further';
export function readShown(text) {
  const inside = [];
  let out = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|…|[\s\S]/g)) {
    if (token === '{' || token === '[') inside.push(token);
    if (token === '}' || token === ']') inside.pop();
    if (token !== '…') out += token;
    else if (out.trimEnd().endsWith(':')) out += JSON.stringify(anything);
    else out += inside.at(-1) === '[' ? JSON.stringify(further) : `${JSON.stringify(further)}:true`;
  }
  return JSON.parse(out);
}

function matchJson(shown, real, where, kept) {
  if (shown === anything) return;
  if (typeof shown === 'string') return matchText(shown, real, where, kept);
  if (shown === null || typeof shown !== 'object') return shown === real ? undefined : differ(where, shown, real);
  if (real === null || typeof real !== 'object' || Array.isArray(shown) !== Array.isArray(real)) differ(where, shown, real);
  if (Array.isArray(shown)) {
    const open = shown.includes(further);
    const items = shown.filter((item) => item !== further);
    if (open ? real.length < items.length : real.length !== items.length) differ(`${where}: how many`, items.length, real.length);
    items.forEach((item, i) => matchJson(item, real[i], `${where}/${i}`, kept));
    return;
  }
  const open = further in shown;
  for (const [name, value] of Object.entries(shown)) {
    if (name === further) continue;
    if (!(name in real)) differ(`${where}/${name}`, value, 'not there');
    matchJson(value, real[name], `${where}/${name}`, kept);
  }
  for (const name of Object.keys(real)) if (!open && !(name in shown)) differ(`${where}/${name}`, 'not shown', real[name]);
}

function matchLines(shown, real, kept) {
  const wanted = shown.split('\n');
  const lines = real.replace(/\n+$/, '').split('\n');
  let at = 0;
  wanted.forEach((line, i) => {
    if (line !== '…') return matchText(line, lines[at++] ?? 'nothing', `line ${i + 1}`, kept);
    const left = wanted.slice(i + 1).filter((other) => other !== '…').length;
    at = Math.max(at, lines.length - left);
  });
  if (at < lines.length) differ('a line more', 'nothing', lines[at]);
}

function matchHttp(shown, real, kept) {
  const parts = (text) => {
    const [head, ...body] = text.replaceAll('\r\n', '\n').split('\n\n');
    const [status, ...headers] = head.trimEnd().split('\n');
    return { status, headers: headers.map((line) => line.split(/:\s*(.*)/s)), body: body.join('\n\n').trim() };
  };
  const wanted = parts(shown);
  const answer = parts(real);
  if (wanted.status !== answer.status) differ('the status line', wanted.status, `${answer.status}\n${answer.body}`);
  for (const [name, value] of wanted.headers) {
    const same = answer.headers.filter(([other]) => other.toLowerCase() === name.toLowerCase());
    const attempts = same.map(([, sent]) => {
      const tried = new Map(kept);
      try {
        matchText(value, sent, name, tried);
        return tried;
      } catch {
        return undefined;
      }
    });
    const found = attempts.find(Boolean);
    if (!found) differ(`the header ${name}`, value, same.map(([, sent]) => sent).join(' | ') || 'not there');
    for (const [key, text] of found) kept.set(key, text);
  }
  if (wanted.body === '…' && answer.body !== '') return;
  if (wanted.body === '' || answer.body === '') {
    if (wanted.body !== answer.body) differ('the body', wanted.body || 'none', answer.body || 'none');
    return;
  }
  const type = answer.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (!/^application\/(problem\+)?json(;|$)/.test(type)) return matchLines(wanted.body, answer.body, kept);
  matchJson(readShown(wanted.body), JSON.parse(answer.body), '', kept);
}

// What `<names>` stood for, with those that were known; throws what differs.
export function compare({ kind, text }, real, known = new Map()) {
  const kept = new Map(known);
  if (kind === 'http') matchHttp(text, real, kept);
  else if (kind === 'json') matchJson(readShown(text), JSON.parse(real), '', kept);
  else matchLines(text, real, kept);
  return kept;
}

// The same answer told wrongly in every way that a page can be wrong in, one at a time.
export function* wronglyTold({ kind, text }) {
  const told = (changed) => ({ kind, text: changed });
  if (kind === 'text') {
    for (const [i, line] of text.split('\n').entries()) {
      const lines = text.split('\n');
      if (line !== '…') yield told(lines.with(i, `${line}x`).join('\n'));
    }
    yield told(`${text}\nand more`);
    return;
  }
  const [head, ...rest] = kind === 'http' ? text.split('\n\n') : ['', text];
  const body = rest.join('\n\n');
  const whole = (newHead, newBody) => told(kind === 'http' ? [newHead, newBody].filter((part) => part !== '').join('\n\n') : newBody);
  if (kind === 'http') {
    yield whole(head.replace(/ (\d)(\d\d)/, (_, first, last) => ` ${(Number(first) % 5) + 1}${last}`), body);
    const lines = head.split('\n');
    for (let i = 1; i < lines.length; ++i) {
      yield whole(lines.with(i, `X-${lines[i]}`).join('\n'), body);
      if (!lines[i].endsWith('…') && !lines[i].endsWith('>')) yield whole(lines.with(i, `${lines[i]}x`).join('\n'), body);
    }
    if (body === '') yield whole(head, '{}');
    if (body === '' || body === '…') return;
    yield whole(head, '');
  }
  let json;
  try {
    json = readShown(body);
  } catch {
    yield whole(head, `${body}\nand more`);
    return;
  }
  const write = (value) => JSON.stringify(value).replaceAll(JSON.stringify(anything), '…').replaceAll(`${JSON.stringify(further)}:true`, '…').replaceAll(JSON.stringify(further), '…');
  for (const changed of changesOf(json)) yield whole(head, write(changed));
}

function* changesOf(value) {
  if (value === anything || value === further || value === true) {
    if (value === true) yield false;
    return;
  }
  if (typeof value === 'string') {
    if (!/^…$|…$|>$/.test(value)) yield `${value}x`;
    yield 4711;
  } else if (typeof value === 'number') yield value + 1;
  else if (value === null || value === false) yield 'something';
  else if (Array.isArray(value)) {
    const items = value.filter((item) => item !== further);
    if (items.length === value.length) yield [...value, 'one more'];
    for (const [i, item] of value.entries()) for (const changed of changesOf(item)) yield value.with(i, changed);
  } else {
    if (!(further in value)) for (const name of Object.keys(value)) yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== name));
    yield { ...value, notThere: 1 };
    for (const [name, member] of Object.entries(value)) {
      if (name === further) continue;
      for (const changed of changesOf(member)) yield { ...value, [name]: changed };
    }
  }
}

// Times and ids of an answer that are not written as the page on conventions says.
export function unconventional(value, where = '') {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const path = `${where}/${name}`;
    if (typeof member !== 'string') return unconventional(member, path);
    const time = /(^at|At|^period|PeriodStart|PeriodEnd)$/.test(name) && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(member);
    const id = name === 'id' && !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(member);
    return time || id ? [`${path}: ${member}`] : [];
  });
}
