import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, measure } from '../src/rules.js';

const decision = (status, body) =>
  decide({ field: 'error_rate', max: 0.01 }, measure(status, body, 'error_rate')).decision;

test('a number passes up to its limit', () => {
  assert.equal(decision(200, '{"error_rate": 0.01}'), 'pass');
  assert.equal(decision(200, '{"error_rate": 0.02}'), 'fail');
});

test('without a number nothing is known', () => {
  assert.equal(decision(503, '{"error_rate": 0}'), 'inconclusive');
  assert.equal(decision(200, 'busy'), 'inconclusive');
});
