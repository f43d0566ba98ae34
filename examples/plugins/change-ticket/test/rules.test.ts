import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draft, next, read } from '../src/rules';

const subject = {
  type: 'FULL',
  release: { tag: 'v2' },
  previous_release: { tag: 'v1' },
  environment: 'production',
  project: 'shop',
  deployment: 'shop/7',
};

test('the ticket says what goes where, and what was there', () => {
  const { title, emergency } = draft(subject) as { title: string; emergency: boolean };
  assert.equal(title, 'shop: v2 to production (v1 until now)');
  assert.equal(emergency, false);
});

test('the release waits until somebody has decided', () => {
  assert.deepEqual(['new', 'approved', 'rejected'].map((state) => next({ id: '7', state }).go), ['wait', 'on', 'stop']);
});

test('only what may pass is asked again', () => {
  assert.deepEqual(read(201, '{"id": 7, "state": "new"}'), { id: '7', state: 'new' });
  const retries = [read(503, ''), read(403, ''), read(200, 'busy')].map((answer) => 'retry' in answer && answer.retry);
  assert.deepEqual(retries, ['same-key', 'never', 'never']);
});
