// What is said, and what an answer means: plain TypeScript, so that it can be tested anywhere.

export interface Subject {
  release: { tag: string };
  environment: string;
  project: string;
}

export interface Failure {
  code: string;
  message: string;
  retry: 'never' | 'same-key';
  retryAfterMs: number;
  details: string;
}

export function announcement(subject: Subject): object {
  return { release: subject.release.tag, environment: subject.environment, project: subject.project };
}

/** What may pass is tried again with the same key. */
export function judge(status: number): Failure | undefined {
  if (status >= 200 && status < 300) return undefined;
  const mayPass = status === 408 || status === 429 || status >= 500;
  const message = `the service answered with status ${status}`;
  return { code: 'refused', message, retry: mayPass ? 'same-key' : 'never', retryAfterMs: 0, details: '{}' };
}
