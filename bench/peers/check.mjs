// Before anything is measured: all three do the same, refuse the same, and the tokens are like those of a sign-in.
import assert from 'node:assert/strict';
import { organizationId } from './crowd.mjs';

const header = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url'));
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

// Somebody registers; what their token is like.
export async function likeSignedIn(base) {
  const body = { name: 'Ada', email: 'ada@example.com', password: 'a long and quiet afternoon', organizationName: 'Engines' };
  const answer = await fetch(`${base}/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  assert.equal(answer.status, 201, await answer.clone().text());
  const { token } = await answer.json();
  return { token, issuer: claims(token).iss, audience: claims(token).aud };
}

async function ask(base, method, path, token, body) {
  const answer = await fetch(base + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : undefined };
}

const forged = (token) => token.slice(0, -4) + (token.endsWith('AAAA') ? 'BBBB' : 'AAAA');

export async function check(servers, tokens, signedIn) {
  const token = tokens.make(2);
  assert.deepEqual(Object.keys(claims(token)).sort(), Object.keys(claims(signedIn.token)).sort(), 'claims like those of a sign-in');
  assert.deepEqual(Object.keys(header(token)).sort(), Object.keys(header(signedIn.token)).sort(), 'header like that of a sign-in');

  const seen = [];
  for (const { name, base } of servers) {
    const list = await ask(base, 'GET', '/v1/workspaces?limit=20', token);
    assert.equal(list.status, 200, `${name} lists: ${JSON.stringify(list.json)}`);
    assert.equal(list.json.items.length, 20, name);
    assert.equal(typeof list.json.nextCursor, 'string', name);
    const { id } = list.json.items[3];
    const one = await ask(base, 'GET', `/v1/workspaces/${id}`, token);
    assert.deepEqual(one.json, list.json.items[3], name);
    for (const answer of [list, one]) {
      assert.equal(answer.headers.get('ratelimit-limit'), '100000', name);
      assert.ok(answer.headers.get('x-request-id'), name);
    }
    assert.equal((await ask(base, 'GET', `/v1/workspaces/${id}`, tokens.make(3))).status, 404, `${name}: another organization's`);
    assert.equal((await ask(base, 'GET', '/v1/workspaces')).status, 401, name);
    assert.equal((await ask(base, 'GET', '/v1/workspaces', forged(token))).status, 401, name);
    seen.push({ name, items: list.json.items, etag: one.headers.get('etag') });
  }
  for (const other of seen.slice(1)) {
    assert.deepEqual(other.items, seen[0].items, `${other.name} shows what BuildPlan shows`);
    assert.equal(other.etag, seen[0].etag, other.name);
  }
  for (const { name, base } of servers) {
    const made = await ask(base, 'POST', '/v1/workspaces', tokens.make(1), { name: `Check of ${name}`, description: 'Equal' });
    assert.equal(made.status, 201, `${name} creates: ${JSON.stringify(made.json)}`);
    assert.equal(made.json.slug, `check-of-${name.toLowerCase()}`, name);
    const again = await ask(servers[0].base, 'GET', `/v1/workspaces/${made.json.id}`, tokens.make(1));
    assert.deepEqual(again.json, made.json, `${name}: what was made is there`);
    assert.equal((await ask(base, 'POST', '/v1/workspaces', tokens.make(1), { name: '' })).status >= 400, true, name);
  }
  // The same was recorded, whoever made it.
  const log = await ask(servers[0].base, 'GET', '/v1/audit-log?limit=10', tokens.make(1));
  assert.equal(log.status, 200, JSON.stringify(log.json));
  const entries = log.json.items.filter((each) => each.action === 'workspace.created');
  assert.equal(entries.length, servers.length, `an audit entry from each, of ${organizationId(1)}`);
}
