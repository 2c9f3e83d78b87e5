import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

/** Loaded for the first who asks: it takes 3 MB. */
async function readDocument(): Promise<string> {
  const { OPENAPI } = await import('../openapi/document.ts');
  return JSON.stringify(OPENAPI);
}

/** `GET /openapi.json`: what this service offers, for tools. */
export function answerOpenapi(): Step {
  let text: Promise<string> | undefined;

  const answer: Step = async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError('method_not_allowed', undefined, { allow: 'GET, HEAD' });
    }
    text ??= readDocument();
    const body = await text.catch((error: unknown) => {
      text = undefined;
      throw error;
    });
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.setHeader('Cache-Control', 'no-cache');
    response.end(body);
  };
  return function answerOpenapi(request, response, next) {
    return response.locals.scope.path === '/openapi.json' ? answer(request, response, next) : next();
  };
}
