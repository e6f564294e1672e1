// The OpenAPI document as others see it: checked in as the program prints it, and without a complaint of Redocly's.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);
const top = fileURLToPath(new URL('../..', import.meta.url));
const binary = process.env.BUILDPLAN_BINARY ?? `${top}/build/release/buildplan`;
const redocly = `${top}/tests/node_modules/.bin/redocly`;

test('openapi/openapi.json is what the program prints', async () => {
  const { stdout } = await run(binary, ['openapi'], { maxBuffer: 1 << 26 });
  assert.equal(await readFile(`${top}/openapi/openapi.json`, 'utf8'), stdout, 'stale: buildplan openapi > openapi/openapi.json');
});

test('Redocly finds no error and no warning', async () => {
  const { stdout } = await run(
    redocly,
    ['lint', 'openapi/openapi.json', '--config', 'openapi/redocly.yaml', '--format', 'json'],
    { cwd: top, maxBuffer: 1 << 26, env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } },
  );
  const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')));
  assert.deepEqual({ errors: totals.errors, warnings: totals.warnings }, { errors: 0, warnings: 0 }, JSON.stringify(problems, null, 2));
});
