import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announcement, judge } from '../src/rules.js';

test('the announcement names release and environment', () => {
  const subject = { release: { tag: 'v1' }, environment: 'production', project: 'shop' };
  assert.deepEqual(announcement(subject), { release: 'v1', environment: 'production', project: 'shop' });
});

test('only what may pass is tried again', () => {
  assert.deepEqual([204, 404, 429, 503].map((status) => judge(status)?.retry), [undefined, 'never', 'same-key', 'same-key']);
});
