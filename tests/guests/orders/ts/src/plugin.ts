// Places orders with a supplier, one a call. The cursor is how many it has taken.

import { send } from 'lockgate:plugin/http@0.1.0';
import { token } from 'lockgate:plugin/secrets@0.1.0';
import { get } from 'lockgate:plugin/state@0.1.0';
import type { Progressed } from 'lockgate:phase/phase@0.1.0';
import type { Call, Description, Failure, Issue, Json } from 'lockgate:plugin/types@0.1.0';
import schema from '../config.schema.json';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

type Config = { url: string; orders: number; try?: string; at: string };

function describe(): Description {
  return {
    name: 'orders-in-ts',
    version: '0.1.0',
    summary: 'Places orders, one a call.',
    configSchema: JSON.stringify(schema),
    requests: JSON.stringify({ http: [{ config: '/url' }] }),
    extra: [],
  };
}

function validate(_config: Json): Issue[] {
  return [];
}

function advance(call: Call, config: Json, _subject: Json, cursor: Uint8Array): Progressed {
  const settings: Config = JSON.parse(config);
  if (settings.try) return progressed(true, 0, { came: tried(settings) });
  const order = Number(decoder.decode(cursor));
  const body = encoder.encode(JSON.stringify({ order, sequence: call.sequence }));
  const headers = [{ key: 'idempotency-key', value: call.idempotencyKey }];
  const { status } = asked(() => send({ method: 'POST', url: settings.url, headers, body, timeoutMs: 0 }));
  if (status !== 200) throw refused(status);
  const placed = order + 1;
  return progressed(placed === settings.orders, placed, { placed });
}

function cancel(_call: Call, _config: Json, _subject: Json, _cursor: Uint8Array): Progressed {
  return progressed(true, 0, {});
}

/** JavaScript has no files and no sockets. */
function tried(settings: Config): string {
  const nothing = new Uint8Array();
  try {
    asked<unknown>(() => {
      switch (settings.try) {
        case 'http':
          return send({ method: 'GET', url: settings.at, headers: [], body: nothing, timeoutMs: 0 });
        case 'secret':
          return token('deploy-key');
        case 'state':
          return get('count');
      }
    });
  } catch (failure) {
    return (failure as Failure).code;
  }
  return 'granted';
}

/** A failure of the host comes wrapped in an Error, and has to be thrown as it is. */
function asked<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    throw (error as { payload?: unknown }).payload ?? error;
  }
}

function refused(status: number): Failure {
  const message = `the supplier answered with status ${status}`;
  return { code: 'refused', message, retry: 'never', retryAfterMs: 0, details: '{}' };
}

function progressed(done: boolean, placed: number, outputs: object): Progressed {
  return {
    done,
    cursor: encoder.encode(String(placed)),
    pollAfterMs: 0,
    summary: `${placed} orders are placed.`,
    outputs: JSON.stringify(outputs),
    artifacts: [],
    extra: [],
  };
}

export const phase = { describe, validate, advance, cancel };
