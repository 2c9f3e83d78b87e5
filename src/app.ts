import express, { type Express } from 'express';
import type { RefusalEvent } from './audit/record.ts';
import type { Authenticate } from './caller/caller.ts';
import type { Enrollment } from './enrollment/enrollment.ts';
import type { ProblemCode } from './errors.ts';
import { logAccess, type OnAnswer } from './http/access-log.ts';
import { answerDocs } from './http/answer-docs.ts';
import { answerOpenapi } from './http/answer-openapi.ts';
import { answerProblem } from './http/answer-problem.ts';
import { allowOrigins } from './http/cross-origin.ts';
import { findOperation } from './http/find-operation.ts';
import { answerHealth } from './http/health.ts';
import { authoriseCaller, identifyCaller, type Authorise } from './http/identify-caller.ts';
import { lastResort } from './http/last-resort.ts';
import { inTurn } from './http/in-turn.ts';
import { createLimitSteps } from './http/limit-requests.ts';
import { parseInput } from './http/parse-input.ts';
import { createPublicBase } from './http/public-base.ts';
import { readBody } from './http/read-body.ts';
import { refuseWhileDraining } from './http/refuse-while-draining.ts';
import { beginScope, type Step } from './http/request-scope.ts';
import { runOperation } from './http/run-operation.ts';
import { securityHeaders } from './http/security-headers.ts';
import { tellLimits } from './http/tell-limits.ts';
import type { SourceAddress } from './limits/source-address.ts';
import type { Limiter } from './limits/tier.ts';
import type { Logger } from './log.ts';
import type { Settings } from './settings.ts';

/** Everything the app needs, each part replaceable in a test. */
export type Parts = Readonly<{
  settings: Pick<
    Settings,
    'corsOrigins' | 'maxTokenValiditySeconds' | 'requestDeadlineMs' | 'publicBaseUrl' | 'enableDocs'
  >;
  log: Logger;
  sourceAddress: SourceAddress;
  limiter: Limiter;
  authenticate: Authenticate;
  authorise: Authorise;
  enrollment: Enrollment;
  recordRefusal: (refusal: RefusalEvent) => Promise<void>;
  onAnswer: OnAnswer;
  onRefusal: (code: ProblemCode) => void;
  isDraining: () => boolean;
  now?: () => number;
}>;

/** The steps a request meets, in order (the README draws the same way). */
export function createApp(parts: Parts): Express {
  const { settings, log, limiter, now = Date.now } = parts;
  const { publicBaseUrl } = settings;
  const readPublicBase = createPublicBase({ publicBaseUrl, isTrusted: parts.sourceAddress.isTrusted });
  const { limitAddress, limitCaller, giveBack } = createLimitSteps(limiter);
  const app = express();
  tellLimits(app, now);
  app.disable('x-powered-by').disable('etag').set('query parser', false);

  const steps: readonly Step[] = [
    beginScope({ readAddress: parts.sourceAddress.read, now }),
    logAccess({ log, onAnswer: parts.onAnswer, now }),
    securityHeaders(),
    allowOrigins(settings.corsOrigins),
    answerHealth(),
    refuseWhileDraining(parts.isDraining),
    limitAddress,
    answerOpenapi(),
    answerDocs(settings),
    findOperation(),
    identifyCaller(parts.authenticate),
    authoriseCaller(parts.authorise),
    readBody(),
    parseInput(settings),
    limitCaller,
    runOperation({
      enrollment: parts.enrollment,
      readPublicBase,
      requestDeadlineMs: settings.requestDeadlineMs,
      now,
    }),
  ];
  app.use(inTurn(steps));
  app.use(giveBack);
  app.use(answerProblem({ log, recordRefusal: parts.recordRefusal, onRefusal: parts.onRefusal, now }));
  app.use(lastResort(log));
  return app;
}
