// Tells a web service which release is on its way.

import { send } from 'lockgate:plugin/http@0.1.0';
import schema from '../config.schema.json';
import { announcement, judge } from './rules.js';

const text = new TextEncoder();

function describe() {
  return {
    name: '%%name%%',
    version: '0.1.0',
    summary: 'Tells a web service which release is on its way.',
    configSchema: JSON.stringify(schema),
    requests: JSON.stringify({ http: [{ config: '/url' }] }),
    extra: [],
  };
}

/** What the schema cannot say; the host has checked the rest. */
function validate(_config) {
  return [];
}

function advance(call, config, subject, _cursor) {
  const { url } = JSON.parse(config);
  const response = request({
    method: 'POST',
    url,
    headers: [
      { key: 'content-type', value: 'application/json' },
      { key: 'idempotency-key', value: call.idempotencyKey },
    ],
    body: text.encode(JSON.stringify(announcement(JSON.parse(subject)))),
    timeoutMs: 10_000,
  });
  const failure = judge(response.status);
  if (failure) throw failure;
  return done('The release was announced.', { status: response.status });
}

/** Nothing goes on outside that could be stopped. */
function cancel(_call, _config, _subject, _cursor) {
  return done('There was nothing to stop.', {});
}

function done(summary, outputs) {
  const outputsText = JSON.stringify(outputs);
  return { done: true, cursor: new Uint8Array(), pollAfterMs: 0, summary, outputs: outputsText, artifacts: [], extra: [] };
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function request(asked) {
  try {
    return send(asked);
  } catch (error) {
    throw error.payload ?? error;
  }
}

export const phase = { describe, validate, advance, cancel };
