// What a plan says and what is left to do: plain TypeScript, so that it can be tested anywhere.

/** null: there is none. */
export type Value = string | null;

export interface Failure {
  code: string;
  message: string;
  retry: 'never' | 'same-key';
  retryAfterMs: number;
  details: string;
}

export function wanted(subject: { type: string; release: { tag: string } }): Value {
  return subject.type === 'DESTROY' ? null : subject.release.tag;
}

export function actionOf(before: Value, after: Value): 'no-op' | 'create' | 'update' | 'delete' {
  if (before === after) return 'no-op';
  if (before === null) return 'create';
  return after === null ? 'delete' : 'update';
}

/** A call may be repeated: it may have been done already. */
export function todo(now: Value, from: Value, to: Value): 'nothing' | 'write' | 'refuse' {
  if (now === to) return 'nothing';
  return now === from ? 'write' : 'refuse';
}

export function failure(code: string, message: string, retry: Failure['retry']): Failure {
  return { code, message, retry, retryAfterMs: 0, details: '{}' };
}

/** What may pass is tried again with the same key. */
export function refused(status: number): Failure {
  const mayPass = status === 429 || status >= 500;
  return failure('refused', `the service answered with status ${status}`, mayPass ? 'same-key' : 'never');
}
