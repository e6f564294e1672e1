// Access tokens against jose, which others wrote: it verifies ours through JWKS and nothing else, and what it forges is
// refused.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createDecipheriv, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as jose from 'jose';
import { Up, binary, dataFolder, removeFolder } from '../system/support/buildplan.mjs';

const folder = dataFolder();
const up = await Up.start(folder);
test.after(async () => {
  await up.stop();
  removeFolder(folder);
});

async function register() {
  const unique = Math.random().toString(36).slice(2);
  const answer = await up.call('POST', '/auth/register', {
    key: null,
    body: { name: 'Test', email: `${unique}@example.com`, password: 'correct horse battery staple 93', organizationName: 'Test' },
  });
  assert.equal(answer.status, 201, answer.text);
  return answer.json.token;
}
const token = await register();
const jwksUrl = new URL('/.well-known/jwks.json', up.url);
const claims = jose.decodeJwt(token);
const header = jose.decodeProtectedHeader(token);

async function status(text) {
  return (await up.call('GET', '/v1/workspaces', { key: text })).status;
}
const base64url = (text) => Buffer.from(text).toString('base64url');
// A key of the forger's own, of the same kind as ours.
const forger = await jose.generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
async function forge(payload, protectedHeader, key = forger.privateKey) {
  return new jose.CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader(protectedHeader).sign(key);
}

// What only the installation itself can do: its own private key, opened with its secret by another implementation of
// HKDF and AES-GCM than ours.
const secret = readFileSync(join(folder, 'secrets', 'api'), 'utf8').trim();
function ourPrivateKey(kid) {
  const row = execFileSync(
    'psql',
    [up.endpoints.postgres.system, '-XAtq', '-v', `kid=${kid}`, '-F', ' '],
    { encoding: 'utf8', input: "SELECT encode(public_key, 'hex'), encode(sealed_private_key, 'hex') FROM signing_keys WHERE kid = :'kid';" },
  );
  const [open, sealed] = row.trim().split(' ').map((hex) => Buffer.from(hex, 'hex'));
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'buildplan signing keys 1', 32));
  const opener = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12)).setAAD(Buffer.from(kid)).setAuthTag(sealed.subarray(-16));
  const seed = Buffer.concat([opener.update(sealed.subarray(12, -16)), opener.final()]);
  return jose.importJWK({ kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url'), x: open.toString('base64url') }, 'EdDSA');
}

test('with our own key, what does not fit is refused all the same', async () => {
  const key = await ourPrivateKey(header.kid);
  const now = Math.floor(Date.now() / 1000);
  const signed = (changes, more = {}) => forge({ ...claims, ...changes }, { ...header, ...more }, key);
  assert.equal(await status(await signed({ iat: now - 1 })), 200, 'the control');
  assert.equal(await status(await signed({ iat: now - 1000, exp: now - 100 })), 401, 'expired');
  assert.equal(await status(await signed({ iat: now + 100, exp: now + 900 })), 401, 'from the future');
  assert.equal(await status(await signed({ nbf: now + 100 })), 401, 'not yet');
  assert.equal(await status(await signed({ exp: undefined })), 401, 'without an end');
  assert.equal(await status(await signed({ exp: `${now + 900}` })), 401, 'an end that is no number');
  assert.equal(await status(await signed({ iss: 'https://elsewhere.example' })), 401, 'another issuer');
  assert.equal(await status(await signed({ iss: undefined })), 401, 'no issuer');
  assert.equal(await status(await signed({ aud: 'another' })), 401, 'another audience');
  assert.equal(await status(await signed({ aud: [claims.aud, 'another'] })), 401, 'several audiences');
  assert.equal(await status(await signed({ sid: crypto.randomUUID() })), 401, 'a session that is not there');
  assert.equal(await status(await signed({ sub: crypto.randomUUID() })), 401, "another person's session");
  assert.equal(await status(await signed({ org: crypto.randomUUID() })), 401, 'an organization that one is no member of');
  assert.equal(await status(await signed({}, { typ: 'JWT' })), 401, 'another type');
  assert.equal(await status(await signed({}, { typ: undefined })), 401, 'no type');
  assert.equal(await status(await signed({}, { kid: undefined })), 401, 'no kid');
  assert.equal(await status(await signed({}, { crit: ['b64'], b64: true })), 401, 'critical');
  assert.equal(await status(await signed({ padding: 'x'.repeat(3000) })), 401, 'too long');
});

test('jose verifies our token through our JWKS', async () => {
  const { payload, protectedHeader } = await jose.jwtVerify(token, jose.createRemoteJWKSet(jwksUrl), {
    issuer: claims.iss,
    audience: claims.aud,
    typ: 'at+jwt',
    algorithms: ['EdDSA'],
    requiredClaims: ['sub', 'sid', 'iat', 'exp'],
    maxTokenAge: '15m',
  });
  assert.equal(payload.exp - payload.iat, 15 * 60);
  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
  assert.equal(await status(token), 200);
});

test('the keys are named by their RFC 7638 thumbprint and show no private half', async () => {
  const { keys } = await (await fetch(jwksUrl)).json();
  assert.ok(keys.length > 0);
  for (const key of keys) {
    assert.equal(await jose.calculateJwkThumbprint(key), key.kid);
    assert.deepEqual(Object.keys(key).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x']);
  }
});

test('a token without a signature is refused', async () => {
  const unsecured = new jose.UnsecuredJWT(claims).encode();
  assert.equal(await status(unsecured), 401);
  const payload = token.split('.')[1];
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    assert.equal(await status(`${base64url(JSON.stringify({ ...header, alg }))}.${payload}.`), 401, alg);
  }
  assert.equal(await status(`${token.split('.').slice(0, 2).join('.')}.`), 401);
});

test('the public key is not a shared secret', async () => {
  const { keys } = await (await fetch(jwksUrl)).json();
  const raw = Buffer.from(keys[0].x, 'base64url');
  const pem = await jose.exportSPKI(await jose.importJWK(keys[0], 'EdDSA'));
  for (const secret of [raw, Buffer.from(pem), Buffer.from(pem.trim()), Buffer.from(keys[0].x), Buffer.from(JSON.stringify(keys[0]))]) {
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: `SHA-${alg.slice(2)}` }, false, ['sign']);
      const signed = `${base64url(JSON.stringify({ ...header, alg }))}.${token.split('.')[1]}`;
      const signature = Buffer.from(await crypto.subtle.sign('HMAC', key, Buffer.from(signed))).toString('base64url');
      assert.equal(await status(`${signed}.${signature}`), 401, alg);
    }
  }
});

