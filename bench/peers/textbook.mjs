// The prescribed packages as their own samples put them together: express, helmet, passport-azure-ad, MSAL, axios, winston.
import { ConfidentialClientApplication } from '@azure/msal-node';
import axios from 'axios';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { Agent } from 'node:https';
import passport from 'passport';
import { BearerStrategy } from 'passport-azure-ad';
import winston from 'winston';
import { config, CREATE_PATH, LIMIT } from './config.mjs';

const log = winston.createLogger({
  format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
  transports: [new winston.transports.Console()],
});

passport.use(
  new BearerStrategy(
    {
      identityMetadata: config.metadataUri,
      clientID: config.clientId,
      audience: config.clientId,
      issuer: config.issuer,
      validateIssuer: true,
      scope: ['EnrollmentToken.Create'],
      passReqToCallback: false,
      loggingLevel: 'error',
      loggingNoPII: true,
    },
    (claims, done) => done(null, claims),
  ),
);

const msal = new ConfidentialClientApplication({
  auth: {
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    authority: config.authority,
    knownAuthorities: [new URL(config.authority).host],
  },
});

const graph = axios.create({
  baseURL: config.upstream,
  timeout: 10_000,
  httpsAgent: new Agent({ keepAlive: true, maxSockets: 256 }),
});

const app = express();
app.use(helmet());
app.use(express.json());
app.use(passport.initialize());
app.use((request, response, next) => {
  const begin = Date.now();
  response.once('finish', () => {
    log.info('answered', {
      status: response.statusCode,
      path: request.path,
      oid: request.user?.oid,
      ms: Date.now() - begin,
    });
  });
  next();
});
app.post(
  CREATE_PATH,
  passport.authenticate('oauth-bearer', { session: false }),
  rateLimit({ windowMs: LIMIT.windowMs, limit: LIMIT.max, keyGenerator: (request) => request.user.oid }),
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 forwards what it rejects with
  async (request, response) => {
    const answer = await msal.acquireTokenOnBehalfOf({
      oboAssertion: request.headers.authorization.split(' ')[1],
      scopes: [`${config.upstream}/.default`],
    });
    const { status } = await graph.post(request.path, request.body, {
      headers: { Authorization: `Bearer ${answer.accessToken}` },
    });
    response.status(status).end();
  },
);
app.listen(config.port, '127.0.0.1');
