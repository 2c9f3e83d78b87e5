// The fast Node stack: Fastify with its own plugins, verified tokens cached (fast-jwt), Graph tokens cached, undici throughout.
import jwt from '@fastify/jwt';
import rateLimit from '@fastify/rate-limit';
import replyFrom from '@fastify/reply-from';
import Fastify from 'fastify';
import { readFileSync } from 'node:fs';
import { Agent, request as send } from 'undici';
import { config, CREATE_PATH, LIMIT } from './config.mjs';

const ca = readFileSync(config.caFile);
const agent = new Agent({ connections: 256, connect: { ca } });
const app = Fastify({ logger: true, disableRequestLogging: true });
await app.register(jwt, {
  secret: { public: config.publicKey },
  verify: {
    algorithms: ['RS256'],
    allowedIss: config.issuer,
    allowedAud: config.clientId,
    cache: 60_000,
    // A token counts from its `iat` in fast-jwt's cache unless told otherwise.
    cacheTTL: 300_000,
  },
});
await app.register(rateLimit, {
  global: false,
  hook: 'preHandler',
  max: LIMIT.max,
  timeWindow: LIMIT.windowMs,
  cache: 60_000,
  keyGenerator: (request) => request.user.oid,
});
await app.register(replyFrom, {
  base: config.upstream,
  disableRequestLogging: true,
  undici: { connections: 256, connect: { ca } },
});

const graphTokens = new Map();

async function exchange(token) {
  const known = graphTokens.get(token);
  if (known && Date.now() < known.until) return known.value;
  const { statusCode, body } = await send(config.tokenEndpoint, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id: config.clientId,
      client_secret: config.clientSecret,
      assertion: token,
      scope: `${config.upstream}/.default`,
      requested_token_use: 'on_behalf_of',
    }).toString(),
  });
  const answer = await body.json();
  if (statusCode !== 200) throw new Error('the exchange failed');
  if (graphTokens.size >= 60_000) graphTokens.delete(graphTokens.keys().next().value);
  graphTokens.set(token, {
    value: answer.access_token,
    until: Date.now() + (answer.expires_in - 300) * 1000,
  });
  return answer.access_token;
}

app.addHook('onResponse', async (request, reply) => {
  request.log.info(
    { status: reply.statusCode, ms: reply.elapsedTime, path: request.url, oid: request.user?.oid },
    'answered',
  );
});

app.post(
  CREATE_PATH,
  {
    schema: {
      params: { type: 'object', properties: { id: { type: 'string', pattern: '^(AOSP-)?[0-9a-f-]{36}$' } } },
      body: {
        type: 'object',
        required: ['tokenValidityInSeconds'],
        additionalProperties: false,
        properties: { tokenValidityInSeconds: { type: 'integer', minimum: 1, maximum: 7_776_000 } },
      },
    },
    onRequest: async (request, reply) => {
      const payload = await request.jwtVerify();
      const isAllowed =
        payload.tid === config.tenantId &&
        payload.azp === config.callingClientId &&
        String(payload.scp).split(' ').includes('EnrollmentToken.Create');
      if (!isAllowed) return reply.code(403).send();
    },
    config: { rateLimit: {} },
  },
  async (request, reply) => {
    const graphToken = await exchange(request.headers.authorization.slice('Bearer '.length));
    return reply.from(request.url, {
      rewriteRequestHeaders: (_request, headers) => ({
        accept: 'application/json',
        authorization: `Bearer ${graphToken}`,
        'content-type': 'application/json',
        'content-length': headers['content-length'],
      }),
    });
  },
);

await app.listen({ host: '127.0.0.1', port: config.port });
