// node-spec: the job on the stack that the architecture document names, in its own patterns: Express with middleware,
// sessions, settings and rate limits in Redis, Prisma with $extends so that every operation runs in a transaction that
// has set the organization first.
import cluster from 'node:cluster';
import { config } from '../job.mjs';
import * as job from '../job.mjs';

if (cluster.isPrimary) {
  for (let i = 0; i < config.workers; ++i) cluster.fork();
  process.on('SIGTERM', () => process.exit(0));
} else {
  await serve();
}

async function serve() {
  const { createPublicKey } = await import('node:crypto');
  const { default: express } = await import('express');
  const { default: Redis } = await import('ioredis');
  const { jwtVerify } = await import('jose');
  const { default: pino } = await import('pino');
  const { default: pinoHttp } = await import('pino-http');
  const { PrismaPg } = await import('@prisma/adapter-pg');
  const { PrismaClient, Prisma } = await import('./gen/index.js');

  const redis = new Redis({ path: config.redis });
  const db = new PrismaClient({ adapter: new PrismaPg({ ...config.app, max: config.connections }) });
  const publicKey = createPublicKey(config.publicKey);

  const authenticate = async (req, res, next) => {
    const header = req.get('authorization');
    let claims;
    try {
      if (header?.startsWith('Bearer '))
        claims = (await jwtVerify(header.slice(7), publicKey, { algorithms: ['EdDSA'], issuer: config.issuer, audience: config.audience, typ: 'at+jwt' })).payload;
    } catch {}
    if (!claims?.org) return refuse(res, 401, 'unauthenticated');
    const key = job.sessionKey(claims.sid);
    const text = await redis.get(key);
    let session = text ? JSON.parse(text) : undefined;
    if (!session) {
      session = await job.loadSession(claims.sid, claims.org);
      if (session) await redis.set(key, JSON.stringify(session), 'EX', job.sessionSeconds);
    }
    if (!session || session.userId !== claims.sub || session.organizationId !== claims.org) return refuse(res, 401, 'unauthenticated');
    req.session = session;
    next();
  };

  const may = (permission) => (req, res, next) =>
    req.session.permissions.some((granted) => job.covers(granted, permission)) ? next() : refuse(res, 403, 'forbidden');

  const limitRate = async (req, res, next) => {
    const { organizationId } = req.session;
    const settings = await settingsOf(organizationId);
    const hour = job.hourNow(organizationId);
    const count = await redis.incr(hour.key);
    if (count === 1) await redis.expire(hour.key, 3600);
    res.set({ 'RateLimit-Limit': `${settings.calls}`, 'RateLimit-Remaining': `${Math.max(settings.calls - count, 0)}`, 'RateLimit-Reset': `${hour.resetsIn}` });
    if (count > settings.calls) return refuse(res, 429, 'rate-limited');
    job.countCall(organizationId);
    next();
  };

  async function settingsOf(organization) {
    const key = job.settingsKey(organization);
    const text = await redis.get(key);
    if (text) return JSON.parse(text);
    const settings = await job.loadSettings(organization);
    await redis.set(key, JSON.stringify(settings), 'EX', job.settingsSeconds);
    return settings;
  }

  const setOrganization = (organization) => db.$executeRaw`SELECT set_config('app.current_organization_id', ${organization}, true)`;
  // The document's pattern, with the transaction without which SET LOCAL would be over before the query.
  const tenant = (req, res, next) => {
    const { organizationId } = req.session;
    req.db = db.$extends({
      query: {
        $allModels: {
          async $allOperations({ args, query }) {
            const [, result] = await db.$transaction([setOrganization(organizationId), query(args)]);
            return result;
          },
        },
      },
    });
    next();
  };

  const refuse = (res, status, code) => res.status(status).type('application/problem+json').send(JSON.stringify(job.problem(status, code)));
  const shown = (row) => ({
    id: row.id, name: row.name, slug: row.slug, description: row.description, archivedAt: row.archivedAt,
    createdAt: row.createdAt, updatedAt: row.updatedAt,
  });

  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(pinoHttp({
    logger: pino(pino.destination({ dest: 1, sync: false, minLength: 8192 })),
    genReqId: job.newRequestId,
    quietReqLogger: true,
    customSuccessMessage: () => 'request',
    serializers: { req: (req) => ({ id: req.id, method: req.method, url: req.url, remote: req.remoteAddress }), res: (res) => ({ status: res.statusCode }) },
  }));
  app.use((req, res, next) => {
    res.set(job.standardHeaders).set('X-Request-Id', req.id);
    const done = job.requestSeconds.startTimer();
    res.on('finish', () => done({ route: req.route?.path ?? 'unmatched', status: res.statusCode }));
    next();
  });
  app.use(express.json({ limit: '1mb' }));

  app.get('/health', (req, res) => res.json({ status: 'ok' }));
  app.get('/metrics', async (req, res) => res.type('text/plain').send(await job.metricsText()));

  app.get('/v1/workspaces', authenticate, may('workspaces.read'), limitRate, tenant, async (req, res) => {
    const limit = Number(req.query.limit ?? 20);
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) return refuse(res, 400, 'invalid');
    const rows = await req.db.workspace.findMany({
      where: { archivedAt: null }, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take: limit + 1,
    });
    let nextCursor = null;
    if (rows.length > limit) {
      rows.pop();
      const last = rows[rows.length - 1];
      nextCursor = job.cursor(req.session.organizationId, last.createdAt.toISOString(), last.id);
    }
    res.set('Cache-Control', 'no-store').json({ items: rows.map(shown), nextCursor });
  });

  app.get('/v1/workspaces/:id', authenticate, may('workspaces.read'), limitRate, tenant, async (req, res) => {
    const { id } = req.params;
    if (!job.uuid.test(id)) return refuse(res, 404, 'not-found');
    const row = await req.db.workspace.findUnique({ where: { organizationId_id: { organizationId: req.session.organizationId, id } } });
    if (!row) return refuse(res, 404, 'not-found');
    res.set({ 'Cache-Control': 'private, no-cache', ETag: job.etag(row.id, row.version) }).json(shown(row));
  });

  const slug = /^[a-z0-9]+(-[a-z0-9]+)*$/;
  app.post('/v1/workspaces', authenticate, may('workspaces.create'), limitRate, async (req, res) => {
    const wanted = req.body ?? {};
    const fits = (text, most) => typeof text === 'string' && text.length <= most;
    if (!fits(wanted.name, 200) || !wanted.name || (wanted.description != null && !fits(wanted.description, 10_000)) ||
        (wanted.slug !== undefined && !(fits(wanted.slug, 63) && slug.test(wanted.slug))))
      return refuse(res, 422, 'invalid');
    const { organizationId, userId } = req.session;
    const id = job.newId();
    const { name, description = null } = wanted;
    const attempt = (slug) => db.$transaction([
      db.$executeRaw`SELECT set_config('app.current_organization_id', ${organizationId}, true), set_config('app.actor', ${job.actor(userId, req.ip, req.id)}, true)`,
      db.workspace.create({ data: { organizationId, id, name, slug, description } }),
      db.outbox.createMany({ data: [{ organizationId, topic: 'workspace.created', payload: { workspaceId: id, name } }] }),
      db.auditLog.createMany({ data: [{ organizationId, action: 'workspace.created', targetKind: 'workspace', targetId: id, after: { name, slug, description } }] }),
    ]);
    const own = wanted.slug ?? job.slugOf(name);
    let row;
    try {
      [, row] = await attempt(own);
    } catch (error) {
      if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') throw error;
      if (wanted.slug) return refuse(res, 409, 'slug-taken');
      [, row] = await attempt(`${own}-${id.slice(28)}`);
    }
    res.status(201).set({ 'Cache-Control': 'private, no-cache', Location: `/v1/workspaces/${row.id}`, ETag: job.etag(row.id, row.version) }).json(shown(row));
  });

  app.use((error, req, res, next) => {
    console.error(error.message);
    refuse(res, 500, 'internal');
  });
  app.listen(config.port, '127.0.0.1');
}
