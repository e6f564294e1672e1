// node-best: the quickest Node server for the job that we know how to write. Fastify; pg in pipeline mode with named
// statements, many transactions deep on few connections, the statements being BuildPlan's own; what is asked of Redis
// for a request goes out at once; verified tokens and limits are kept in memory; JSON is put together by hand.
import cluster from 'node:cluster';
import { config, newRequestId } from '../job.mjs';
import * as job from '../job.mjs';

if (cluster.isPrimary) {
  for (let i = 0; i < config.workers; ++i) cluster.fork();
  process.on('SIGTERM', () => process.exit(0));
} else {
  await serve();
}

async function serve() {
  const { default: fastify } = await import('fastify');
  const { default: pg } = await import('pg');
  const { default: Redis } = await import('ioredis');
  const { createVerifier } = await import('fast-jwt');
  const { default: pino } = await import('pino');

  const redis = new Redis({ path: config.redis, enableAutoPipelining: true });
  const verify = createVerifier({
    key: config.publicKey,
    algorithms: ['EdDSA'],
    allowedIss: config.issuer,
    allowedAud: config.audience,
    cache: 20_000,
    cacheTTL: 300_000,
    cacheKeyBuilder: (token) => token,
  });

  const asText = { getTypeParser: () => (text) => text };
  const lane = async (connections) => {
    const clients = Array.from({ length: connections }, () => new pg.Client({ ...config.app, pipeline: true }));
    await Promise.all(clients.map((client) => client.connect()));
    let turn = 0;
    return () => clients[(turn = (turn + 1) % clients.length)];
  };
  // Few for what is read, so that much goes out and comes back together; more for what waits for the disk.
  const reading = await lane(2);
  const writing = await lane(config.connections);
  // Queued without waiting in between, so the four are one round trip, and transactions of many requests are under way
  // on a connection, one behind the other.
  async function transaction(client, scope, name, values) {
    const begin = client.query({ name: 'begin', text: 'BEGIN' });
    const set = client.query(scope);
    const asked = client.query({ name, text: config.statements[name], values, types: asText });
    const commit = client.query({ name: 'commit', text: 'COMMIT' });
    const all = await Promise.allSettled([begin, set, asked, commit]);
    for (const each of all) if (each.status === 'rejected') throw each.reason;
    return all[2].value.rows;
  }
  const tenant = (organization) => ({
    name: 'tenant', text: "SELECT set_config('app.current_organization_id', $1, true)", values: [organization], types: asText,
  });
  const actingTenant = (organization, actor) => ({
    name: 'acting_tenant',
    text: "SELECT set_config('app.current_organization_id', $1, true), set_config('app.actor', $2, true)",
    values: [organization, actor],
    types: asText,
  });

  const kept = new Map(); // settings, for two seconds
  async function settingsOf(organization) {
    const found = kept.get(organization);
    const time = Date.now();
    if (found && found.until > time) return found.settings;
    const text = await redis.get(job.settingsKey(organization));
    const settings = text ? JSON.parse(text) : await job.loadSettings(organization);
    if (!text) redis.set(job.settingsKey(organization), JSON.stringify(settings), 'EX', job.settingsSeconds);
    if (kept.size > 20_000) kept.clear();
    kept.set(organization, { settings, until: time + 2000 });
    return settings;
  }

  const app = fastify({ logger: false, genReqId: newRequestId, trustProxy: false });
  const log = pino(pino.destination({ dest: 1, sync: false, minLength: 8192 }));
  const refuse = (reply, status, code) => reply.code(status).type('application/problem+json').send(job.problem(status, code));

  const asks = (permission) => async (request, reply) => {
    const header = request.headers.authorization;
    let claims;
    try {
      claims = header?.startsWith('Bearer ') ? verify(header.slice(7)) : undefined;
    } catch {}
    if (!claims?.org) return refuse(reply, 401, 'unauthenticated');
    const hour = job.hourNow(claims.org);
    const [text, count, , settings] = await Promise.all([
      redis.get(job.sessionKey(claims.sid)), redis.incr(hour.key), redis.expire(hour.key, 3600, 'NX'), settingsOf(claims.org),
    ]);
    let session = text ? JSON.parse(text) : undefined;
    if (!session) {
      session = await job.loadSession(claims.sid, claims.org);
      if (session) redis.set(job.sessionKey(claims.sid), JSON.stringify(session), 'EX', job.sessionSeconds);
    }
    if (!session || session.userId !== claims.sub || session.organizationId !== claims.org) return refuse(reply, 401, 'unauthenticated');
    if (!session.permissions.some((granted) => job.covers(granted, permission))) return refuse(reply, 403, 'forbidden');
    reply.headers({
      'ratelimit-limit': settings.calls, 'ratelimit-remaining': Math.max(settings.calls - count, 0), 'ratelimit-reset': hour.resetsIn,
    });
    if (count > settings.calls) return refuse(reply, 429, 'rate-limited');
    job.countCall(claims.org);
    request.who = session;
  };

  // PostgreSQL writes "2026-11-25 22:25:18.259348+00" and leaves zeros at the end out.
  const time = (text) => (text.length >= 26 ? `${text.slice(0, 10)}T${text.slice(11, 23)}Z` : new Date(text).toISOString());
  const json = JSON.stringify;
  const workspace = (row) =>
    `{"id":"${row.id}","name":${json(row.name)},"slug":"${row.slug}","description":${json(row.description)},"archivedAt":${
      row.archived_at ? `"${time(row.archived_at)}"` : 'null'},"createdAt":"${time(row.created_at)}","updatedAt":"${time(row.updated_at)}"}`;
  const type = 'application/json';

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(job.standardHeaders).header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const ms = reply.elapsedTime;
    job.requestSeconds.observe({ route, status: reply.statusCode }, ms / 1000);
    log.info({ requestId: request.id, method: request.method, route, status: reply.statusCode, ms,
      organization: request.who?.organizationId, remote: request.ip }, 'request');
  });

  app.get('/health', async () => ({ status: 'ok' }));
  app.get('/metrics', async (request, reply) => reply.type('text/plain').send(await job.metricsText()));

  app.get('/v1/workspaces', {
    onRequest: asks('workspaces.read'),
    schema: { querystring: { type: 'object', properties: { limit: { type: 'integer', minimum: 1, maximum: 100, default: 20 } } } },
  }, async (request, reply) => {
    const { limit } = request.query;
    const organization = request.who.organizationId;
    const rows = await transaction(reading(), tenant(organization), 'list_newest',
      ['9999-12-31', 'ffffffff-ffff-ffff-ffff-ffffffffffff', false, limit + 1]);
    let next = 'null';
    if (rows.length > limit) {
      rows.pop();
      const last = rows[rows.length - 1];
      next = `"${job.cursor(organization, last.created_at, last.id)}"`;
    }
    reply.header('content-type', type).header('cache-control', 'no-store');
    return `{"items":[${rows.map(workspace).join(',')}],"nextCursor":${next}}`;
  });

  app.get('/v1/workspaces/:id', { onRequest: asks('workspaces.read') }, async (request, reply) => {
    const { id } = request.params;
    if (!job.uuid.test(id)) return refuse(reply, 404, 'not-found');
    const [row] = await transaction(reading(), tenant(request.who.organizationId), 'get_workspace', [id]);
    if (!row) return refuse(reply, 404, 'not-found');
    reply.header('content-type', type).header('cache-control', 'private, no-cache').header('etag', job.etag(row.id, row.version));
    return workspace(row);
  });

  app.post('/v1/workspaces', {
    onRequest: asks('workspaces.create'),
    schema: {
      body: {
        type: 'object', required: ['name'], additionalProperties: false,
        properties: {
          name: { type: 'string', minLength: 1, maxLength: 200 },
          slug: { type: 'string', maxLength: 63, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' },
          description: { type: ['string', 'null'], maxLength: 10_000 },
        },
      },
    },
  }, async (request, reply) => {
    const { name, slug, description = null } = request.body;
    const id = job.newId();
    const { organizationId, userId } = request.who;
    const [row] = await transaction(writing(), actingTenant(organizationId, job.actor(userId, request.ip, request.id)), 'create_workspace',
      [id, name, slug ?? job.slugOf(name), description, slug ? null : id.slice(28)]);
    if (!row) return refuse(reply, 409, 'slug-taken');
    reply.code(201).header('content-type', type).header('cache-control', 'private, no-cache')
      .header('location', `/v1/workspaces/${row.id}`).header('etag', job.etag(row.id, row.version));
    return workspace(row);
  });

  await app.listen({ port: config.port, host: '127.0.0.1' });
}
