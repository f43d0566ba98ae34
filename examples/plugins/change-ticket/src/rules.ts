// What a ticket says, and what its state means for the release: plain TypeScript, so that it can be tested anywhere.

export interface Subject {
  type: string;
  release: { tag: string; description?: string };
  previous_release?: { tag: string } | null;
  environment: string;
  project: string;
  triggered_by?: string;
  deployment: string;
}

export interface Ticket {
  id: string;
  state: string;
}

export interface Failure {
  code: string;
  message: string;
  retry: 'never' | 'same-key';
  retryAfterMs: number;
  details: string;
}

export type Next = { go: 'wait' } | { go: 'on'; summary: string } | { go: 'stop'; failure: Failure };

export function draft(subject: Subject): object {
  const from = subject.previous_release ? ` (${subject.previous_release.tag} until now)` : '';
  return {
    title: `${subject.project}: ${subject.release.tag} to ${subject.environment}${from}`,
    description: subject.release.description ?? '',
    requested_by: subject.triggered_by ?? '',
    reference: subject.deployment,
    emergency: subject.type === 'ROLLBACK',
  };
}

export function next(ticket: Ticket): Next {
  switch (ticket.state) {
    case 'approved':
    case 'closed':
      return { go: 'on', summary: `Change ${ticket.id} is ${ticket.state}.` };
    case 'rejected':
    case 'withdrawn':
      return { go: 'stop', failure: failure('not-approved', `change ${ticket.id} is ${ticket.state}`, 'never') };
    // A desk has states of its own; all others are on the way to one of these.
    default:
      return { go: 'wait' };
  }
}

/** The ticket in an answer, or what is wrong with it. What may pass is tried again with the same key. */
export function read(status: number, body: string): Ticket | Failure {
  if (status < 200 || status >= 300) {
    const mayPass = status === 408 || status === 429 || status >= 500;
    return failure('desk', `the desk answered with status ${status}`, mayPass ? 'same-key' : 'never');
  }
  try {
    const { id, state } = JSON.parse(body);
    if (id !== undefined && typeof state === 'string') return { id: String(id), state };
  } catch {
    // Said below.
  }
  return failure('desk', 'the desk answered with something that is no ticket', 'never');
}

export function failure(code: string, message: string, retry: Failure['retry']): Failure {
  return { code, message, retry, retryAfterMs: 0, details: '{}' };
}
