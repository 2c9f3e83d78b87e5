import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { PROBLEMS } from '../src/errors.ts';
import { OPERATIONS } from '../src/graph/operations.ts';
import { isProfileId, PROFILE_SETS } from '../src/graph/profile.ts';
import { OPENAPI } from '../src/openapi/document.ts';
import { PARAMETERS } from '../src/openapi/parameters.ts';
import { OUTSIDE, toProblemCodes } from '../src/openapi/problem-codes.ts';

const root = join(import.meta.dirname, '..');
const file = readFileSync(join(root, 'openapi.json'), 'utf8');
const document: unknown = JSON.parse(file);

const Example = z.object({ value: z.unknown() });
const Media = z.object({
  schema: z.record(z.string(), z.unknown()).optional(),
  example: z.unknown().optional(),
  examples: z.record(z.string(), z.unknown()).optional(),
});
type Media = z.infer<typeof Media>;

/** What a pointer of the document leads to; what is none, as it is. */
function resolve(value: unknown): unknown {
  const pointer: unknown = Object(value).$ref;
  if (typeof pointer !== 'string') return value;
  return pointer
    .split('/')
    .slice(1)
    .reduce((at: unknown, name) => Reflect.get(Object(at), name), document);
}

/** Every object in the document, with the path to it. */
function* walk(value: unknown, path = '#'): Generator<readonly [string, object]> {
  if (typeof value !== 'object' || value === null) return;
  yield [path, value];
  for (const [name, child] of Object.entries(value)) yield* walk(child, `${path}/${name}`);
}

const all = [...walk(document)];
const medias = all
  .filter(([path]) => /\/content\/[a-z]+\/[a-z+]+$/.test(path))
  .map(([path, media]): readonly [string, Media] => [path, Media.parse(media)]);

const toExamples = ({ example, examples = {} }: Media): readonly z.infer<typeof Example>[] => [
  ...(example === undefined ? [] : [{ value: example }]),
  ...Object.values(examples).map((item) => Example.parse(resolve(item))),
];

test('openapi.json is what the tables in the code make of it (npm run openapi)', () => {
  assert.deepEqual(document, JSON.parse(JSON.stringify(OPENAPI)));
});

test('the types of the client are those of openapi.json, as the generator wrote them (npm run openapi)', () => {
  const types = readFileSync(join(root, 'src/client/paths.ts'), 'utf8');
  const [first = '', second = '', ...lines] = types.split('\n');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  assert.deepEqual(
    [first, second],
    [
      `// Of openapi.json with SHA-256 ${hash(file)}`,
      `// What follows has SHA-256 ${hash(lines.join('\n'))}`,
    ],
  );
});

test('the document is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(file));
  assert.ok(valid, JSON.stringify(errors));
});

test('every problem of the table is documented somewhere', () => {
  const documented = new Set<string>([...OUTSIDE, ...OPERATIONS.flatMap(toProblemCodes)]);
  assert.deepEqual(
    Object.keys(PROBLEMS).filter((code) => !documented.has(code)),
    [],
  );
});

describe('the document is complete', () => {
  test('it has every route of the service, on either port', () => {
    const routes = OPERATIONS.map(({ path }) => `/beta/deviceManagement/{set}${path}`);
    assert.deepEqual(Object.keys(Object(document).paths).toSorted(), [
      ...routes.toSorted(),
      '/docs',
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi.json',
      '/readyz',
    ]);
  });

  test('every operation has an id of its own', () => {
    const operations = all.filter(([path]) => /^#\/paths\/.+\/(?:get|post)$/.test(path));
    const ids = operations.map(([, operation]) => z.string().parse(Object(operation).operationId));
    assert.equal(new Set(ids).size, 12);
    assert.equal(ids.length, 12);
  });

  test('every component is referred to', () => {
    const referred = new Set(all.map(([, value]) => String(Object(value).$ref)));
    const components = all.filter(([path]) => /^#\/components\/(?!securitySchemes)\w+\/[^/]+$/.test(path));
    assert.ok(components.length > 100);
    assert.deepEqual(
      components.map(([path]) => path).filter((path) => !referred.has(path)),
      [],
    );
  });

  test('every body and every parameter has an example, which fits its schema', () => {
    const ajv = new Ajv2020({ strict: false });
    formats.default(ajv);
    ajv.addSchema({ $id: 'openapi', components: Object(document).components });
    const fits = (path: string, schema: object, value: unknown) => {
      const text = JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components');
      const validate = ajv.compile(JSON.parse(text));
      assert.ok(validate(value), `${path}: ${ajv.errorsText(validate.errors)}`);
    };
    for (const [path, media] of medias) {
      const examples = toExamples(media);
      assert.notEqual(examples.length, 0, path);
      for (const { value } of examples) {
        if (media.schema) fits(path, media.schema, value);
        else assert.match(z.base64().parse(value), /^iVBORw0KGgo/, path);
      }
    }
    for (const [name, { schema, example }] of Object.entries(PARAMETERS)) {
      assert.notEqual(example, undefined, name);
      fits(name, schema, example);
    }
  });

  test('every error has an example of each inner code, in either media type', () => {
    const errors = medias.filter(([path]) => path.startsWith('#/components/responses/'));
    const seen = new Set<string>();
    for (const [path, media] of errors) {
      const text = JSON.stringify(media.schema);
      const codes = /"code":\{"enum":(\["[a-z_]+"[^\]]*\])/.exec(text)?.[1] ?? '[]';
      const examples = Object.keys(media.examples ?? {});
      assert.deepEqual(examples, JSON.parse(codes), path);
      const type = path.includes('problem+json') ? 'details' : 'envelope';
      for (const code of examples) seen.add(`${code} ${type}`);
    }
    assert.equal(seen.size, 2 * Object.keys(PROBLEMS).length);
  });

  test('its sets and ids are those that the router takes', () => {
    assert.deepEqual(PARAMETERS.set.schema, { type: 'string', enum: PROFILE_SETS });
    const pattern = new RegExp(PARAMETERS.id.schema.pattern, 'u');
    const guid = 'd0d0d0d0-0000-4000-8000-00000000d0a1';
    for (const [id, expected] of [
      [guid, true],
      [guid.toUpperCase(), true],
      [`AOSP-${guid}`, true],
      [`aosp-${guid}`, false],
      [`Aosp-${guid}`, false],
      [` ${guid}`, false],
      [`${guid}\n`, false],
      [guid.slice(1), false],
    ] as const) {
      assert.deepEqual([pattern.test(id), isProfileId(id)], [expected, expected], id);
    }
  });
});
