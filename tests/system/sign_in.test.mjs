// Somebody's way in, on the real binary: what `up` says of the mails, and what outlives a restart.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Up, dataFolder, removeFolder, until } from './support/buildplan.mjs';

const folders = [];
function folder() {
  const made = dataFolder();
  folders.push(made);
  return made;
}
test.after(() => folders.forEach(removeFolder));

const ada = { name: 'Ada Lovelace', email: 'ada@example.com', password: 'a long and quiet afternoon' };

async function post(up, path, body, token) {
  const response = await fetch(up.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

async function me(up, token) {
  const response = await fetch(`${up.url}/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, json: await response.json() };
}

// The token of the last letter of that kind that was told at the terminal.
async function mailed(up, subject) {
  const line = new RegExp(`Mail to ada@example\\.com: ${subject}: curl (\\S+) --json '{"token": "([\\w-]+)"`);
  await until(() => line.test(up.output), { within: 10_000, what: `a mail: ${subject}` });
  const [, link, token] = up.output.match(line);
  assert.ok(link.startsWith(up.url), link);
  return token;
}

test('register, verify, forget the password, sign in again, and stay signed in over a restart', async () => {
  const data = folder();
  const up = await Up.start(data, ['--shards', '2']);
  const made = await post(up, '/auth/register', { ...ada, organizationName: 'Analytical Engines' });
  assert.equal(made.status, 201, made.text);
  assert.equal((await me(up, made.json.token)).json.user.emailVerified, false);

  assert.equal((await post(up, '/auth/verify-email', { token: await mailed(up, 'verify your address') })).status, 204);
  assert.equal((await me(up, made.json.token)).json.user.emailVerified, true);

  assert.equal((await post(up, '/auth/forgot-password', { email: 'ADA@example.com' })).status, 202);
  const token = await mailed(up, 'set a new password');
  assert.equal((await post(up, '/auth/reset-password', { token, newPassword: 'a short and loud morning' })).status, 204);
  // Whichever shard is asked.
  for (let i = 0; i < 8; ++i) {
    await until(async () => (await me(up, made.json.token)).status === 401, { within: 1000, what: 'the old session ends' });
  }
  assert.equal((await post(up, '/auth/login', { email: ada.email, password: ada.password })).status, 401);
  const again = await post(up, '/auth/login', { email: ada.email, password: 'a short and loud morning' });
  assert.equal(again.status, 200, again.text);
  assert.equal(again.json.organizations[0].name, 'Analytical Engines');
  await up.stop();

  const later = await Up.start(data, ['--shards', '2']);
  assert.equal((await me(later, again.json.token)).status, 200, 'the token holds');
  const renewed = await post(later, '/auth/refresh', { refreshToken: again.json.refreshToken });
  assert.equal(renewed.status, 200, renewed.text);
  assert.equal((await post(later, '/auth/logout', {}, renewed.json.token)).status, 204);
  await until(async () => (await me(later, again.json.token)).status === 401, { within: 1000, what: 'the session ends' });
  assert.equal((await post(later, '/auth/refresh', { refreshToken: renewed.json.refreshToken })).status, 401);
  await later.stop();
});

test('no secret is in the log', async () => {
  const data = folder();
  const up = await Up.start(data);
  const made = await post(up, '/auth/register', { ...ada, organizationName: 'Analytical Engines' });
  await post(up, '/auth/login', { email: ada.email, password: 'not the password' });
  const token = await mailed(up, 'verify your address');
  await post(up, '/auth/refresh', { refreshToken: made.json.refreshToken });
  await up.stop();
  const { readFileSync, readdirSync } = await import('node:fs');
  const logs = readdirSync(`${data}/logs`).map((name) => readFileSync(`${data}/logs/${name}`, 'utf8')).join('\n');
  assert.ok(logs.includes('/auth/register'));
  for (const secret of [ada.password, 'not the password', made.json.token, made.json.refreshToken, token, ada.email]) {
    assert.ok(!logs.includes(secret), `${secret} is in the log`);
  }
});
