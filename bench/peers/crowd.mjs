// The crowd: so many organizations, each with a person who is signed in and with workspaces, put into the database at
// once, and the tokens that the people show.
//
// Ids are made of numbers, so that a load generator knows them: organization n, its workspace k. They sort as real ones
// do, by when they were made. Rows lie in the order in which a living installation writes them, all organizations mixed.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { run } from '../load/measure.mjs';

const hex = (number, digits) => number.toString(16).padStart(digits, '0');
const numberedId = (kind, n) => `00000000-0000-7000-${kind}000-${hex(n, 12)}`;
export const organizationId = (n) => numberedId('8', n);
export const userId = (n) => numberedId('9', n);
export const sessionId = (n) => numberedId('a', n);
// The same in SQL; `n` and `k` are expressions.
const idInSql = (kind) => (n) => `('00000000-0000-7000-${kind}000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
export const organizationInSql = idInSql('8');
const userInSql = idInSql('9');
const sessionInSql = idInSql('a');
export const workspaceInSql = (n, k) => `(lpad(to_hex(${k}), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;

export async function psql(url, sql) {
  const { out } = await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', url], { input: sql });
  return out.trim();
}

// For an empty database of `buildplan up`. Nobody's hash is a password's: these people are signed in already.
export async function settle({ postgres, organizations, workspaces, say }) {
  const [first, last] = [`generate_series(1, ${organizations})`, workspaces];
  await psql(postgres, `
    SET session_replication_role = replica;  -- no trigger, no foreign key: what is put in fits
    INSERT INTO organizations (id, name, slug) SELECT ${organizationInSql('n')}, 'Organization ' || n, 'organization-' || n FROM ${first} n;
    INSERT INTO users (id, email, name, password_hash, email_verified)
      SELECT ${userInSql('n')}, 'person-' || n || '@example.com', 'Person ' || n, 'none', true FROM ${first} n;
    INSERT INTO organization_members (organization_id, user_id, role) SELECT ${organizationInSql('n')}, ${userInSql('n')}, 'OWNER' FROM ${first} n;
    INSERT INTO subscriptions (organization_id, tier) SELECT ${organizationInSql('n')}, 'ENTERPRISE' FROM ${first} n;
    INSERT INTO sessions (id, user_id, current_organization_id, refresh_hash, expires_at)
      SELECT ${sessionInSql('n')}, ${userInSql('n')}, ${organizationInSql('n')}, sha256(n::text::bytea), now() + interval '30 days' FROM ${first} n;`);
  // Without indexes at first: they are made at once afterwards, in a fraction of the time. In pieces, so that it can be
  // seen how far it is.
  const indexes = "indrelid = 'workspaces'::regclass";
  await psql(postgres, `UPDATE pg_index SET indisready = false, indisvalid = false WHERE ${indexes}`);
  const began = performance.now();
  const step = Math.max(1, Math.floor(500_000 / organizations));
  for (let k = 1; k <= last; k += step) {
    const to = Math.min(k + step - 1, last);
    await psql(postgres, `
      SET session_replication_role = replica; SET synchronous_commit = off;
      INSERT INTO workspaces (organization_id, id, name, slug, description, created_at, updated_at)
        SELECT ${organizationInSql('n')}, ${workspaceInSql('n', 'k')}, 'Workspace ' || k, 'workspace-' || k, 'One of those that were there before the load',
               at, at
        FROM generate_series(${k}, ${to}) k, ${first} n,
             LATERAL (SELECT now() - (${last} + 1 - k) * interval '10 minutes' + n * interval '1 millisecond' AS at) t;`);
    const rate = (to * organizations) / ((performance.now() - began) / 1000);
    if (last * organizations > 1_000_000) say(`${((100 * to) / last).toFixed(0)} % of ${last * organizations} workspaces, ${rate.toFixed(0)} a second`);
  }
  await psql(postgres, "SET maintenance_work_mem = '512MB'; REINDEX TABLE workspaces;");
  if ((await psql(postgres, `SELECT bool_and(indisready AND indisvalid) FROM pg_index WHERE ${indexes}`)) !== 't') throw new Error('an index of workspaces is not as it was');
  await psql(postgres, 'VACUUM (ANALYZE, FREEZE) workspaces; VACUUM ANALYZE organizations, users, organization_members, subscriptions, sessions; CHECKPOINT;');
}

// Access tokens of the form that /auth/login gives, signed with a key of ours that the installation is told to trust.
export class Tokens {
  constructor({ issuer, audience }) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const { x } = publicKey.export({ format: 'jwk' });
    this.raw = Buffer.from(x, 'base64url');
    this.pem = publicKey.export({ type: 'spki', format: 'pem' });
    this.kid = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
    Object.assign(this, { privateKey, issuer, audience });
  }

  // Verifies and never signs there: its private half stays here.
  async trust(postgres) {
    await psql(postgres, `INSERT INTO signing_keys (kid, public_key, sealed_private_key, active_from)
      VALUES ('${this.kid}', '\\x${this.raw.toString('hex')}', '', now() - interval '1 day');`);
  }

  make(n) {
    const now = Math.floor(Date.now() / 1000);
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'EdDSA', kid: this.kid, typ: 'at+jwt' })}.${part({
      iss: this.issuer, aud: this.audience, sub: userId(n), org: organizationId(n), sid: sessionId(n), iat: now - 1, exp: now + 12 * 3600,
    })}`;
    return `${text}.${sign(null, Buffer.from(text), this.privateKey).toString('base64url')}`;
  }

  // One line for each: the number of the organization and the token, in no order.
  write(path, organizations) {
    const numbers = Array.from({ length: organizations }, (_, i) => i + 1);
    let seed = 1;
    for (let i = numbers.length - 1; i > 0; --i) {
      seed = (seed * 48_271) % 2_147_483_647;
      const j = seed % (i + 1);
      [numbers[i], numbers[j]] = [numbers[j], numbers[i]];
    }
    writeFileSync(path, numbers.map((n) => `${hex(n, 12)} ${this.make(n)}\n`).join(''));
  }
}
