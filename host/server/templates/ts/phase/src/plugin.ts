// Tells a web service which release is on its way.

import { send } from 'lockgate:plugin/http@0.1.0';
import type { Progressed } from 'lockgate:phase/phase@0.1.0';
import type { Call, Description, Issue, Json } from 'lockgate:plugin/types@0.1.0';
import schema from '../config.schema.json';
import { announcement, judge } from './rules';

const text = new TextEncoder();

function describe(): Description {
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
function validate(_config: Json): Issue[] {
  return [];
}

function advance(call: Call, config: Json, subject: Json, _cursor: Uint8Array): Progressed {
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
function cancel(_call: Call, _config: Json, _subject: Json, _cursor: Uint8Array): Progressed {
  return done('There was nothing to stop.', {});
}

function done(summary: string, outputs: object): Progressed {
  const outputsText = JSON.stringify(outputs);
  return { done: true, cursor: new Uint8Array(), pollAfterMs: 0, summary, outputs: outputsText, artifacts: [], extra: [] };
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function request(asked: Parameters<typeof send>[0]): ReturnType<typeof send> {
  try {
    return send(asked);
  } catch (error) {
    throw (error as { payload?: unknown }).payload ?? error;
  }
}

export const phase = { describe, validate, advance, cancel };