test('another key is not ours, whatever it is called', async () => {
  assert.equal(await status(await forge(claims, header)), 401, 'our kid');
  assert.equal(await status(await forge(claims, { ...header, kid: 'unknown' })), 401, 'unknown kid');
  assert.equal(await status(await forge(claims, { alg: 'EdDSA', typ: 'at+jwt' })), 401, 'no kid');
  assert.equal(await status(await forge(claims, { ...header, kid: '' })), 401, 'empty kid');
  assert.equal(await status(await forge(claims, { ...header, kid: "' OR true --" })), 401, 'SQL');
  const jwk = await jose.exportJWK(forger.publicKey);
  const kid = await jose.calculateJwkThumbprint(jwk);
  assert.equal(await status(await forge(claims, { ...header, kid })), 401, 'a thumbprint of its own');
  assert.equal(await status(await forge(claims, { ...header, jwk })), 401, 'a key in the header');
  assert.equal(await status(await forge(claims, { ...header, jku: 'http://127.0.0.1:1/jwks.json' })), 401, 'a place in the header');
});

test('another algorithm is refused under our kid', async () => {
  for (const alg of ['ES256', 'ES384', 'PS256', 'RS256']) {
    const { privateKey } = await jose.generateKeyPair(alg);
    assert.equal(await status(await forge(claims, { ...header, alg }, privateKey)), 401, alg);
    // An ES256 signature has the 64 bytes of an Ed25519 one.
    const [, payload, signature] = (await forge(claims, { ...header, alg }, privateKey)).split('.');
    assert.equal(await status(`${base64url(JSON.stringify(header))}.${payload}.${signature}`), 401, `${alg} said to be EdDSA`);
  }
});

