// Opens a change ticket, and lets the release go on when somebody has approved it.
//
// The cursor is the ticket: once the host has it, no crash opens a second one. Before that, the desk knows the idempotency
// key.

import { emit } from 'lockgate:plugin/log@0.1.0';
import { send } from 'lockgate:plugin/http@0.1.0';
import type { Progressed } from 'lockgate:phase/phase@0.1.0';
import type { Call, Description, Issue, Json } from 'lockgate:plugin/types@0.1.0';
import schema from '../config.schema.json';
import { draft, next, read, type Ticket } from './rules';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function describe(): Description {
  return {
    name: 'change-ticket',
    version: '0.1.0',
    summary: 'Opens a change ticket, and waits until it is approved.',
    configSchema: JSON.stringify(schema),
    requests: JSON.stringify({ http: [{ config: '/url' }] }),
    extra: [],
  };
}

/** What the schema cannot say; the host has checked the rest. */
function validate(_config: Json): Issue[] {
  return [];
}

function advance(call: Call, config: Json, subject: Json, cursor: Uint8Array): Progressed {
  const { url, poll_seconds = 15 } = JSON.parse(config);
  const id = decoder.decode(cursor);
  const ticket = id === '' ? open(call, url, subject) : ask('GET', `${url}/${encodeURIComponent(id)}`, call);
  const { id: number, state } = ticket;
  const outputs = { ticket: number, state };
  const then = next(ticket);
  switch (then.go) {
    case 'stop':
      throw then.failure;
    case 'on':
      return progressed(true, number, 0, then.summary, outputs);
    case 'wait':
      return progressed(false, number, poll_seconds * 1000, `Change ${number} waits for somebody: it is ${state}.`, outputs);
  }
}

/** Nobody has to decide about what will not happen. */
function cancel(call: Call, config: Json, _subject: Json, cursor: Uint8Array): Progressed {
  const id = decoder.decode(cursor);
  if (id === '') return progressed(true, id, 0, 'There was no ticket yet.', {});
  const { url } = JSON.parse(config);
  const { state } = ask('PATCH', `${url}/${encodeURIComponent(id)}`, call, { state: 'withdrawn' });
  return progressed(true, id, 0, `Change ${id} is ${state}.`, { ticket: id, state });
}

function open(call: Call, url: string, subject: Json): Ticket {
  const ticket = ask('POST', url, call, draft(JSON.parse(subject)));
  emit('info', `opened change ${ticket.id}`, [{ key: 'state', value: ticket.state }]);
  return ticket;
}

function ask(method: string, url: string, call: Call, body?: object): Ticket {
  const headers = [
    { key: 'accept', value: 'application/json' },
    { key: 'content-type', value: 'application/json' },
    { key: 'idempotency-key', value: call.idempotencyKey },
  ];
  const bytes = body ? encoder.encode(JSON.stringify(body)) : new Uint8Array();
  const response = request({ method, url, headers, body: bytes, timeoutMs: 10_000 });
  const answer = read(response.status, decoder.decode(response.body));
  if ('code' in answer) throw answer;
  return answer;
}

function progressed(done: boolean, id: string, pollAfterMs: number, summary: string, outputs: object): Progressed {
  const cursor = encoder.encode(id);
  return { done, cursor, pollAfterMs, summary, outputs: JSON.stringify(outputs), artifacts: [], extra: [] };
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
