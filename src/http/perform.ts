import type { Deadline } from '../enrollment/deadline.ts';
import type { Enrollment, OperationRequest } from '../enrollment/enrollment.ts';
import { toQueryText, type ListQuery } from '../graph/list-query.ts';
import type { OperationName } from '../graph/operations.ts';
import type { Mutable } from '../mutable.ts';
import { NO_CONTENT, toJsonAnswer, type Answer } from './answer.ts';
import { toContentDisposition } from './content-disposition.ts';
import type { RequestScope } from './request-scope.ts';
import { requireOperation } from './require-scope.ts';
import { toQrCodeBody, toTokenBody } from './token-body.ts';

type Performance = Readonly<{
  enrollment: Enrollment;
  scope: RequestScope;
  deadline: Deadline;
  /** Where this service is for the caller. */
  publicBase: () => string;
}>;

/** Does what a row of the operations table stands for. Rejects with a ProblemError. */
type Perform = (performance: Performance) => Promise<Answer>;

function require<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('an operation began before its input was parsed');
  return value;
}

function toRequest({ scope, deadline }: Performance): OperationRequest {
  const { source, requestId, clientRequestId, idempotencyKey } = scope;
  const { caller } = requireOperation(scope);
  const profile = require(scope.profile);
  const request: Mutable<OperationRequest> = {
    caller,
    profile,
    source,
    requestId,
    clientRequestId,
    deadline,
  };
  if (idempotencyKey !== undefined) request.idempotencyKey = idempotencyKey;
  return request;
}

function toNextLink({ publicBase, scope }: Performance, next: ListQuery): string {
  return `${publicBase()}${scope.path}?${toQueryText(next)}`;
}

export const PERFORM: Readonly<Record<OperationName, Perform>> = {
  createToken: async (performance) => {
    const { enrollment, scope } = performance;
    const request = Object.assign(toRequest(performance), { wantsToken: scope.wantsToken === true });
    const token = await enrollment.create(request, require(scope.validitySeconds));
    return token
      ? toJsonAnswer(toTokenBody(token), { 'Preference-Applied': 'return=representation' })
      : NO_CONTENT;
  },
  revokeToken: async (performance) => {
    await performance.enrollment.revoke(toRequest(performance));
    return NO_CONTENT;
  },
  listProfiles: async (performance) => {
    const { enrollment, scope, deadline } = performance;
    const { caller } = requireOperation(scope);
    const context = { caller, clientRequestId: scope.clientRequestId, deadline };
    const { profiles, next } = await enrollment.list(require(scope.set), require(scope.listQuery), context);
    const link = next && { '@odata.nextLink': toNextLink(performance, next) };
    return toJsonAnswer({ value: profiles, ...link });
  },
  getProfile: async (performance) => toJsonAnswer(await performance.enrollment.get(toRequest(performance))),
  getEnrollmentToken: async (performance) =>
    toJsonAnswer(toTokenBody(await performance.enrollment.read(toRequest(performance)))),
  getQrCodeImage: async (performance) => {
    const token = await performance.enrollment.read(toRequest(performance));
    if (performance.scope.wantsImage !== true) return toJsonAnswer(toQrCodeBody(token));
    const headers = {
      'Content-Type': 'image/png',
      'Content-Disposition': toContentDisposition(token.displayName),
    };
    return { status: 200, headers, body: token.qrCode };
  },
};
