// What both peers do in the same way: who may do what, how much is left, what was used, what every answer says about
// itself. The stack between this and the databases is each one's own.
import { createHmac, randomUUID } from 'node:crypto';
import pg from 'pg';
import prometheus from 'prom-client';

// From bench/peers/contestants.mjs.
export const config = JSON.parse(process.env.PEER_CONFIG ?? '{}');

// src/features/organizations/roles.hpp, as far as workspaces are asked for.
const permissions = {
  OWNER: ['*'],
  ADMIN: ['org.settings.*', 'org.members.*', 'requests.*', 'plans.*', 'agents.*', 'workspaces.*'],
  MANAGER: ['requests.*', 'plans.read', 'plans.update', 'tasks.read', 'workspaces.*'],
  MEMBER: ['requests.create', 'requests.read', 'tasks.update', 'workspaces.read'],
  VIEWER: ['requests.read', 'plans.read', 'tasks.read', 'workspaces.read'],
};
export const permissionsOf = (role) => permissions[role] ?? [];
export const covers = (granted, wanted) =>
  granted === wanted || granted === '*' || (granted.endsWith('.*') && wanted.startsWith(granted.slice(0, -1)));

const callsOfTier = { FREE: 1_000, PRO: 10_000, ENTERPRISE: 100_000 };
export const callsInAnHour = (tier, custom) => custom?.api ?? callsOfTier[tier] ?? callsOfTier.FREE;

// A session as Redis keeps it for an hour, settings for five minutes.
export const sessionSeconds = 3600;
export const settingsSeconds = 300;
const key = (text) => `peer-${config.name}:${text}`;
export const sessionKey = (id) => key(`session:${id}`);
export const settingsKey = (id) => key(`org:${id}:settings`);

// The window of this hour: where it is counted, and how long it lasts.
export function hourNow(organization) {
  const seconds = Math.floor(Date.now() / 1000);
  const hour = Math.floor(seconds / 3600);
  return { key: key(`rate:${organization}:api:${hour}`), resetsIn: (hour + 1) * 3600 - seconds };
}

// Work across organizations, as the role that has the policies for it.
export const system = new pg.Pool({ ...config.system, max: 2 });

export async function loadSession(id, organization) {
  const found = await system.query({
    name: 'find_session',
    text: `SELECT s.user_id, s.expires_at, m.role
           FROM sessions s LEFT JOIN organization_members m ON m.organization_id = $2 AND m.user_id = s.user_id
           WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()`,
    values: [id, organization],
  });
  const row = found.rows[0];
  if (!row?.role) return undefined;
  return { userId: row.user_id, organizationId: organization, role: row.role, permissions: permissionsOf(row.role) };
}

export async function loadSettings(organization) {
  const found = await system.query({
    name: 'find_settings',
    text: 'SELECT tier, custom_limits FROM subscriptions WHERE organization_id = $1',
    values: [organization],
  });
  return { calls: callsInAnHour(found.rows[0]?.tier, found.rows[0]?.custom_limits) };
}

// Calls are counted in memory and folded into PostgreSQL every two seconds.
let counted = new Map();
export function countCall(organization) {
  counted.set(organization, (counted.get(organization) ?? 0) + 1);
}
setInterval(async () => {
  if (counted.size === 0) return;
  const batch = counted;
  counted = new Map();
  const organizations = [...batch.keys()].sort();
  try {
    await system.query({
      name: 'fold_usage',
      text: `INSERT INTO usage AS u (organization_id, period, api_calls)
             SELECT o, date_trunc('month', now(), 'UTC'), n FROM unnest($1::uuid[], $2::bigint[]) AS c (o, n)
             ON CONFLICT (organization_id, period) DO UPDATE SET api_calls = u.api_calls + excluded.api_calls, updated_at = now()`,
      values: [organizations, organizations.map((each) => batch.get(each))],
    });
  } catch (error) {
    for (const [organization, calls] of batch) counted.set(organization, (counted.get(organization) ?? 0) + calls);
    console.error(error.message);
  }
}, 2000).unref();

export const requestSeconds = new prometheus.Histogram({
  name: 'http_request_duration_seconds',
  help: 'Requests by route and status.',
  labelNames: ['route', 'status'],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
});
export const metricsText = () => prometheus.register.metrics();

export const newRequestId = randomUUID;
export const standardHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const etag = (id, version) => `"${version}.${id.slice(24)}"`;

// Where the next page begins, sealed for this list of this organization.
export function cursor(organization, createdAt, id) {
  const keyset = `${createdAt}|${id}`;
  const mac = createHmac('sha256', config.secret).update(`/v1/workspaces ${organization} -createdAt|${keyset}`).digest();
  return Buffer.concat([mac.subarray(0, 16), Buffer.from(keyset)]).toString('base64url');
}

export const slugOf = (name) =>
  name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 63) || 'workspace';

// app.actor, which the trigger of audit_log reads.
export const actor = (user, address, request) => ['user', user, '', address, request].join('\x1f');

// In the order of creation, as the program itself makes them (RFC 9562, version 7).
export function newId() {
  const id = randomUUID();
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${id.slice(15)}`;
}

export function problem(status, code, detail) {
  return { type: `/docs/problems/${code}`, title: code, status, detail, code };
}
