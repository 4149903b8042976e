/** The two ends of a connection. */
export type End = 'client' | 'server';

export const ENDS: readonly End[] = ['client', 'server'];

export function otherEnd(end: End): End {
  return end === 'client' ? 'server' : 'client';
}
