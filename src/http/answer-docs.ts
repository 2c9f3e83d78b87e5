import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import helmet from 'helmet';
import { ProblemError } from '../errors.ts';
import type { Step } from './request-scope.ts';

/** Addresses are relative to /docs, so that the page works under any base address. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>enrollment-token-bff</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="docs/swagger-ui.css">
  </head>
  <body>
    <div id="document"></div>
    <script src="docs/swagger-ui-bundle.js"></script>
    <script src="docs/show-document.js"></script>
  </body>
</html>
`;

/** For reading only: nobody is asked to paste a token into a page. The viewer has no option for its buttons, but plugins replace them. */
const SCRIPT = `const nothing = () => () => null;
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#document',
  supportedSubmitMethods: [],
  validatorUrl: null,
  plugins: [{ wrapComponents: { authorizeBtn: nothing, authorizeOperationBtn: nothing } }],
});
`;

const viewer = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

type Asset = Readonly<{ type: string; read: () => Promise<string | Buffer> }>;

const toFile = (name: string, type: string): Asset => ({ type, read: () => readFile(join(viewer, name)) });

const ASSETS: Readonly<Record<string, Asset>> = {
  '/docs': { type: 'text/html; charset=utf-8', read: async () => PAGE },
  '/docs/show-document.js': { type: 'text/javascript; charset=utf-8', read: async () => SCRIPT },
  '/docs/swagger-ui-bundle.js': toFile('swagger-ui-bundle.js', 'text/javascript; charset=utf-8'),
  '/docs/swagger-ui.css': toFile('swagger-ui.css', 'text/css; charset=utf-8'),
};

/** The page loads from here alone; its viewer sets styles of single elements, and no script stands in the page. */
const policy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'", "'unsafe-inline'"],
    imgSrc: ["'self'", 'data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

/** `GET /docs`: the OpenAPI document as a page, from this service alone. */
export function answerDocs({ enableDocs }: Readonly<{ enableDocs: boolean }>): Step {
  const answer: Step = async (request, response, next) => {
    const { path } = response.locals.scope;
    const asset = Object.hasOwn(ASSETS, path) ? ASSETS[path] : undefined;
    if (!asset) return next();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new ProblemError('method_not_allowed', undefined, { allow: 'GET, HEAD' });
    }
    const body = await asset.read();
    policy(request, response, () => undefined);
    response.setHeader('Content-Type', asset.type);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.setHeader('Cache-Control', 'no-cache');
    response.end(body);
  };
  return function answerDocs(request, response, next) {
    const { path } = response.locals.scope;
    return enableDocs && path.startsWith('/docs') ? answer(request, response, next) : next();
  };
}
