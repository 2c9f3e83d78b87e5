// The usual Express stack of today: express-oauth2-jwt-bearer, express-rate-limit, MSAL, http-proxy-middleware.
import { ConfidentialClientApplication } from '@azure/msal-node';
import express from 'express';
import { auth, claimCheck } from 'express-oauth2-jwt-bearer';
import { rateLimit } from 'express-rate-limit';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Agent } from 'node:https';
import { config, CREATE_PATH, LIMIT } from './config.mjs';

const msal = new ConfidentialClientApplication({
  auth: {
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    authority: config.authority,
    knownAuthorities: [new URL(config.authority).host],
  },
});

const app = express().disable('x-powered-by').disable('etag');
app.post(
  CREATE_PATH,
  (request, response, next) => {
    const begin = performance.now();
    response.once('finish', () => {
      process.stdout.write(
        `${JSON.stringify({ time: new Date().toISOString(), status: response.statusCode, path: request.path, oid: request.auth?.payload.oid, ms: performance.now() - begin })}\n`,
      );
    });
    next();
  },
  auth({
    issuer: config.issuer,
    jwksUri: config.jwksUri,
    audience: config.clientId,
    tokenSigningAlg: 'RS256',
  }),
  claimCheck(
    ({ tid, azp, scp }) =>
      tid === config.tenantId &&
      azp === config.callingClientId &&
      scp.split(' ').includes('EnrollmentToken.Create'),
  ),
  rateLimit({
    windowMs: LIMIT.windowMs,
    limit: LIMIT.max,
    keyGenerator: (request) => request.auth.payload.oid,
    legacyHeaders: false,
    standardHeaders: 'draft-8',
  }),
  async (request, _response, next) => {
    const answer = await msal.acquireTokenOnBehalfOf({
      oboAssertion: request.auth.token,
      scopes: [`${config.upstream}/.default`],
    });
    request.headers.authorization = `Bearer ${answer.accessToken}`;
    next();
  },
  createProxyMiddleware({
    target: config.upstream,
    changeOrigin: true,
    agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  }),
);
app.listen(config.port, '127.0.0.1');
