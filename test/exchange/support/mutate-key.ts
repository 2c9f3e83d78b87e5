// Preloaded: whoever imports exchange-key.ts gets the mutant.
import { register } from 'node:module';

const hooks = `
export const resolve = (specifier, context, next) =>
  next(specifier.endsWith('/exchange-key.ts') ? ${JSON.stringify(new URL('./mutant-key.ts', import.meta.url).href)} : specifier, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