test('one changed bit of header, claims or signature is refused', async () => {
  const [head, payload, signature] = token.split('.');
  const change = (part, from, to) => base64url(Buffer.from(part, 'base64url').toString().replace(from, to));
  const later = JSON.stringify({ ...claims, exp: claims.exp + 3600 });
  assert.equal(await status(`${head}.${base64url(later)}.${signature}`), 401, 'expires later');
  assert.equal(await status(`${head}.${base64url(JSON.stringify({ ...claims, org: crypto.randomUUID() }))}.${signature}`), 401, 'another organization');
  assert.equal(await status(`${change(head, 'at+jwt', 'JWT')}.${payload}.${signature}`), 401, 'another type');
  for (let i = 0; i < signature.length; i += 7) {
    const other = signature[i] === 'A' ? 'B' : 'A';
    assert.equal(await status(`${head}.${payload}.${signature.slice(0, i)}${other}${signature.slice(i + 1)}`), 401, `signature at ${i}`);
  }
  for (const text of [`${token}=`, `${token}.`, `.${token}`, token.replaceAll('.', '..'), `${head}.${payload}`, `${head}..${signature}`]) {
    assert.equal(await status(text), 401, text.slice(0, 20));
  }
});

test('a critical header parameter is refused', async () => {
  const sign = new jose.CompactSign(new TextEncoder().encode(JSON.stringify(claims)));
  const text = await sign.setProtectedHeader({ ...header, crit: ['b64'], b64: true }).sign(forger.privateKey);
  assert.equal(await status(text), 401);
});

test('a signed token inside another one is refused', async () => {
  const nested = await new jose.CompactSign(new TextEncoder().encode(token))
    .setProtectedHeader({ ...header, cty: 'JWT' })
    .sign(forger.privateKey);
  assert.equal(await status(nested), 401);
  const { keys } = await (await fetch(jwksUrl)).json();
  const encrypted = await new jose.EncryptJWT(claims)
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: keys[0].kid })
    .encrypt(Buffer.from(keys[0].x, 'base64url'));
  assert.equal(await status(encrypted), 401);
});

test('a key that was rotated in is shown before it signs, and nobody is logged out', async () => {
  const env = {
    ...process.env,
    BUILDPLAN_POSTGRES_SYSTEM_URL: up.endpoints.postgres.system,
    BUILDPLAN_API_SECRET: secret,
  };
  const keys = (...args) => execFileSync(binary, ['keys', ...args], { env, encoding: 'utf8' }).trim();
  const before = JSON.parse(keys('list', '--json'));
  assert.equal(before.find((key) => key.state === 'signs').kid, header.kid);
  const announced = keys('rotate');
  const listed = JSON.parse(keys('list', '--json'));
  assert.equal(listed.find((key) => key.state === 'signs').kid, header.kid);
  assert.equal(listed.find((key) => key.state === 'is to sign').kid, announced);
  const kid = keys('rotate', '--now');
  assert.equal(JSON.parse(keys('list', '--json')).find((key) => key.state === 'signs').kid, kid);
  assert.equal(await status(token), 200);
  const remote = jose.createRemoteJWKSet(jwksUrl);
  await jose.jwtVerify(token, remote, { issuer: claims.iss, audience: claims.aud });
});

test('what the server signed stays ours only where it says so', async () => {
  const remote = jose.createRemoteJWKSet(jwksUrl);
  await assert.rejects(jose.jwtVerify(token, remote, { issuer: 'https://elsewhere.example' }), jose.errors.JWTClaimValidationFailed);
  await assert.rejects(jose.jwtVerify(token, remote, { audience: 'another' }), jose.errors.JWTClaimValidationFailed);
  await assert.rejects(
    jose.jwtVerify(token, remote, { currentDate: new Date((claims.exp + 60) * 1000) }),
    jose.errors.JWTExpired,
  );
});
